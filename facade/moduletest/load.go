package moduletest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.uber.org/fx"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
)

// Load takes a module through all phases and returns what a daemon would hold of it:
// the handle of a binding site, behind which a panic is an error. The test fails, with
// every finding, if a phase does. T is the role's interface.
//
// The test is the daemon: it calls what the daemon would, in the order the contract on
// the interface says; nobody else does, and so nobody runs an Anonymous module but the
// test. ([Kit.Start] leaves it to the daemon.)
//
// Loading the same module again returns the same handle. A kit is for one module; what
// it requires is given by [With].
func Load[T any](k *Kit, module string) T {
	k.t.Helper()
	instance, err := TryLoad[T](k, module)
	if err != nil {
		k.t.Fatalf("load module %s: %v", module, err)
	}
	return instance
}

// TryLoad is [Load] for tests that expect it to fail. What verification holds against
// the module is a *finding.Error.
func TryLoad[T any](k *Kit, module string) (T, error) {
	k.t.Helper()
	var instance T
	role, ok := roleOf(reflect.TypeFor[T]())
	if !ok {
		return instance, fmt.Errorf("%v is not the interface of any role; \"mesos-module roles\" lists them", reflect.TypeFor[T]())
	}
	if m := moduleIn(k.described, module); m.Name != "" && m.Role != role.Name {
		return instance, fmt.Errorf("the module fulfils the role %s, and %s (%v) was asked for", m.Role, role.Name, role.Type)
	}
	k.begin([]string{module}, bindTest)
	if err := k.through(lifecycle.Bind); err != nil {
		return instance, err
	}
	// The options provide the handles. Nothing is started: the phases are done.
	app := fx.New(fx.NopLogger, k.m.Options(), fx.Populate(&instance))
	return instance, app.Err()
}

// Create makes another instance of a module that is loaded, as a daemon does for sites
// that want one per use. Without parameters it is made with those of the kit. It is
// closed with the kit, or before by calling closing.
func Create[T any](k *Kit, module string, parameters ...facade.Parameter) (instance T, closing func() error, err error) {
	k.t.Helper()
	if k.m == nil {
		fail(k.t, "create an instance of %s: load the module first", module)
	}
	instance, done, err := manager.Create[T](k.t.Context(), k.m, module, parameters)
	if err != nil {
		return instance, nil, err
	}
	return instance, func() error { return done(context.Background()) }, nil
}

// Start takes modules through all phases as a daemon does: bound to the sites that
// their roles have there, and Anonymous modules running. It returns what went wrong.
func (k *Kit) Start(modules ...string) error {
	k.t.Helper()
	k.begin(modules, bindSites)
	return k.through(lifecycle.Bind)
}

// Verify loads and verifies modules and returns what is held against them; without
// names, all modules of the library. Nothing is instantiated. A kit that verified one
// module, and found nothing, goes on with [Load].
func (k *Kit) Verify(modules ...string) []finding.Finding {
	k.t.Helper()
	if len(modules) == 0 {
		for _, m := range k.described.Modules {
			modules = append(modules, m.Name)
		}
	}
	b := bindNone
	if len(modules) == 1 {
		b = bindTest
	}
	k.begin(modules, b)
	err := k.through(lifecycle.Verify)
	var found *finding.Error
	switch {
	case errors.As(err, &found):
		return found.Findings
	case err != nil:
		k.t.Fatalf("verify: %v", err)
	}
	return nil
}

// RequireFinding verifies all modules of the library, unless the kit has been through
// verification, and ends the test unless the rule finds something. It returns the
// first such finding.
func (k *Kit) RequireFinding(rule finding.Rule) finding.Finding {
	k.t.Helper()
	var found []finding.Finding
	if k.m == nil {
		found = k.Verify()
	} else {
		found = k.m.Result().Findings
	}
	for _, f := range found {
		if f.Rule == rule {
			return f
		}
	}
	k.t.Fatalf("the rule %s finds nothing; what was found:\n%v", rule, (&finding.Error{Findings: found}).Error())
	return finding.Finding{}
}

// begin makes the manager for a set of modules, or goes on with the one made for it.
func (k *Kit) begin(set []string, b binding) {
	k.t.Helper()
	if k.closed {
		fail(k.t, "the kit is closed")
	}
	if k.m != nil {
		if !slices.Equal(k.set, set) {
			fail(k.t, "this kit is for %v, and %v was asked for: one kit drives one module; make another, or give what the module requires by With", k.set, set)
		}
		return
	}
	m, err := manager.New(k.config(set, b))
	if err != nil {
		fail(k.t, "%v", err)
	}
	k.m, k.set = m, slices.Clone(set)
}

// through goes through the phases up to the last one, from where the kit stands.
func (k *Kit) through(last lifecycle.Phase) error {
	for _, step := range []struct {
		before lifecycle.State
		phase  lifecycle.Phase
		do     func(context.Context) error
	}{
		{lifecycle.New, lifecycle.Load, func(ctx context.Context) error { return k.m.Load(ctx, k.manifest(k.set)) }},
		{lifecycle.Loaded, lifecycle.Verify, k.m.Verify},
		{lifecycle.Verified, lifecycle.Instantiate, k.m.Instantiate},
		{lifecycle.Instantiated, lifecycle.Bind, k.m.Bind},
	} {
		if k.m.State() == step.before && step.phase <= last {
			if err := step.do(k.t.Context()); err != nil {
				return k.explain(err)
			}
		}
	}
	return nil
}
