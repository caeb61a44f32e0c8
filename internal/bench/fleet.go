package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/process"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

const (
	fleet    = 50 // processes at once
	echoName = "org_example_echo_000"
)

// module builds the library in an executable, as "mesos-module build --as=process" does.
func (w *workshop) module(ctx context.Context) (string, error) {
	path := filepath.Join(w.dir, "module")
	return path, w.do(ctx, ".", "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-o", path, "./module")
}

// moduleCopies returns executables that differ in the names of their modules. Each module but the first few requires the
// one a stride before it.
func (w *workshop) moduleCopies(program string) ([]string, error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	paths := make([]string, fleet)
	for i := range paths {
		changed := bytes.ReplaceAll(content, []byte(echoName), fmt.Appendf(nil, "org_example_echo_%03d", i))
		if i >= stride {
			changed = bytes.Replace(changed, []byte("org_example_base_000"), []byte(copyName(i-stride)), 1)
		}
		changed = bytes.ReplaceAll(changed, []byte(template), []byte(copyName(i)))
		paths[i] = filepath.Join(w.dir, fmt.Sprintf("module_%03d", i))
		if err := os.WriteFile(paths[i], changed, 0o755); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func processes() *process.Vehicle {
	return process.New(process.Options{Logger: slog.New(slog.DiscardHandler)})
}

// isolated starts a module system with these libraries, each in a process of its own, and their Calculators bound.
func isolated(ctx context.Context, libraries ...manifest.Library) (*manager.Manager, error) {
	launcher := processes()
	binding := verify.Binding{Flag: "calculator"}
	for _, l := range libraries {
		binding.Refs = append(binding.Refs, verify.Ref{Name: l.Modules[0].Name})
	}
	m, err := manager.New(manager.Config{Daemon: roles.Slave, WorkDir: "/", Vehicles: append([]vehicle.Vehicle{launcher}, vehicles()...), Launcher: launcher,
		Isolation: manifest.IsolationProcess, Manifests: []manifest.Manifest{{Libraries: libraries}}, Bindings: []verify.Binding{binding}})
	if err != nil {
		return nil, err
	}
	if err := m.Start(ctx); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// measureFleet measures many processes at once, from the manifest to the bound sites.
func measureFleet(ctx context.Context, b *bench, program string) error {
	executables, err := b.shop.moduleCopies(program)
	if err != nil {
		return err
	}
	natives, err := b.shop.copies(ctx, languages()[0])
	if err != nil {
		return err
	}
	figures, err := b.meter.interleave(
		subject{name: "executables", run: startAll(executables)},
		subject{name: "native", run: startAll(natives[:fleet])},
	)
	if err != nil {
		return err
	}
	b.add(line{what: fmt.Sprintf("%d Go modules in processes, load to bind", fleet), ours: figures[0], target: "under 1 s on 2 cores", limit: 1e9})
	b.add(line{what: fmt.Sprintf("%d native libraries in processes of this binary, load to bind", fleet), ours: figures[1], target: "reported"})
	return nil
}

// startAll takes one module of each library to its site. Taking them back is not measured.
func startAll(paths []string) func(*testing.B) error {
	var libraries []manifest.Library
	for i, path := range paths {
		libraries = append(libraries, manifest.Library{File: path, Modules: []manifest.Module{{Name: copyName(i)}}})
	}
	return timed(func(b *testing.B) (func() error, error) {
		m, err := isolated(b.Context(), libraries...)
		if err != nil {
			return nil, err
		}
		return m.Close, nil
	})
}

// measureStarts measures one process: from the file to the first answer, and from its death to the news of it.
func measureStarts(ctx context.Context, b *bench, program string) error {
	f, err := file.Look(program, file.Options{})
	if err != nil {
		return err
	}
	v := processes()
	d, ok, err := v.Recognise(f)
	if err != nil || !ok {
		return errors.Join(err, errors.New("the module is not recognised"))
	}
	figures, err := b.meter.interleave(
		subject{name: "ours", run: timed(func(b *testing.B) (func() error, error) { return first(b.Context(), v, f, d) })},
		subject{name: goPlugin, run: startCarrier(ctx, goPlugin)},
		subject{name: "death", run: deaths(v, f, d)},
	)
	if err != nil {
		return err
	}
	b.add(line{what: "a Go module in a process, start to first answer", ours: figures[0], theirs: figures[1], target: "under 15 ms", limit: 15e6})
	b.add(line{what: "a process killed, to the news of it", ours: figures[2], target: "under 5 ms", limit: 5e6})
	return nil
}

// first starts the process and has its module compute something.
func first(ctx context.Context, v *process.Vehicle, f vehicle.File, d vehicle.Description) (func() error, error) {
	l, _, err := v.Launch(ctx, f, d, vehicle.Confinement{})
	if err != nil {
		return nil, err
	}
	made, err := l.Create(ctx, copyName(0), bareHost{}, nil)
	if err == nil {
		_, err = made.Value.(calculator.Calculator).Compute(ctx, 'A', 10)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l.Close, nil
}

// startCarrier starts a carrier and has it echo something.
func startCarrier(ctx context.Context, name string) func(*testing.B) error {
	return timed(func(*testing.B) (func() error, error) {
		for _, c := range carriers() {
			if c.name != name {
				continue
			}
			e, err := c.start(ctx)
			if err != nil {
				return nil, err
			}
			_, err = e.echo([]byte("first"))
			return e.close, err
		}
		return nil, fmt.Errorf("there is no carrier %q", name)
	})
}

// deaths kills processes and waits until the vehicle knows.
func deaths(v *process.Vehicle, f vehicle.File, d vehicle.Description) func(*testing.B) error {
	return func(b *testing.B) error {
		var total time.Duration
		for b.Loop() {
			l, _, err := v.Launch(b.Context(), f, d, vehicle.Confinement{})
			if err != nil {
				return err
			}
			began := time.Now()
			if err := syscall.Kill(l.PID(), syscall.SIGKILL); err != nil {
				return errors.Join(err, l.Close())
			}
			<-l.Gone()
			total += time.Since(began)
			_ = l.Close() // it is gone
		}
		b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/op")
		return nil
	}
}

// timed measures what begins something, and not what ends it.
func timed(begin func(*testing.B) (end func() error, err error)) func(*testing.B) error {
	return func(b *testing.B) error {
		var total time.Duration
		for b.Loop() {
			began := time.Now()
			end, err := begin(b)
			total += time.Since(began)
			if end != nil {
				err = errors.Join(err, end())
			}
			if err != nil {
				return err
			}
		}
		b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/op")
		return nil
	}
}

// bareHost has nothing for a module.
type bareHost struct{}

func (bareHost) Logger() *slog.Logger                    { return slog.New(slog.DiscardHandler) }
func (bareHost) StateDir() (string, error)               { return "", os.ErrNotExist }
func (bareHost) Metrics() facade.Metrics                 { return nil }
func (bareHost) Lifetime() context.Context               { return context.Background() }
func (bareHost) Requirement(string) (any, bool)          { return nil, false }
func (bareHost) Requirements(reflect.Type) []any         { return nil }
func (bareHost) Export(string) (any, bool)               { return nil, false }
func (bareHost) MesosVersion() string                    { return facade.MesosVersion }
func (bareHost) Libraries() []facade.LibraryInfo         { return nil }
func (bareHost) Modules() []facade.ModuleInfo            { return nil }
func (bareHost) Module(string) (facade.ModuleInfo, bool) { return facade.ModuleInfo{}, false }
