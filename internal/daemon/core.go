package daemon

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"

	"go.uber.org/fx"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/metrics"
)

// Core is what a daemon does for its cluster: the master or the slave, plugged into
// the program. Its methods are called once each, in this order, from one goroutine.
type Core interface {
	// Declare adds the flags of the core, in groups of its own. There already are
	// those of network and state (ip, port, advertise_ip, advertise_port, hostname,
	// hostname_lookup, ip_discovery_command, work_dir), of modules and binding
	// sites, and of output (the logging ones, and memory_profiling).
	Declare(set *flags.Set)

	// Check says what is wrong with the flags together, all of it. It is called
	// when the daemon is to serve, and not to verify modules only.
	Check(h Host) error

	// Options are the core's part of the app. It takes the handles of the binding
	// sites from fx, starts after they are bound and stops before they are
	// unbound. If it provides [Routes], requests go through them. Requests are
	// answered after all of the app has started, and not any more before any of it
	// stops.
	Options(h Host) fx.Option
}

// Parameterised is a core some of whose flags are parameters of modules that are
// compiled in, as --acls is one of the authorizer. The folder of --work_dir is the
// program's own flag, empty if it is not given. Parameters is called after the
// flags have been read; what the manifest says wins.
type Parameterised interface {
	Parameters(workDir string) map[string]facade.Parameters
}

// Defaulting is a core some of whose flags ask for other modules than those that a site
// is bound to by default. Defaults is called after the flags have been read; it returns
// names and words by the flag of the site. A flag that is given wins.
type Defaulting interface {
	Defaults() map[string][]string
}

// Routes puts the core's routes before those about modules: what they do not know
// goes on to face.
type Routes func(face http.Handler) http.Handler

// Host is what the program tells its core.
type Host struct {
	Version string // of Mesos

	// Bound is where the daemon listens, Advertised the address that others are
	// told. Hostname is its name for people and redirects.
	Bound, Advertised netip.AddrPort
	Hostname          string

	WorkDir string // empty without --work_dir
	LogFile string // what the daemon logs to; empty without --log_dir and --external_log_file

	Log       *slog.Logger
	Verbosity *Verbosity
	Flags     func() []flags.NameValue // as /flags lists them, secrets hidden
	Given     func(site string) bool   // whether the flag of a binding site was given
	Env       func(name string) string // the value of an environment variable
	Metrics   *metrics.Registry

	// Stopping ends when the daemon begins to stop: answers that would go on for
	// ever end then, others may be finished.
	Stopping context.Context

	// Fail ends the daemon, because it must not go on: in order, and with status
	// [ExitFailed]. It returns at once; the first reason counts.
	Fail func(reason error)
}

// routed is the HTTP face behind the core's routes, if there is a core.
type routed struct {
	fx.In

	Routes Routes `optional:"true"`
}

func (r routed) before(face http.Handler) http.Handler {
	if r.Routes == nil {
		return face
	}
	return r.Routes(face)
}

// host is what the core is told. The listener and the output are there.
func (d *daemon) host(ctx context.Context) (Host, error) {
	at, err := d.flags.locate(ctx, d.listener.Addr())
	if err != nil {
		return Host{}, err
	}
	return Host{
		Version: d.o.Version, Bound: at.bound, Advertised: at.advertised, Hostname: at.hostname,
		WorkDir: d.flags.workDir.Get(), LogFile: d.flags.logFile(d.o),
		Log: d.out.log, Verbosity: d.out.verbosity, Flags: d.values, Given: d.flags.given,
		Env: func(name string) string { return variable(d.o.Env, name) }, Metrics: d.measures,
		Stopping: d.stopping,
		Fail:     func(reason error) { d.fail(reason) },
	}, nil
}
