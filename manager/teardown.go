package manager

import (
	"context"
	"fmt"
	"slices"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// closeLibrary is the end of a library: out of the books, and closed where that
// is possible. One with a call inside stays open, as its code is still running.
func (m *Manager) closeLibrary(lib *library, opened vehicle.Library) error {
	m.strike(lib)
	m.mu.RLock()
	busy := lib.busy()
	m.mu.RUnlock()
	if busy != "" {
		m.endedAs(lib, "left open: "+busy)
		return nil
	}
	if err := opened.Close(); err != nil {
		m.endedAs(lib, "failed: "+err.Error())
		return err
	}
	if opened.Unloads() {
		m.endedAs(lib, "closed")
	} else {
		m.endedAs(lib, "stays: "+lib.description.Vehicle+" libraries cannot be unloaded")
	}
	return nil
}

func (m *Manager) endedAs(lib *library, how string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lib.ended = how
}

// Unload undoes the naming of one module, and closes its library when nothing
// else of it is named. It is possible until Verify. Unknown and already unloaded
// names are errors.
func (m *Manager) Unload(ctx context.Context, name string) error {
	mod := m.moduleOf(name)
	if mod == nil {
		return fmt.Errorf("unload module %s: no such module is loaded", name)
	}
	if state := m.State(); state != lifecycle.Loaded {
		return fmt.Errorf("unload module %s: possible until verification, and the state is %q", name, state)
	}
	m.mu.Lock()
	m.unname(mod)
	var undos []*lifecycle.Undo
	if len(mod.library.modules) == 0 && !mod.library.ships {
		undos = append(undos, mod.library.undo)
	}
	m.mu.Unlock()
	if err := m.seq.Unload(ctx, undos...); err != nil {
		return fmt.Errorf("unload module %s: %w", name, err)
	}
	return nil
}

// unname takes a module out of the books. m.mu is held.
func (m *Manager) unname(mod *module) {
	delete(m.modules, mod.name)
	lib := mod.library
	lib.modules = slices.DeleteFunc(lib.modules, func(x *module) bool { return x == mod })
}
