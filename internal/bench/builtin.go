package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"go.uber.org/fx"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

const (
	many   = 1000
	stride = 10 // each requires the one so many before it
)

func measureBuiltin(_ context.Context, b *bench) error {
	figures, err := b.meter.interleave(
		subject{name: "ours", run: manyModules},
		subject{name: "fx app: New, Start, Stop", run: manyConstructors},
	)
	if err != nil {
		return err
	}
	b.add(line{what: "1 000 builtin modules, load to bind and teardown", ours: figures[0], theirs: figures[1],
		target: "under 25 ms, and faster", limit: 25e6, under: 1})
	return nil
}

// manyModules takes a thousand modules through all phases and back. Each is bound to a site, and requires another one by
// a constraint.
func manyModules(b *testing.B) error {
	library := facade.Library{}
	binding := verify.Binding{Flag: "calculator"}
	for i := range many {
		m := facade.Module[calculator.Calculator]{Name: fmt.Sprintf("org_example_adder_%04d", i), Version: "1.0.0",
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				return &closer{}, nil
			}}
		if i >= stride {
			m.Requires = []facade.Requirement{{Module: fmt.Sprintf("org_example_adder_%04d", i-stride), Version: ">=1"}}
		}
		library.Modules = append(library.Modules, m)
		binding.Refs = append(binding.Refs, verify.Ref{Name: m.Name})
	}
	for b.Loop() {
		m, err := manager.New(manager.Config{Daemon: roles.Slave, WorkDir: "/", Builtin: []facade.Library{library}, Bindings: []verify.Binding{binding}})
		if err != nil {
			return err
		}
		if err := errors.Join(m.Start(b.Context()), m.Close()); err != nil {
			return err
		}
	}
	return nil
}

// closer is a module with something to give back.
type closer struct{ adder }

func (*closer) Close(context.Context) error { return nil }

// manyConstructors is the same in fx, as cheap as it goes: each constructor has a result type of its own, takes the one
// that lies a stride before it, and appends a hook.
func manyConstructors(b *testing.B) error {
	options := []fx.Option{fx.NopLogger}
	for i := range many {
		options = append(options, fx.Provide(constructor(i)))
	}
	var last []reflect.Type
	for i := many - stride; i < many; i++ {
		last = append(last, kind(i))
	}
	all := reflect.MakeFunc(reflect.FuncOf(last, nil, false), func([]reflect.Value) []reflect.Value { return nil })
	options = append(options, fx.Invoke(all.Interface()))
	for b.Loop() {
		app := fx.New(options...)
		if err := errors.Join(app.Err(), app.Start(b.Context()), app.Stop(b.Context())); err != nil {
			return err
		}
	}
	return nil
}

// kind is a type of which there is one for each i.
func kind(i int) reflect.Type {
	return reflect.PointerTo(reflect.ArrayOf(i+1, reflect.TypeFor[byte]()))
}

func constructor(i int) any {
	in := []reflect.Type{reflect.TypeFor[fx.Lifecycle]()}
	if i >= stride {
		in = append(in, kind(i-stride))
	}
	return reflect.MakeFunc(reflect.FuncOf(in, []reflect.Type{kind(i)}, false), func(args []reflect.Value) []reflect.Value {
		nothing := func(context.Context) error { return nil }
		args[0].Interface().(fx.Lifecycle).Append(fx.Hook{OnStart: nothing, OnStop: nothing})
		return []reflect.Value{reflect.New(kind(i).Elem())}
	}).Interface()
}
