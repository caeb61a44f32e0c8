package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/httpface"
	"github.com/mesos-modules/mms/internal/metrics"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// newApp makes the fx app, and keeps the parts of it that the daemon itself needs.
// It starts nothing.
func (d *daemon) newApp(ctx context.Context) (*fx.App, error) {
	d.measures = metrics.New(func(module string, err error) {
		d.bus.Publish(lifecycle.Notice{Header: lifecycle.Header{Module: module}, Text: err.Error()})
	})
	d.bus.Observe(d.measures.Observe)

	cfg := d.flags.config(d.o, d.manifest, d.out.log)
	cfg.Bus, cfg.Logger, cfg.Metrics = d.bus, d.out.log, d.measures.Module
	m, err := manager.New(cfg)
	if err != nil {
		return nil, err
	}
	d.mods = m
	core, err := d.core(ctx)
	if err != nil {
		return nil, err
	}
	app := fx.New(
		fx.WithLogger(func() fxevent.Logger { return fxLogger(d.out.log) }),
		m.Options(),
		fx.Supply(d, d.measures),
		core,
		fx.Provide(newFace, newServer),
		fx.Invoke(answer),
		fx.Populate(&d.server),
	)
	return app, app.Err()
}

// core is the core's part of the app; nothing where there is none.
func (d *daemon) core(ctx context.Context) (fx.Option, error) {
	if d.o.Core == nil {
		return fx.Options(), nil
	}
	h, err := d.host(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.o.Core.Check(h); err != nil {
		return nil, &usageError{err}
	}
	return fx.Options(fx.Supply(h), d.o.Core.Options(h)), nil
}

// fxLogger shows what fx does to whoever looks for it.
func fxLogger(log *slog.Logger) fxevent.Logger {
	l := &fxevent.SlogLogger{Logger: log}
	l.UseLogLevel(slog.LevelDebug)
	l.UseErrorLevel(slog.LevelDebug) // the daemon reports its errors itself
	return l
}

// sites are the handles that this daemon consumes. They depend on the module
// system, so whoever takes them starts after bind and stops before unbind.
type sites struct {
	fx.In

	Calculators []calculator.Calculator
	TestModule  testmodule.TestModule
}

func newFace(d *daemon, m *manager.Manager, registry *metrics.Registry, s sites) *httpface.Face {
	registry.CountModules(func() []lifecycle.Phase {
		var phases []lifecycle.Phase
		for _, status := range m.Modules() {
			phases = append(phases, status.Phase)
		}
		return phases
	})
	names := d.flags.bound("calculator")
	var calculators []httpface.Calculator
	for i, c := range s.Calculators { // one for each name, in flag order
		calculators = append(calculators, httpface.Calculator{Module: names[i], Calculator: c})
	}
	return httpface.New(httpface.Config{
		Daemon: d.o.Daemon.String(), Prefix: prefixOf(d.o.Daemon), Version: d.o.Version,
		Modules: m, Flags: d.values, Metrics: registry.Handler(),
		Calculators: calculators, TestModule: s.TestModule,
	})
}

// values are the flags as /flags lists them. Which parameters in --modules are secret
// is known when the modules are loaded; flags alone can only guess.
func (d *daemon) values() []flags.NameValue {
	values := d.flags.set.Values()
	for i, v := range values {
		if v.Name == modulesFlag && isJSON(v.Value) {
			values[i].Value = d.manifest.Redacted(d.secret).Text()
		}
	}
	return values
}

// secret reports whether a module declares a parameter to be secret.
func (d *daemon) secret(module, key string) bool {
	status, _ := d.mods.Module(module)
	return slices.ContainsFunc(status.Declared.Parameters, func(p facade.ParameterSpec) bool { return p.Key == key && p.Secret })
}

// prefixOf is below which Mesos puts the routes of a daemon.
func prefixOf(d roles.Daemon) string {
	if d == roles.Slave {
		return "/slave(1)"
	}
	return "/master"
}

func newServer(d *daemon, face *httpface.Face, r routed) *httpface.Server {
	return httpface.NewServer(d.listener, face, r.before(face), d.out.log)
}

// answer is the last to start and the first to stop.
func answer(lc fx.Lifecycle, d *daemon, server *httpface.Server) {
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			if err := server.Start(); err != nil {
				return err
			}
			return d.announce()
		},
		OnStop: func(ctx context.Context) error {
			d.withdraw()
			d.endless()
			return server.Stop(ctx)
		},
	})
}

// announce writes the address into the file that waits for it, in one piece: who
// sees the file sees all of it.
func (d *daemon) announce() error {
	if !d.flags.addressFile.Has() {
		return nil
	}
	if err := writeWhole(d.flags.addressFile.Get(), d.address()+"\n"); err != nil {
		return fmt.Errorf("write --address_file: %w", err)
	}
	return nil
}

// writeWhole puts a file in the place of whatever is at path. It is prepared under a
// name that nobody can have put a link at.
func writeWhole(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func (d *daemon) withdraw() {
	if d.flags.addressFile.Has() {
		_ = os.Remove(d.flags.addressFile.Get()) // a file that somebody has taken away is gone
	}
}

// address is where the daemon can be reached: the IP it listens on, or the host's
// name where it listens on all.
func (d *daemon) address() string {
	bound, ok := d.server.Addr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	host := d.flags.ip.Get()
	if host == "" {
		host = d.flags.host()
	}
	return net.JoinHostPort(host, strconv.Itoa(bound.Port))
}
