package manager

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// library is one library in the books. What is not marked is set before it gets
// there and does not change.
type library struct {
	path        string // as reports show it; empty for the daemon binary
	file        vehicle.File
	ships       bool
	description vehicle.Description
	declared    map[string]int // from a module's name to its place in the description
	limits      manifest.Limits
	isolated    bool             // its code runs in a process of its own: open is a vehicle.Mortal
	process     manifest.Process // of one that is isolated

	// Guarded by Manager.mu.
	open    vehicle.Library
	down    *vehicle.GoneError // why its process ended, until another is in its place
	lives   lives              // of its process
	undo    *lifecycle.Undo    // closes it
	modules []*module          // those that may be used, in the order they were named
	ended   LibraryEnd
}

// module is one module in the books.
type module struct {
	name     string
	library  *library
	declared vehicle.Module

	// standsFor is the module of this name that the daemon is built with, and that
	// the manifest's takes the place of.
	standsFor *module

	// Guarded by Manager.mu.
	named      bool // the manifest names it; false for one that is just compiled in
	at         string
	parameters facade.Parameters
	own        facade.Parameters // those of parameters that the manifest gives
	limits     manifest.Limits
	onFailure  manifest.OnFailure
	lost       string          // what follows when it is lost, as the plan has it
	place      int             // in the plan's order
	phase      lifecycle.Phase // the last one it came through
	spent      time.Duration   // in its own steps
	shared     *instance       // the one that the daemon and its requirers share; nil until made
	givenUp    error           // why it is not started again after its process ended; nil if it is not
	lives      lives           // of its instances
	group      *group          // of whom the end of a process concerns as well; nil if none concerns it
	inside     int             // guarded steps that are in module code right now
	stuck      bool            // calls did not leave it
	made       bool
	failed     error
}

// shown is how errors and events call a library.
func (lib *library) shown() string {
	if lib.path == "" {
		return builtinName
	}
	return lib.path
}

// describe returns what the library says of one of its modules; a name alone if
// it has no such module, which is for verification to hold against it.
func (lib *library) describe(name string) vehicle.Module {
	if i, ok := lib.declared[name]; ok {
		return lib.description.Modules[i]
	}
	return vehicle.Module{Name: name}
}

// secret reports whether a parameter must not be shown, because the module says so
// or because it does not know the key: a slip in the key of a secret. Keys that
// look secret are not asked about here.
func (mod *module) secret(key string) bool {
	for _, spec := range mod.declared.Parameters {
		if spec.Key == key {
			return spec.Secret
		}
	}
	return mod.declared.HasSchema
}

// doing is a step of the module.
func (mod *module) doing(phase lifecycle.Phase, name string, limit time.Duration) lifecycle.Step {
	return lifecycle.Step{Phase: phase, Module: mod.name, Library: mod.library.shown(), Name: name, Limit: limit}
}

// enter runs module code and keeps count of who is inside: a step that was
// abandoned is inside until it comes back, and its library stays open.
func (m *Manager) enter(mod *module, do func() error) (err error) {
	m.count(mod, 1)
	defer m.count(mod, -1)
	return do()
}

func (m *Manager) count(mod *module, by int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mod.inside += by
}

// book keeps how long a step of the module took and what it failed with.
func (m *Manager) book(mod *module, began time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mod.spent += m.bus.Now().Sub(began)
	mod.failed = errors.Join(mod.failed, err)
}

// reached records that modules have come through a phase.
func (m *Manager) reached(p lifecycle.Phase, mods ...*module) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mod := range mods {
		mod.phase = p
	}
}

// busy says why a library cannot be closed; empty when it can. m.mu is held.
func (lib *library) busy() string {
	for _, mod := range lib.modules {
		switch {
		case mod.stuck:
			return fmt.Sprintf("calls into module %s did not return", mod.name)
		case mod.inside > 0:
			return fmt.Sprintf("a step of module %s was abandoned and is still running", mod.name)
		}
	}
	return ""
}

// enlist puts an open library into the books; undo closes it.
func (m *Manager) enlist(lib *library, opened vehicle.Library, undo *lifecycle.Undo) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lib.declared = make(map[string]int, len(lib.description.Modules))
	for i, d := range slices.Backward(lib.description.Modules) { // of two of one name the first counts
		lib.declared[d.Name] = i
	}
	lib.open, lib.undo = opened, undo
	m.libraries = append(m.libraries, lib)
}

// requirements returns what a module is to be handed, so far as it is in the books:
// teardown takes libraries out of them, and somebody may still ask for an instance, which
// he does not get. m.mu is held.
func (m *Manager) requirements(mod *module) []depgraph.Requirement {
	return slices.DeleteFunc(m.result.Plan.Graph.Requirements(mod.name), func(r depgraph.Requirement) bool {
		return m.modules[r.Module] == nil
	})
}

// openOf is the library as it is open now: one whose process was started again is
// another.
func (m *Manager) openOf(lib *library) vehicle.Library {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return lib.open
}

// strike takes a library and its modules out of the books. The modules named here
// were struck before.
func (m *Manager) strike(lib *library) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mod := range lib.modules {
		delete(m.modules, mod.name)
	}
	m.libraries = slices.DeleteFunc(m.libraries, func(x *library) bool { return x == lib })
	m.gone = append(m.gone, lib)
}

// moduleOf returns a module by name, or nil.
func (m *Manager) moduleOf(name string) *module {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.modules[name]
}

func (m *Manager) libraryByIdentity(id vehicle.Identity) *library {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, lib := range m.libraries {
		if !lib.ships && lib.file.Identity == id {
			return lib
		}
	}
	return nil
}

// libraryOf returns the library of a module, as events call it.
func (m *Manager) libraryOf(name string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if mod := m.modules[name]; mod != nil {
		return mod.library.shown()
	}
	return ""
}
