// Command process is a program that a daemon runs in a process of its own, built by hand:
// a main package that serves a library with one module. It loads in daemons of its
// release and of later ones, whatever it is built with:
//
//	go build -o remainder ./examples/process
//
// A module that lives elsewhere is an importable package with a Library, and mesos-module
// build --as=process makes the program.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/roles/calculator"
)

func main() { serve.Main(library) }

var library = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{
		Name: "org_example_remainder", Version: "1.0.0",
		Description: "Divides, and returns what is left. Counts how often in a file.",
		Parameters:  facade.SchemaOf[struct{}](),
		Compatible:  func(context.Context, facade.View) error { return nil },
		New:         newRemainder,
	},
}}

// remainder keeps what is to survive the end of its process in the folder that the daemon
// gives it. What is in memory does not.
type remainder struct {
	host facade.Host
	file string

	mu    sync.Mutex
	count int
}

func newRemainder(_ context.Context, host facade.Host, _ facade.Parameters) (calculator.Calculator, error) {
	dir, err := host.StateDir()
	if err != nil {
		return nil, err
	}
	r := &remainder{host: host, file: filepath.Join(dir, "count")}
	switch text, err := os.ReadFile(r.file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if r.count, err = strconv.Atoi(string(text)); err != nil {
			return nil, fmt.Errorf("read the count in %s: %w", r.file, err)
		}
	}
	host.Logger().Info("ready to divide", "process", os.Getpid(), "divided before", r.count)
	return r, nil
}

func (r *remainder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	if b == 0 {
		return 0, errors.New("division by zero")
	}
	left := int64(a) % b
	return int32(left), r.note()
}

// note counts, by way of a new file, so that there is always a whole one.
func (r *remainder) note() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	fresh := r.file + ".new"
	if err := os.WriteFile(fresh, []byte(strconv.Itoa(r.count)), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, r.file)
}
