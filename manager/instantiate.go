package manager

import (
	"context"

	"github.com/mesos-modules/mms/lifecycle"
)

// Instantiate makes the modules that a site, a requirement or the role Anonymous
// needs, in plan order, each with its requirements handed in. Those of different
// processes are made at the same time. On an error everything made so far is torn
// down.
func (m *Manager) Instantiate(ctx context.Context) error {
	return m.seq.Do(ctx, lifecycle.Instantiate, m.instantiate)
}

func (m *Manager) instantiate(ctx context.Context) error {
	m.seq.Stack().Finally(m.onDemandAsNow())
	plan := m.Result().Plan
	required := map[string]bool{}
	for _, planned := range plan.Modules {
		for _, name := range planned.Requires {
			required[name] = true
		}
	}
	if err := m.makeAll(ctx, plan, required); err != nil {
		return err
	}
	m.nestOnDemand()
	return m.allAlive()
}

// onDemandAsNow returns what has instances that are made on demand lie where they do
// now, for when everything that this phase makes is gone: after a phase that was
// cancelled, others may still make instances.
func (m *Manager) onDemandAsNow() func() {
	m.mu.RLock()
	defer m.mu.RUnlock()
	before := m.adHoc
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.adHoc = before
	}
}

// nestOnDemand makes the stack for what is made on demand from now on: it lies on
// top of all that such an instance may use, and so is closed before.
func (m *Manager) nestOnDemand() {
	nested := m.seq.Stack().Nest()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.adHoc = nested
}

// makeShared makes the one instance of a module that the daemon and its requirers
// share. Requirers reach it through a handle.
func (m *Manager) makeShared(ctx context.Context, stack *lifecycle.Stack, mod *module, required bool) error {
	inst := m.newInstance(mod, mod.parameters, stack, false)
	if err := m.build(ctx, inst, required); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	mod.shared = inst
	return nil
}
