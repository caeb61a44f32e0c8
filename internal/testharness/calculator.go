package testharness

import (
	"context"
	"errors"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
)

// Calculator makes a module of the role Calculator that writes into a journal when
// it is made ("new NAME"), called ("call NAME") and closed ("close NAME"). The
// functions replace what it does there; nil means that it just works: Compute adds.
type Calculator struct {
	Name, Version string
	Requires      []facade.Requirement
	After         []string
	Conflicts     []facade.Conflict
	Schema        facade.Schema

	Check   func(context.Context, facade.View) error
	New     func(context.Context, facade.Host, facade.Parameters) error
	Compute func(context.Context, byte, int64) (int32, error)
	Close   func(context.Context) error
}

// In returns the declaration, which writes into j.
func (c Calculator) In(j *Journal) facade.Declared {
	return facade.Module[calculator.Calculator]{
		Name: c.Name, Version: c.Version, Requires: c.Requires, After: c.After, Conflicts: c.Conflicts,
		Parameters: c.Schema, Compatible: c.Check,
		New: func(ctx context.Context, host facade.Host, p facade.Parameters) (calculator.Calculator, error) {
			j.Add("new " + c.Name)
			if c.New != nil {
				if err := c.New(ctx, host, p); err != nil {
					return nil, err
				}
			}
			return &instance{c, j}, nil
		},
	}
}

type instance struct {
	c Calculator
	j *Journal
}

func (i *instance) Compute(ctx context.Context, a byte, b int64) (int32, error) {
	i.j.Add("call " + i.c.Name)
	if i.c.Compute != nil {
		return i.c.Compute(ctx, a, b)
	}
	return int32(a) + int32(b), nil
}

func (i *instance) Close(ctx context.Context) error {
	i.j.Add("close " + i.c.Name)
	if i.c.Close != nil {
		return i.c.Close(ctx)
	}
	return nil
}

// Library puts modules together.
func Library(modules ...facade.Declared) facade.Library { return facade.Library{Modules: modules} }

// ErrBroken is what test modules fail with.
var ErrBroken = errors.New("broken on purpose")

// Requires is a requirement of a module by name.
func Requires(module, version string) facade.Requirement {
	return facade.Requirement{Module: module, Version: version}
}
