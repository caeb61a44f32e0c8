package manager

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"go.uber.org/fx"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/roles"
)

// Options are what a daemon's fx app includes. They provide the *Manager, append
// the four phases as hooks, and provide every binding site of the daemon whose role
// has an interface:
//
//   - a site of one as the role's type, the first of a role without a name, further
//     ones under their name;
//   - a site of a list as a slice of the role's type, in flag order (an fx value
//     group would shuffle them);
//   - a site of each as a [Factory] of the role's type;
//   - a site of each of several as a slice of factories, in flag order.
//
// No constructor does work. Whoever takes a site depends on the manager, so his
// hooks are appended later: he starts after bind and stops before unbind. The
// limits of fx are set above the sum of ours. main defers [Manager.Close], because
// fx leaves finished phases undone after a start that hit its deadline.
func (m *Manager) Options() fx.Option {
	options := []fx.Option{
		m.timeouts(),
		fx.Provide(m.hooked),
		fx.Invoke(func(*Manager) {}), // also when nobody takes a site: anonymous modules run for themselves
	}
	for _, s := range m.sites {
		if provided := s.provided(m); provided != nil {
			options = append(options, provided)
		}
	}
	return fx.Options(options...)
}

// hooked gives the manager to fx with its phases appended.
func (m *Manager) hooked(lc fx.Lifecycle) *Manager {
	m.seq.Hooks(lc, lifecycle.Work{Load: m.loadAll, Verify: m.verify, Instantiate: m.instantiate, Bind: m.bind})
	return m
}

// provided is the fx option of one site. The function it gives to fx has to return
// the role's own type, which is known at run time only.
func (s *site) provided(m *Manager) fx.Option {
	if s.role.Type == nil || s.Takes == roles.All {
		return nil
	}
	value := s.value(m)
	constructor := reflect.MakeFunc(
		reflect.FuncOf([]reflect.Type{reflect.TypeFor[*Manager]()}, []reflect.Type{value.Type()}, false),
		func([]reflect.Value) []reflect.Value { return []reflect.Value{value} }).Interface()
	if s.Name == "" {
		return fx.Provide(constructor)
	}
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(`name:"`+s.Name+`"`)))
}

// value is what the daemon takes: a handle, a slice of handles, or a factory.
func (s *site) value(m *Manager) reflect.Value {
	switch s.Takes {
	case roles.One:
		return as(s.handles[0], s.role.Type)
	case roles.List:
		list := reflect.MakeSlice(reflect.SliceOf(s.role.Type), 0, len(s.handles))
		for _, h := range s.handles {
			list = reflect.Append(list, as(h, s.role.Type))
		}
		return list
	case roles.Each:
		module := ""
		if len(s.names) > 0 {
			module = s.names[0]
		}
		return s.typedFactory(m, module)
	case roles.EachOf:
		list := reflect.MakeSlice(reflect.SliceOf(s.factoryType()), 0, len(s.names))
		for _, module := range s.names {
			list = reflect.Append(list, s.typedFactory(m, module))
		}
		return list
	default:
		panic(fmt.Sprintf("manager: site --%s takes %v, which nobody can be given", s.Flag, s.Takes))
	}
}

// as is v as a value of the interface type t.
func as(v any, t reflect.Type) reflect.Value { return reflect.ValueOf(v).Convert(t) }

// factoryType is Factory[T] for the role's T.
func (s *site) factoryType() reflect.Type {
	return reflect.FuncOf([]reflect.Type{reflect.TypeFor[context.Context](), reflect.TypeFor[facade.Parameters]()},
		[]reflect.Type{s.role.Type, reflect.TypeFor[func(context.Context) error](), reflect.TypeFor[error]()}, false)
}

// typedFactory makes instances of a module as a Factory[T] for the role's T.
func (s *site) typedFactory(m *Manager, module string) reflect.Value {
	var (
		closing = reflect.TypeFor[func(context.Context) error]()
		failure = reflect.TypeFor[error]()
		untyped = m.factory(s, module)
	)
	return reflect.MakeFunc(s.factoryType(), func(args []reflect.Value) []reflect.Value {
		instance, done, err := untyped(args[0].Interface().(context.Context), args[1].Interface().(facade.Parameters))
		result := []reflect.Value{reflect.Zero(s.role.Type), reflect.Zero(closing), reflect.Zero(failure)}
		if err != nil {
			result[2] = as(err, failure)
			return result
		}
		result[0], result[1] = as(instance, s.role.Type), reflect.ValueOf(done)
		return result
	})
}

// timeouts keep fx's own limits out of the way: a step that hangs meets its own.
func (m *Manager) timeouts() fx.Option {
	var up, down []time.Duration
	for _, mf := range m.cfg.Manifests {
		for _, lib := range mf.Libraries {
			l := limitsOr(lib.Limits, m.cfg.Limits)
			up = append(up, trial.Longest(l.Open), l.Open)
			down = append(down, l.Close)
			for _, mod := range lib.Modules {
				l := limitsOr(mod.Limits, l)
				up = append(up, l.Check, l.Create)
				down = append(down, l.Drain, l.Drain, l.Close)
			}
		}
	}
	for range m.builtinModules() {
		up = append(up, m.cfg.Limits.Check, m.cfg.Limits.Create)
		down = append(down, m.cfg.Limits.Drain, m.cfg.Limits.Drain, m.cfg.Limits.Close)
	}
	return m.runner.Timeouts(up, down)
}

func (m *Manager) builtinModules() (all []facade.Declared) {
	for _, lib := range m.cfg.Builtin {
		all = append(all, lib.Modules...)
	}
	return all
}
