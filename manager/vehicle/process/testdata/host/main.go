// Command host is a daemon that carries a Go plugin in a process of its own: it has the
// plugin's first module compute a sum, ends the process, and starts another.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"syscall"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/process"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/roles/calculator"
)

func main() {
	plugins := goplugin.New("")
	if serve.Isolated(plugins) {
		return
	}
	if err := run(plugins, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(plugins vehicle.Vehicle, path string) error {
	f, err := file.Look(path, file.Options{AllowWorldWritable: true})
	if err != nil {
		return err
	}
	d, _, err := plugins.Recognise(f)
	if err != nil {
		return err
	}
	ctx := context.Background()
	m, d, err := process.New(process.Options{}).Launch(ctx, f, d, vehicle.Confinement{})
	if err != nil {
		return err
	}
	fmt.Println(d.Vehicle, d.Build[len(d.Build)-1])
	if err := compute(ctx, m, d.Modules[0].Name); err != nil {
		return err
	}
	if err := syscall.Kill(m.PID(), syscall.SIGKILL); err != nil {
		return err
	}
	<-m.Gone()
	if err := os.Remove(path); err != nil { // which another build is going to lie at
		return err
	}
	again, err := m.Again(ctx)
	if err != nil {
		return err
	}
	if err := compute(ctx, again, d.Modules[0].Name); err != nil {
		return err
	}
	if err := m.Close(); err != nil {
		return err
	}
	return again.Close()
}

func compute(ctx context.Context, m vehicle.Mortal, module string) error {
	i, err := m.Create(ctx, module, none{}, nil)
	if err != nil {
		return err
	}
	n, err := i.Value.(calculator.Calculator).Compute(ctx, 'A', 10)
	if err != nil {
		return err
	}
	fmt.Println(module, n)
	return i.Destroy(ctx)
}

// none is a host that has nothing.
type none struct{}

func (none) Logger() *slog.Logger                    { return slog.New(slog.DiscardHandler) }
func (none) StateDir() (string, error)               { return "", os.ErrNotExist }
func (none) Metrics() facade.Metrics                 { return nil }
func (none) Lifetime() context.Context               { return context.Background() }
func (none) Requirement(string) (any, bool)          { return nil, false }
func (none) Export(string) (any, bool)               { return nil, false }
func (none) Requirements(reflect.Type) []any         { return nil }
func (none) MesosVersion() string                    { return facade.MesosVersion }
func (none) Libraries() []facade.LibraryInfo         { return nil }
func (none) Modules() []facade.ModuleInfo            { return nil }
func (none) Module(string) (facade.ModuleInfo, bool) { return facade.ModuleInfo{}, false }
