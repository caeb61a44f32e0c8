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
	made, closing, err := m.instance(ctx, mod, p)
	if err != nil {
		return nil, nil, err
	}
	return made.home, closing, nil
}

// instance makes one instance with a handle of its own. What the module requires
// and nobody in the daemon uses is made with it, and closed after it.
func (m *Manager) instance(ctx context.Context, mod *module, p facade.Parameters) (lent, func(context.Context) error, error) {
	others, giveBack, err := m.lend(ctx, mod)
	if err != nil {
		return lent{}, nil, err
	}
	m.mu.RLock()
	stack := m.adHoc
	m.mu.RUnlock()
	value, destroy, err := m.create(ctx, stack, mod, p, others)
	if err != nil {
		return lent{}, nil, errors.Join(err, giveBack(ctx))
	}
	h, drain, err := m.attached(ctx, stack, lifecycle.Instantiate, mod, value)
	if err != nil {
		return lent{}, nil, errors.Join(err, destroy.Run(ctx), giveBack(ctx))
	}
	return lent{h, value}, func(ctx context.Context) error {
		return errors.Join(drain.Run(ctx), destroy.Run(ctx), giveBack(ctx))
	}, nil
}

// lend makes instances of the required modules that have no shared one. An
// optional one is not made for this.
func (m *Manager) lend(ctx context.Context, mod *module) (others map[string]lent, giveBack func(context.Context) error, err error) {
	others = map[string]lent{}
	var closings []func(context.Context) error
	giveBack = func(ctx context.Context) error {
		var errs []error
		for _, closing := range slices.Backward(closings) {
			errs = append(errs, closing(ctx))
		}
		return errors.Join(errs...)
	}
	for _, other := range m.notShared(mod) {
		made, closing, err := m.instance(ctx, other, other.parameters)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("module %s requires %s: %w", mod.name, other.name, err), giveBack(ctx))
		}
		others[other.name] = made
		closings = append(closings, closing)
	}
	return others, giveBack, nil
}

// notShared returns the required modules of which there is no shared instance.
func (m *Manager) notShared(mod *module) (all []*module) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.result.Plan.Graph.Requirements(mod.name) {
		if other := m.modules[r.Module]; other.home == nil && r.Kind != depgraph.Optional && !slices.Contains(all, other) {
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
