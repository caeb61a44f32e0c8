package moduletest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/verify"
)

// unknownKey is a parameter that no module declares.
const unknownKey = "moduletest_no_such_parameter"

// moduleChecks are what every module promises, whatever its role.
func moduleChecks() []check {
	return []check{
		{"nothing is held against it", func(b *bench) {
			assert.Empty(b, b.kit().Verify(b.module))
		}},
		{"its name keeps the naming rule", wellNamed},
		{"it goes through all phases and back", func(b *bench) {
			k := b.kit()
			require.NoError(b, k.Start(b.module))
			k.Close()
		}},
		{"New gives up when its ctx ends", func(b *bench) {
			k := b.kit(CancelNew(), Limits(manifest.Limits{Create: b.o.patience}))
			err := k.Start(b.module)
			assert.NotErrorIs(b, err, lifecycle.ErrAbandoned)
			assert.NotErrorIs(b, err, context.DeadlineExceeded, "New waits for something that its ctx does not end")
			noPanic(b, err)
		}},
		{"New without a state folder is an instance or an error", func(b *bench) {
			noPanic(b, b.kit(FailStateDir(fmt.Errorf("the disk is full"))).Start(b.module))
		}},
		{"New may be called several times, and closing one instance leaves the others alone", instances},
		{"what hangs on the lifetime ends with it, and Close still works", func(b *bench) {
			k := b.kit()
			require.NoError(b, k.Start(b.module))
			k.EndLifetime()
			k.Close()
		}},
		{"parameters that it does not declare are refused", func(b *bench) {
			k := b.kit(Parameter(b.module, unknownKey, "1"))
			if moduleIn(k.described, b.module).HasSchema {
				k.RequireFinding("parameters")
				return
			}
			noPanic(b, k.Start(b.module)) // it takes any key
		}},
		{"secret parameters are shown nowhere", secretsHidden},
	}
}

func wellNamed(b *bench) {
	assert.True(b, verify.WellNamed(b.module), "%s: a module is called after a reversed domain, with underscores, so that names never clash: org_example_calculator", b.module)
}

// noPanic is for what may fail, but not in any way.
func noPanic(b *bench, err error) {
	b.Helper()
	var panicked *lifecycle.PanicError
	if errors.As(err, &panicked) {
		b.Errorf("%v", err)
	}
}

// minSecret is below what a value is too likely to stand somewhere by chance.
const minSecret = 4

// secretsHidden looks for the values of secret parameters in all that anybody reads.
func secretsHidden(b *bench) {
	k := b.kit()
	m := moduleIn(k.described, b.module)
	secret := func(key string) bool {
		for _, spec := range m.Parameters {
			if spec.Key == key {
				return spec.Secret
			}
		}
		return !m.HasSchema && manifest.LooksSecret(key)
	}
	var secrets []string
	for _, p := range k.o.parameters[b.module] {
		if secret(p.Key) && len(p.Value) >= minSecret {
			secrets = append(secrets, p.Value)
		}
	}
	err := k.Start(b.module)
	silent(b, k, secrets, err)

	failing := b.kit(FailStateDir(errors.New("the disk is full")), CancelNew())
	err = failing.Start(b.module)
	silent(b, failing, secrets, err)
}

// instances makes several, at once and in turn.
func instances(b *bench) {
	k := b.kit()
	k.begin([]string{b.module}, bindEach)
	require.NoError(b, k.through(lifecycle.Bind))
	create := factoryOf(b, k)
	closeFirst, err := create()
	require.NoError(b, err)
	closeSecond, err := create()
	require.NoError(b, err, "New the second time")
	require.NoError(b, closeFirst(), "close the first of two")

	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			closing, err := create()
			if assert.NoError(b, err, "New at the same time as others") {
				assert.NoError(b, closing())
			}
		})
	}
	all.Wait()
	require.NoError(b, closeSecond(), "close the second of two")
}

// factoryOf is what a site gets that wants an instance for each use: a
// manager.Factory of the role, which is known at run time only.
func factoryOf(b *bench, k *Kit) func() (closing func() error, err error) {
	factory := reflect.New(reflect.FuncOf(
		[]reflect.Type{reflect.TypeFor[context.Context](), reflect.TypeFor[facade.Parameters]()},
		[]reflect.Type{b.role.Type, reflect.TypeFor[func(context.Context) error](), reflect.TypeFor[error]()}, false))
	require.NoError(b, fx.New(fx.NopLogger, k.m.Options(), fx.Populate(factory.Interface())).Err())
	return func() (func() error, error) {
		out := factory.Elem().Call([]reflect.Value{reflect.ValueOf(b.Context()), reflect.Zero(reflect.TypeFor[facade.Parameters]())})
		if err, _ := out[2].Interface().(error); err != nil {
			return nil, err
		}
		closing := out[1].Interface().(func(context.Context) error)
		return func() error { return closing(context.Background()) }, nil
	}
}
