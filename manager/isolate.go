package manager

import (
	"fmt"
	"reflect"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
)

// isolate settles for each library whether it runs in the daemon or in a process of its
// own, and drops those of which that cannot be settled, or cannot be had here: what
// somebody wanted to confine is not opened unconfined.
func (l *loading) isolate() {
	for _, c := range l.files {
		if against := c.isolate(l.m.cfg); len(against) > 0 {
			l.drop(c, against...)
		}
	}
}

// isolate returns what stands against running the library as the manifest has it.
func (c *candidate) isolate(cfg Config) (against []error) {
	asked, process, err := c.wishes()
	if err != nil {
		return []error{err}
	}
	if c.library != nil {
		return c.opened(asked, process)
	}
	executable := c.vehicle.Name() == vehicle.Process
	c.process = process
	c.isolated = executable || asked == manifest.IsolationProcess ||
		asked == manifest.IsolationUnsaid && cfg.Isolation == manifest.IsolationProcess
	if executable && asked == manifest.IsolationNone {
		against = append(against, &vehicle.Refusal{Rule: finding.Isolation,
			Problem: "the library is an executable, which runs in a process of its own and nowhere else",
			Mend:    `take "isolation" out of the manifest, or build the library as a Go plugin`})
	}
	if !c.isolated && process.Given() {
		against = append(against, unconfined(process, "the library runs in the daemon"))
	}
	if c.isolated && cfg.Launcher == nil {
		against = append(against, &vehicle.Refusal{Rule: finding.Isolation,
			Problem: "this program runs no libraries in processes of their own",
			Mend:    "let the library run in the daemon: take \"isolation\" out of the manifest and of the flags"})
	}
	if c.isolated {
		for _, err := range cfg.Confinable(process.Confinement()) {
			against = append(against, unconfinable(err, process))
		}
	}
	return against
}

// wishes is what the entries of one file say together. Those that say nothing agree with
// all.
func (c *candidate) wishes() (asked manifest.Isolation, process manifest.Process, err error) {
	for _, w := range c.wanted {
		if asked != manifest.IsolationUnsaid && w.Isolation != manifest.IsolationUnsaid && w.Isolation != asked {
			return asked, process, &vehicle.Refusal{Rule: finding.Isolation,
				Problem: fmt.Sprintf("the manifest says twice how the library is isolated, and differently: %s and %s%s", asked, w.Isolation, at(w.At.String())),
				Mend:    "say it once; all modules of a library run in one place"}
		}
		if w.Isolation != manifest.IsolationUnsaid {
			asked = w.Isolation
		}
		if !w.Process.Given() {
			continue
		}
		if process.Given() && !same(process, w.Process) {
			return asked, process, &vehicle.Refusal{Rule: finding.ProcessSettings,
				Problem: fmt.Sprintf("the manifest says twice what the library's process may do, and differently%s", at(w.Process.At.String())),
				Mend:    "say it once; all modules of a library share one process"}
		}
		process = w.Process
	}
	return asked, process, nil
}

// opened holds the wishes of a later manifest against how the library runs already.
func (c *candidate) opened(asked manifest.Isolation, process manifest.Process) []error {
	isolated := c.library.isolated
	switch {
	case asked != manifest.IsolationUnsaid && (asked == manifest.IsolationProcess) != isolated:
		return []error{&vehicle.Refusal{Rule: finding.Isolation,
			Problem: fmt.Sprintf("the library is open already, with other isolation than %s", asked),
			Mend:    "say it where the library is named first"}}
	case process.Given() && !isolated:
		return []error{unconfined(process, "the library is open already and runs in the daemon")}
	case process.Given() && !same(process, c.library.process):
		return []error{&vehicle.Refusal{Rule: finding.ProcessSettings, Problem: "the library's process runs already, with other settings",
			Mend: "say them where the library is named first"}}
	default:
		return nil
	}
}

// same says whether two entries say the same of a process; where they stand is no matter.
func same(a, b manifest.Process) bool {
	a.At, b.At = manifest.Position{}, manifest.Position{}
	return reflect.DeepEqual(a, b)
}

func unconfined(process manifest.Process, why string) error {
	return &vehicle.Refusal{Rule: finding.ProcessSettings,
		Problem: fmt.Sprintf("the manifest says what the library's process may do%s, and it has none: %s", at(process.At.String()), why),
		Mend:    `say "isolation": "process" too, or take "process" out`}
}

// unconfinable is why a limit cannot be had on this machine.
func unconfinable(err error, process manifest.Process) error {
	r := &vehicle.Refusal{Rule: finding.Confinement, Problem: err.Error(), Cause: err, Mend: "take it out of the manifest" + at(process.At.String())}
	if p, ok := err.(*confine.Problem); ok { //nolint:errorlint // Check says that each is one
		r.Problem, r.Mend = p.Setting+": "+p.Problem, p.Mend
	}
	return r
}

// isolateBuiltin holds against an entry of what is compiled in that it cannot leave the
// daemon.
func (l *loading) isolateBuiltin(wanted manifest.Library) {
	refuse := func(rule finding.Rule, what string) {
		l.hold(finding.Finding{Rule: rule, Library: builtinName, Path: way(wanted.At, builtinName),
			Problem: fmt.Sprintf("%s is asked for modules that are compiled into %v and run in it", what, l.m.cfg.Daemon),
			Mend:    "take it out; a library of its own that has the modules can be isolated, and stands in for them"})
	}
	if wanted.Isolation == manifest.IsolationProcess {
		refuse(finding.Isolation, "a process")
	}
	if wanted.Process.Given() {
		refuse(finding.ProcessSettings, "confinement")
	}
}
