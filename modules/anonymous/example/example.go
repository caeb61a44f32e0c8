// Package example is an Anonymous module: it says in a file, again and again, that the
// daemon is alive, for whoever watches files and speaks no HTTP.
package example

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/anonymous"
)

// Name is what manifests call the module.
const Name = "org_apache_mesos_ExampleAnonymous"

type parameters struct {
	File     string        `mms:"file" doc:"absolute path of the file; without it, the file alive in the module's own folder below --work_dir"`
	Interval time.Duration `mms:"interval" default:"10secs" doc:"time between two beats"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[anonymous.Anonymous]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Writes into a file that the daemon is alive.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, host facade.Host, p facade.Parameters) (anonymous.Anonymous, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return newBeat(host, c)
		},
	},
}}

type beat struct {
	anonymous.Unimplemented
	parameters
	log *slog.Logger
}

func newBeat(host facade.Host, p parameters) (*beat, error) {
	if p.Interval <= 0 {
		return nil, fmt.Errorf("parameter interval: %v is no time to wait", p.Interval)
	}
	if p.File == "" {
		dir, err := host.StateDir()
		if err != nil {
			return nil, fmt.Errorf("parameter file is not given, and there is no folder of the module's own: %w", err)
		}
		p.File = filepath.Join(dir, "alive")
	}
	if !filepath.IsAbs(p.File) {
		return nil, fmt.Errorf("parameter file: %q is no absolute path", p.File)
	}
	return &beat{parameters: p, log: host.Logger()}, nil
}

// Run writes the time until teardown begins, and takes the file away then: one that is
// there and old is of a daemon that was killed. A disk that is full may be empty again
// later, so it goes on.
func (b *beat) Run(ctx context.Context) error {
	ticker := time.NewTicker(b.Interval)
	defer ticker.Stop()
	failing := false
	for {
		err := b.write(time.Now())
		if err != nil && !failing {
			b.log.Warn("nobody is told that the daemon is alive", "error", err)
		}
		failing = err != nil
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if err := os.Remove(b.File); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("take the file away: %w", err)
			}
			return nil
		}
	}
}

// write puts a whole file in the place of the one before.
func (b *beat) write(now time.Time) error {
	next := b.File + ".new"
	if err := os.WriteFile(next, []byte(now.UTC().Format(time.RFC3339)+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(next, b.File)
}
