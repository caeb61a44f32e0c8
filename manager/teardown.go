package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// closeLibrary is the end of a library: out of the books, and closed where that
// is possible. One with a call inside stays open, as its code is still running; in a
// process of its own that ends with it.
func (m *Manager) closeLibrary(lib *library, opened vehicle.Library) error {
	m.strike(lib)
	m.mu.RLock()
	busy := lib.busy()
	m.mu.RUnlock()
	if busy != "" && !lib.isolated {
		m.endedAs(lib, LibraryLeftOpen, busy)
		return nil
	}
	if gone := goneFrom(opened); gone != nil {
		_ = opened.Close() // gives back what is left of it; that it is gone is no failure
		m.endedAs(lib, LibraryClosed, "its process was gone: "+gone.Detail)
		return nil
	}
	if err := opened.Close(); err != nil {
		m.endedAs(lib, LibraryFailed, err.Error())
		return err
	}
	if opened.Unloads() {
		m.endedAs(lib, LibraryClosed, "")
	} else {
		m.endedAs(lib, LibraryStays, lib.description.Vehicle+" libraries cannot be unloaded")
	}
	return nil
}

func (m *Manager) endedAs(lib *library, how LibraryOutcome, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lib.ended = LibraryEnd{how, why}
}

// Unload undoes the naming of one module, and closes its library when nothing
// else of it is named. It is possible until Verify. Unknown and already unloaded
// names are errors.
func (m *Manager) Unload(ctx context.Context, name string) error {
	if m.moduleOf(name) == nil {
		return fmt.Errorf("unload module %s: no such module is loaded", name)
	}
	if state := m.State(); state != lifecycle.Loaded {
		return fmt.Errorf("unload module %s: possible until verification, and the state is %q", name, state)
	}
	err := m.seq.Unload(ctx, func() ([]*lifecycle.Undo, error) { return m.freedBy(name) })
	if err != nil {
		return fmt.Errorf("unload module %s: %w", name, err)
	}
	return nil
}

// freedBy undoes the naming of a module and returns what closes its library, if
// nothing else of it is named. Somebody else may have unloaded it meanwhile.
func (m *Manager) freedBy(name string) ([]*lifecycle.Undo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mod := m.modules[name]
	if mod == nil {
		return nil, errors.New("no such module is loaded any more")
	}
	m.unname(mod)
	if lib := mod.library; len(lib.modules) == 0 && !lib.ships {
		return []*lifecycle.Undo{lib.undo}, nil
	}
	return nil, nil
}

// register puts a module into the books. m.mu is held.
func (m *Manager) register(mod *module) {
	m.modules[mod.name] = mod
	mod.library.modules = append(mod.library.modules, mod)
}

// unname takes a module out of the books; the one that it stood for is back in them.
// m.mu is held.
func (m *Manager) unname(mod *module) {
	delete(m.modules, mod.name)
	lib := mod.library
	lib.modules = slices.DeleteFunc(lib.modules, func(x *module) bool { return x == mod })
	if mod.standsFor != nil {
		m.register(mod.standsFor)
	}
}
