package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/mesos-modules/mms/internal/bench/loader"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

const copies = 100

func measureLibraries(ctx context.Context, b *bench) error {
	for _, language := range languages() {
		paths, err := b.shop.copies(ctx, language)
		if err != nil {
			return err
		}
		figures, err := b.meter.interleave(
			subject{name: "ours", run: loadAll(paths)},
			subject{name: "dlopen and dlsym of the same, nothing else", run: openAll(paths)},
		)
		if err != nil {
			return err
		}
		b.add(line{what: fmt.Sprintf("%d native libraries in %s, load to bind", copies, language.name), ours: figures[0], theirs: figures[1],
			target: "under 150 ms", limit: 150e6})
	}
	return nil
}

// loadAll takes one module of each library to its site, the trial in a child process included. Taking them back is not
// measured.
func loadAll(paths []string) func(*testing.B) error {
	var wanted manifest.Manifest
	binding := verify.Binding{Flag: "calculator"}
	for i, path := range paths {
		wanted.Libraries = append(wanted.Libraries, manifest.Library{File: path, Modules: []manifest.Module{{Name: copyName(i)}}})
		binding.Refs = append(binding.Refs, verify.Ref{Name: copyName(i)})
	}
	return func(b *testing.B) error {
		var total time.Duration
		for b.Loop() {
			began := time.Now()
			m, err := manager.New(manager.Config{Daemon: roles.Slave, WorkDir: "/", Vehicles: vehicles(),
				Manifests: []manifest.Manifest{wanted}, Bindings: []verify.Binding{binding}})
			if err != nil {
				return err
			}
			err = m.Start(b.Context())
			total += time.Since(began)
			if closing := m.Close(); err == nil {
				err = closing
			}
			if err != nil {
				return err
			}
		}
		b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/op")
		return nil
	}
}

// openAll is the floor: what the dynamic loader needs for these files. Closing them is not measured.
func openAll(paths []string) func(*testing.B) error {
	return func(b *testing.B) error {
		var total time.Duration
		for b.Loop() {
			began := time.Now()
			var open []loader.Library
			for _, path := range paths {
				library, err := loader.Open(path, "mesos_module_library")
				if err != nil {
					return err
				}
				open = append(open, library)
			}
			total += time.Since(began)
			for _, library := range open {
				library.Close()
			}
		}
		b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/op")
		return nil
	}
}
