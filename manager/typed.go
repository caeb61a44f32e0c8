package manager

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
)

// Factory makes instances of the module that a site of cardinality Each is bound
// to. Parameters tell the module of this use: those that it declares reach it, unless
// the manifest gives them, which has the last word. The
// caller closes each instance, once, with the function he gets; what he forgets is
// closed by teardown. The instance is a handle: a panic in it is an error.
//
// It is an alias, so that fx can provide it for every role of the table.
type Factory[T any] = func(ctx context.Context, p facade.Parameters) (instance T, closing func(context.Context) error, err error)

// ErrPhase is returned for what can only be had in another phase.
var ErrPhase = errors.New("not in this phase")

// LoadModule makes an instance of a module by name, as the module system's design
// document has it: ModuleManager::loadModule<Calculator>("example"). It may be
// called from the end of the verify phase until teardown begins. The caller closes
// what he gets by calling closing, once; teardown closes what was forgotten.
func LoadModule[T any](ctx context.Context, m *Manager, name string) (instance T, closing func(context.Context) error, err error) {
	return Create[T](ctx, m, name, nil)
}

// Create is LoadModule with parameters that replace those of the manifest, all of
// them. nil leaves the manifest's.
func Create[T any](ctx context.Context, m *Manager, name string, p facade.Parameters) (instance T, closing func(context.Context) error, err error) {
	made, closing, err := m.createOnDemand(ctx, reflect.TypeFor[T](), name, p)
	if err != nil {
		return instance, nil, err
	}
	return made.(T), closing, nil
}

// Contains reports whether a module of this name is loaded and fulfils the role T.
func Contains[T any](m *Manager, name string) bool {
	role, ok := m.roleOf(reflect.TypeFor[T]())
	mod := m.moduleOf(name)
	return ok && mod != nil && mod.declared.Role == role.Name
}

// Find returns the names of all loaded modules that fulfil the role T, sorted.
func Find[T any](m *Manager) []string {
	role, ok := m.roleOf(reflect.TypeFor[T]())
	if !ok {
		return nil
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	var names []string
	for name, mod := range m.modules {
		if mod.declared.Role == role.Name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// createOnDemand makes an instance that is not in the plan, behind a handle of its
// own.
func (m *Manager) createOnDemand(ctx context.Context, t reflect.Type, name string, p facade.Parameters) (any, func(context.Context) error, error) {
	mod, err := m.makeable(t, name)
	if err != nil {
		return nil, nil, err
	}
	if p == nil {
		p = mod.parameters
	} else if errs := facade.MakeSchema(mod.declared.Parameters).Check(p); mod.declared.HasSchema && len(errs) > 0 {
		return nil, nil, fmt.Errorf("module %s: %w", name, errors.Join(errs...))
	}
	m.mu.RLock()
	stack := m.adHoc
	m.mu.RUnlock()
	inst, err := m.handedOut(ctx, mod, p, stack.Nest(), false)
	if err != nil {
		return nil, nil, err
	}
	return inst.bindings[0].handle, inst.outer.Leave, nil
}

// handedOut makes one instance with a handle of its own; whoever asked for it gives it
// back by leaving its stack, which is done here when it fails.
func (m *Manager) handedOut(ctx context.Context, mod *module, p facade.Parameters, stack *lifecycle.Stack, private bool) (*instance, error) {
	inst := m.newInstance(mod, p, stack, private)
	if err := m.build(ctx, inst, true); err != nil {
		return nil, errors.Join(err, stack.Leave(ctx))
	}
	return inst, nil
}

// lend makes instances of the modules that a filling requires and that have no shared
// one. An optional one is not made for this.
func (m *Manager) lend(ctx context.Context, f *filling) (map[string]*instance, error) {
	others := map[string]*instance{}
	for _, other := range m.notShared(f.by) {
		made, err := m.handedOut(ctx, other, other.parameters, f.stack.Nest(), true)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("module %s requires %s: %w", f.by.name, other.name, err), f.stack.Leave(ctx))
		}
		others[other.name] = made
	}
	return others, nil
}

// notShared returns the required modules of which there is no shared instance.
func (m *Manager) notShared(mod *module) (all []*module) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.requirements(mod) {
		if other := m.modules[r.Module]; other.shared == nil && r.Kind != depgraph.Optional && !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	return all
}

// makeable returns the module if an instance of it can be had as a t now.
func (m *Manager) makeable(t reflect.Type, name string) (*module, error) {
	mod := m.moduleOf(name)
	if mod == nil {
		return nil, fmt.Errorf("module %s: no such module is loaded", name)
	}
	role, ok := m.roleOf(t)
	if !ok {
		return nil, fmt.Errorf("module %s: %v is not the interface of any role", name, t)
	}
	if mod.declared.Role != role.Name {
		return nil, fmt.Errorf("module %s fulfils the role %s, and %s (%v) was asked for", name, mod.declared.Role, role.Name, t)
	}
	switch m.State() {
	case lifecycle.Verified, lifecycle.Instantiating, lifecycle.Instantiated, lifecycle.Binding, lifecycle.Bound:
		return mod, nil
	default:
		return nil, fmt.Errorf("module %s: an instance can be made after verification and until teardown, and the state is %q: %w", name, m.State(), ErrPhase)
	}
}

// factory is what a site of cardinality Each gives to the daemon, and one of
// EachOf for each of its modules. Without a module it says so when it is used.
func (m *Manager) factory(s *site, module string) func(context.Context, facade.Parameters) (any, func(context.Context) error, error) {
	return func(ctx context.Context, p facade.Parameters) (any, func(context.Context) error, error) {
		if module == "" {
			return nil, nil, fmt.Errorf("nothing is bound to --%s: name a module of role %s", s.Flag, s.role.Name)
		}
		if mod := m.moduleOf(module); mod != nil && p != nil {
			m.mu.RLock()
			p = mod.atSite(p)
			m.mu.RUnlock()
		}
		return m.createOnDemand(ctx, s.role.Type, module, p)
	}
}
