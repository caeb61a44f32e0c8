package daemon

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"go.uber.org/fx"

	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/httpface"
	"github.com/mesos-modules/mms/internal/metrics"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/verify"
)

// daemon is one that serves.
type daemon struct {
	o     Options
	flags *flagSet
	out   *output
	bus   *lifecycle.Bus
	end   *ending
	began time.Time

	manifest manifest.Manifest

	listener net.Listener
	measures *metrics.Registry

	stopping context.Context // ends when requests that go on for ever have to
	endless  context.CancelFunc

	failing  chan struct{} // closed when the core has given up
	failOnce sync.Once
	failure  error

	app    *fx.App
	mods   *manager.Manager
	server *httpface.Server
}

// serve starts the daemon, waits for the end of ctx, and stops it.
func serve(ctx context.Context, o Options, f *flagSet, notices []flags.Notice) int {
	d := &daemon{o: o, flags: f, bus: lifecycle.NewBus(lifecycle.BusOptions{}), end: &ending{}, began: time.Now(), failing: make(chan struct{})}
	d.stopping, d.endless = context.WithCancel(context.Background())
	defer d.endless()
	if err := f.makeWorkDir(); err != nil {
		failure(o, "%v: %v", o.Daemon, err)
		return ExitUsage
	}
	var err error
	if d.out, err = newOutput(o, f); err != nil {
		return d.cannotStart(err)
	}
	defer d.out.close()
	for _, n := range notices {
		d.out.told("notice: %v", n)
	}
	var said verify.Result
	d.manifest, said = f.read()
	for _, n := range said.Notices {
		d.out.told("notice: %s", n.Text)
	}
	if len(said.Findings) > 0 {
		return d.refused(reportOf(o, said))
	}
	// An address that is taken is known before anything of a module runs.
	address, err := f.listenOn(ctx)
	if err != nil {
		return d.cannotStart(err)
	}
	if d.listener, err = httpface.Listen(ctx, address); err != nil {
		return d.cannotStart(err)
	}
	defer func() { _ = d.listener.Close() }() // for an app that cannot be built; else the server has closed it
	if err := d.build(ctx); err != nil {
		return d.cannotStart(err)
	}
	// fx leaves finished phases undone after a start that hit its limit.
	defer func() { _ = d.mods.Close() }()
	if err := d.start(ctx); err != nil {
		return d.didNotStart(ctx, err)
	}
	d.started()
	select {
	case <-ctx.Done():
	case lost := <-d.mods.Failed():
		d.fail(lost)
	case <-d.failing:
	}
	if ctx.Err() == nil {
		failure(d.o, "%v: stops: %v", d.o.Daemon, d.failure)
	}
	return d.stop()
}

// build lays the app out. No module code runs.
func (d *daemon) build(ctx context.Context) error {
	d.out.observe(d.bus)
	d.bus.Observe(d.end.observe)
	app, err := d.newApp(ctx)
	if err != nil {
		return err
	}
	d.app = app
	return nil
}

// start goes through all phases. The end of ctx interrupts it: the phase under way
// is cancelled and undoes itself, and fx, whose own context stays alive, undoes what
// came before. (Were fx's context cancelled, it would return while its hooks run.)
func (d *daemon) start(ctx context.Context) error {
	interrupting := context.AfterFunc(ctx, func() { _ = d.mods.Close() })
	defer interrupting()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.app.StartTimeout())
	defer cancel()
	return d.app.Start(limited)
}

// didNotStart takes back what the start left, and says why it failed.
func (d *daemon) didNotStart(ctx context.Context, err error) int {
	d.endless()
	closing := errors.Join(d.server.Stop(context.WithoutCancel(ctx)), d.mods.Close())
	var found *finding.Error
	switch {
	case errors.As(err, &found):
		return d.refused(reportOf(d.o, d.mods.Result()))
	case ctx.Err() != nil && errors.Is(err, lifecycle.ErrClosed):
		d.out.told("%v: the start was interrupted", d.o.Daemon)
		d.tornDown()
		if d.end.failed() || closing != nil {
			return ExitTeardown
		}
		return ExitOK
	default:
		d.tornDown()
		return d.cannotStart(errors.Join(err, closing))
	}
}

// fail ends the daemon for a reason of its core.
func (d *daemon) fail(reason error) {
	d.failOnce.Do(func() {
		d.failure = reason
		close(d.failing)
	})
}

// usageError says that the flags do not fit together.
type usageError struct{ error }

func (d *daemon) cannotStart(err error) int {
	if wrong := (*usageError)(nil); errors.As(err, &wrong) {
		failure(d.o, "%v", d.flags.set.Wrong(problemsOf(wrong.error)...))
		return ExitUsage
	}
	failure(d.o, "%v: cannot start: %v", d.o.Daemon, err)
	return ExitStart
}

// refused prints what verification holds against the modules.
func (d *daemon) refused(v report.Verification) int {
	if err := v.WriteText(d.o.Stderr, styleOf(d.o.Stderr, d.o.Env)); err != nil {
		failure(d.o, "%v: print the report: %v", d.o.Daemon, err)
	}
	return ExitFindings
}

// started prints the closing table and where the daemon answers.
func (d *daemon) started() {
	d.out.report(report.Started{
		Daemon: d.o.Daemon.String(), MesosVersion: d.o.Version,
		Took: time.Since(d.began), Modules: httpface.Rows(d.mods.Modules()),
	}.WriteText)
	d.out.answers(d.o, d.address())
}

// stop takes everything back and prints the report.
func (d *daemon) stop() int {
	ctx, cancel := context.WithTimeout(context.Background(), d.app.StopTimeout())
	defer cancel()
	err := errors.Join(d.app.Stop(ctx), d.mods.Close())
	d.tornDown()
	if err != nil {
		failure(d.o, "%v: not everything could be given back: %v", d.o.Daemon, err)
		return ExitTeardown
	}
	if d.failure != nil {
		return ExitFailed
	}
	return ExitOK
}

// tornDown prints the report of the teardown.
func (d *daemon) tornDown() {
	d.out.report(d.end.report(d.o.Daemon.String(), d.mods.Libraries()).WriteText)
}
