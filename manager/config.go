package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

// Config is what a daemon tells its module system. New checks it once and fills
// the defaults.
type Config struct {
	// Daemon is roles.Master or roles.Slave.
	Daemon roles.Daemon

	// MesosVersion of the daemon; empty means facade.MesosVersion.
	MesosVersion string

	// MMSVersions are the handshakes that are accepted; nil means the facade's.
	MMSVersions []string

	// Roles is the role table; nil means roles.Table.
	Roles []roles.Role

	// Builtin are the libraries that are compiled into the daemon.
	Builtin []facade.Library

	// Manifests are loaded by Start, in this order.
	Manifests []manifest.Manifest

	// Parameters are what flags say to modules that are compiled in, by module.
	// What the manifest says wins.
	Parameters map[string]facade.Parameters

	// Bindings are the binding flags that were given, in flag order. Sites whose
	// flag is not among them get their default.
	Bindings []verify.Binding

	// Vehicles recognise and open library files, asked in this order.
	Vehicles []vehicle.Vehicle

	// Isolation is where the code of libraries runs of which the manifest does not
	// say it; empty means manifest.IsolationNone. What is compiled in runs in the
	// daemon, and an executable in a process of its own, whatever is said.
	Isolation manifest.Isolation

	// Launcher runs libraries in processes of their own; nil means the first of Vehicles
	// that can. Where none can, a library that asks for it is a finding.
	Launcher vehicle.Launcher

	// Confinable returns why this machine cannot keep a process within c, an error for
	// each part of it that it cannot; nil means confine.Check.
	Confinable func(c vehicle.Confinement) []error

	// Trial opens libraries in a child process; nil means trial.Run, for which
	// the binary's main has to call trial.Main.
	Trial func(context.Context, []trial.Request, trial.Options) ([]trial.Verdict, error)

	// WorkDir is where relative library paths count from; empty means the
	// working directory at the time of New. SearchPath are the folders of
	// library names, LD_LIBRARY_PATH first, then --modules_path.
	WorkDir    string
	SearchPath []string

	// AllowWorldWritable accepts library files that everybody may change.
	AllowWorldWritable bool

	// StateDir holds one folder per module; empty means that there is none.
	StateDir string

	// Limits of steps for modules that the manifest gives none.
	Limits manifest.Limits

	// Bus takes the events; nil means one of the manager's own.
	Bus *lifecycle.Bus

	// Logger is what modules log to; nil discards.
	Logger *slog.Logger

	// Metrics returns what a module registers its measures with; nil discards
	// them.
	Metrics func(module string) facade.Metrics
}

// The limits of steps where neither flag nor manifest says anything. They are
// long for what a module should do, and short for whoever waits for the daemon.
const (
	DefaultOpen   = 10 * time.Second
	DefaultCheck  = 5 * time.Second
	DefaultCreate = 30 * time.Second
	DefaultDrain  = 10 * time.Second
	DefaultClose  = 10 * time.Second
)

// complete returns the config with its defaults, or what is wrong with it.
func (c Config) complete() (Config, error) {
	var errs []error
	if c.Daemon != roles.Master && c.Daemon != roles.Slave {
		errs = append(errs, fmt.Errorf("manager: the daemon is %v, not one of master and slave", c.Daemon))
	}
	c.MesosVersion = cmp.Or(c.MesosVersion, facade.MesosVersion)
	if c.MMSVersions == nil {
		c.MMSVersions = []string{strconv.Itoa(facade.MMSVersion)}
	}
	if c.Roles == nil {
		c.Roles = roles.Table()
	}
	if c.Trial == nil {
		c.Trial = trial.Run
	}
	switch c.Isolation {
	case manifest.IsolationUnsaid:
		c.Isolation = manifest.IsolationNone
	case manifest.IsolationNone, manifest.IsolationProcess:
	default:
		errs = append(errs, fmt.Errorf("manager: the isolation is %q, not one of none and process", c.Isolation))
	}
	for _, v := range c.Vehicles {
		if launcher, ok := v.(vehicle.Launcher); ok && c.Launcher == nil {
			c.Launcher = launcher
		}
	}
	if c.Confinable == nil {
		c.Confinable = confine.Check
	}
	if c.WorkDir == "" {
		dir, err := os.Getwd()
		if err != nil {
			errs = append(errs, fmt.Errorf("manager: relative library paths have nothing to count from: %w", err))
		}
		c.WorkDir = dir
	}
	if c.StateDir != "" && !filepath.IsAbs(c.StateDir) {
		c.StateDir = filepath.Join(c.WorkDir, c.StateDir)
	}
	if c.Bus == nil {
		c.Bus = lifecycle.NewBus(lifecycle.BusOptions{})
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = func(string) facade.Metrics { return noMetrics{} }
	}
	c.Limits = limitsOr(c.Limits, manifest.Limits{
		Open: DefaultOpen, Check: DefaultCheck, Create: DefaultCreate, Drain: DefaultDrain, Close: DefaultClose,
	})
	return c, errors.Join(errs...)
}

// limitsOr fills what l leaves open from the next one.
func limitsOr(l, next manifest.Limits) manifest.Limits {
	return manifest.Limits{
		Open:   cmp.Or(l.Open, next.Open),
		Check:  cmp.Or(l.Check, next.Check),
		Create: cmp.Or(l.Create, next.Create),
		Drain:  cmp.Or(l.Drain, next.Drain),
		Close:  cmp.Or(l.Close, next.Close),
	}
}
