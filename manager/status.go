package manager

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// ModuleStatus is one module as reports and endpoints show it. It holds no secret
// value. All slices are the caller's or never written.
type ModuleStatus struct {
	Declared       vehicle.Module
	Library        string // path; empty for the daemon binary
	Vehicle        string
	Isolation      manifest.Isolation // IsolationProcess, or empty for one that runs in the daemon
	OnFailure      string             // what follows when it is lost, as the plan has it; empty for one that the daemon keeps
	ShipsWithMesos bool
	At             string            // where the manifest names it; empty if it does not
	Parameters     facade.Parameters // secret values hidden
	Sites          []string          // flags of the sites it is bound to
	Phase          lifecycle.Phase   // the last one it came through
	Spent          time.Duration     // in its own steps
	Made           bool              // an instance was made
	Err            error             // what its steps failed with, joined
	Life           Life
}

// LibraryStatus is one library.
type LibraryStatus struct {
	Path           string // empty for the daemon binary
	ShipsWithMesos bool
	Isolation      manifest.Isolation // as of its modules
	Description    vehicle.Description
	Modules        []string // that may be used, in the order they were named
	Ended          LibraryEnd
	Life           Life // of its process
}

// LibraryEnd is how the closing of a library went.
type LibraryEnd struct {
	Outcome LibraryOutcome
	Why     string // not for LibraryOpen; for LibraryClosed only if its process was gone before
}

// LibraryOutcome says whether a library was closed.
type LibraryOutcome int

// The outcomes.
const (
	LibraryOpen     LibraryOutcome = iota // it is open
	LibraryClosed                         // it was closed
	LibraryFailed                         // closing it failed
	LibraryLeftOpen                       // code in it is still running
	LibraryStays                          // its vehicle cannot unload libraries
)

// String is the end as reports have it: "failed: no such handle". It is empty while
// the library is open.
func (e LibraryEnd) String() string {
	switch e.Outcome {
	case LibraryOpen:
		return ""
	case LibraryClosed:
		if e.Why != "" {
			return "closed: " + e.Why
		}
		return "closed"
	case LibraryFailed:
		return "failed: " + e.Why
	case LibraryLeftOpen:
		return "left open: " + e.Why
	case LibraryStays:
		return "stays: " + e.Why
	default:
		return fmt.Sprintf("outcome %d: %s", e.Outcome, e.Why)
	}
}

// Modules returns all modules: those in the books in plan order, or by name before
// there is a plan, then those that teardown has been through.
func (m *Manager) Modules() []ModuleStatus {
	m.mu.RLock()
	defer m.mu.RUnlock()
	place := map[*module]int{}
	for i, mod := range m.order {
		place[mod] = i + 1
	}
	var all []*module
	for _, lib := range slices.Concat(m.libraries, m.gone) {
		all = append(all, lib.modules...)
	}
	slices.SortStableFunc(all, func(a, b *module) int {
		return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a.name, b.name))
	})
	out := make([]ModuleStatus, len(all))
	for i, mod := range all {
		out[i] = m.statusOf(mod)
	}
	return out
}

// Module returns one module by name.
func (m *Manager) Module(name string) (ModuleStatus, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if mod := m.modules[name]; mod != nil {
		return m.statusOf(mod), true
	}
	return ModuleStatus{}, false
}

// Libraries returns all libraries: the open ones in load order, then those that
// teardown or unload has been through, in that order.
func (m *Manager) Libraries() []LibraryStatus {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []LibraryStatus
	for _, lib := range slices.Concat(m.libraries, m.gone) {
		s := LibraryStatus{Path: lib.path, ShipsWithMesos: lib.ships, Isolation: lib.isolation(), Description: lib.description, Ended: lib.ended, Life: lib.life()}
		for _, mod := range lib.modules {
			s.Modules = append(s.Modules, mod.name)
		}
		out = append(out, s)
	}
	return out
}

// isolation is where the library runs, as reports have it.
func (lib *library) isolation() manifest.Isolation {
	if lib.isolated {
		return manifest.IsolationProcess
	}
	return manifest.IsolationUnsaid
}

// statusOf is called with m.mu held.
func (m *Manager) statusOf(mod *module) ModuleStatus {
	s := ModuleStatus{
		Declared: mod.declared, Library: mod.library.path, Vehicle: mod.library.description.Vehicle,
		Isolation: mod.library.isolation(), OnFailure: mod.lost,
		ShipsWithMesos: mod.library.ships, At: mod.at, Parameters: mod.shown(),
		Phase: mod.phase, Spent: mod.spent, Made: mod.made, Err: mod.failed, Life: m.lifeOf(mod),
	}
	for _, site := range m.sites {
		if site.has[mod.name] {
			s.Sites = append(s.Sites, site.Flag)
		}
	}
	return s
}

// shown are the parameters as anybody may see them. m.mu is held.
func (mod *module) shown() facade.Parameters {
	shown := make(facade.Parameters, len(mod.parameters))
	for i, p := range mod.parameters {
		shown[i] = facade.Parameter(manifest.Parameter(p).Redacted(mod.secret(p.Key)))
	}
	return shown
}
