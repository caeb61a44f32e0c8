// Package daemon is the program that mesos-master and mesos-slave share: flags, the
// fx app, signals, exit status. [Run] is all of it and uses nothing global, so that
// tests run it like the binaries do.
//
// The app is made of four parts: the flags, the module system
// ([manager.Manager]), what takes the handles of the binding sites, and the HTTP
// face. fx starts them in this order and stops them in the reverse: nobody is
// answered any more when modules are unbound.
package daemon

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/calculator/example"
	"github.com/mesos-modules/mms/roles"
)

// The exit status of a daemon. One that is ended by a second signal exits with 128
// and the signal's number: 129 for SIGHUP, 130 for SIGINT, 143 for SIGTERM.
const (
	ExitOK       = 0 // stopped when it was asked to, and everything was given back
	ExitUsage    = 1 // wrong flags
	ExitFindings = 2 // verification holds something against the modules
	ExitStart    = 3 // could not start, for another reason
	ExitTeardown = 4 // stopped, and not everything could be given back
	ExitFailed   = 5 // stopped by itself, because it must not go on
)

const exitSignal = 128

// Options are what a process gives to its daemon.
type Options struct {
	Daemon  roles.Daemon // roles.Master or roles.Slave
	Version string       // of Mesos
	Builtin []facade.Library
	Core    Core // nil: the daemon has modules and nothing else

	Args           []string // without the program's name
	Env            []string
	Stdout, Stderr io.Writer

	// Signals ask the daemon to stop; the second one ends it at once. The
	// caller chooses which signals get here.
	Signals <-chan os.Signal
}

// Builtin are the libraries that are compiled into both daemons.
func Builtin() []facade.Library { return []facade.Library{example.Library} }

// Run is the whole life of a daemon. It returns the exit status when the daemon has
// stopped: because ctx ended or a signal came, or by itself because it could not
// start. After a second signal it returns at once and leaves goroutines behind,
// which end with the process.
func Run(ctx context.Context, o Options) int {
	f := declare(o)
	notices, err := f.set.Parse(underscored(o.Args), o.Env)
	switch {
	case f.set.Help.Get():
		fmt.Fprint(o.Stdout, f.usage(o))
		return ExitOK
	case f.set.Version.Get():
		fmt.Fprintf(o.Stdout, "mesos %s\n", o.Version)
		return ExitOK
	case err != nil:
		fmt.Fprintln(o.Stderr, err)
		return ExitUsage
	}
	if f.verifyOnly.Get() {
		return watch(ctx, o, func(ctx context.Context) int { return verifyOnly(ctx, o, f, notices) })
	}
	return watch(ctx, o, func(ctx context.Context) int { return serve(ctx, o, f, notices) })
}

// watch does work until it ends by itself. The first signal ends its context, the
// second one the waiting.
func watch(ctx context.Context, o Options, work func(context.Context) int) int {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan int, 1)
	go func() { done <- work(ctx) }()
	for asked := false; ; asked = true {
		select {
		case code := <-done:
			return code
		case s := <-o.Signals:
			if asked {
				fmt.Fprintf(o.Stderr, "%v: ends at once: a second signal came (%v)\n", o.Daemon, s)
				return exitSignal + numberOf(s)
			}
			stop()
		}
	}
}

func numberOf(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return int(n)
	}
	return 0
}
