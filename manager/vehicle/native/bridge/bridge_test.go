package bridge

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle/native/bridge/internal/objects"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func TestEveryNativeRoleHasABridge(t *testing.T) {
	for _, r := range roles.Table() {
		assert.Equal(t, r.Native, wrapper(r.Name) != nil, r.Name)
	}
	_, err := Wrap("Allocator", objects.Object("adder"))
	assert.EqualError(t, err, "role Allocator is not for native modules")
}

func TestWrapLooksAtTheHead(t *testing.T) {
	for object, want := range map[string]string{
		"nothing":   "there is no object: the pointer is null",
		"tableless": "the object has no role table: it must begin with a pointer to its Calculator table",
		"text":      "the object does not begin with a role table: no magic; create has to return an object that begins with a pointer to its Calculator table",
		"tiny":      "the object's role table says it has 8 bytes, which cannot be",
		"huge":      "the object's role table says it has 2147483647 bytes, which cannot be",
		"roleless":  "the object's role table names no role",
		"nameless":  "the object's role table names a role that is empty or longer than 127 bytes",
		"endless":   "the object's role table names a role that is empty or longer than 127 bytes",
		"whole":     `the object is of the role "TestModule", and the module declares the role "Calculator"`,
		"stranger":  "the object is of the role \"Alloc\ufffdtor\", and the module declares the role \"Calculator\"",
		"hollow":    "the object's Calculator table has no function compute, which the role always had",
		"short":     "the object's Calculator table has no function compute, which the role always had",
	} {
		t.Run(object, func(t *testing.T) {
			instance, err := Wrap("Calculator", objects.Object(object))
			assert.Nil(t, instance)
			assert.EqualError(t, err, want)
		})
	}
}

func TestScalarCalls(t *testing.T) {
	ctx := context.Background()
	v, err := wrapped[calculator.Calculator](t, "Calculator", "adder").Compute(ctx, 'A', 10)
	require.NoError(t, err)
	assert.EqualValues(t, 75, v)

	whole := wrapped[testmodule.TestModule](t, "TestModule", "whole")
	for name, call := range map[string]func() (int32, error){
		"foo takes what is no ASCII": func() (int32, error) { return whole.Foo(ctx, 255, -1) },
		"bar takes fractions":        func() (int32, error) { return whole.Bar(ctx, 0.5, 508) },
		"baz goes below zero":        func() (int32, error) { return whole.Baz(ctx, -254, 508) },
	} {
		v, err := call()
		require.NoError(t, err, name)
		assert.EqualValues(t, 254, v, name)
	}
	v, err = whole.Baz(ctx, -5, -10)
	require.NoError(t, err)
	assert.EqualValues(t, -15, v)
}

func TestACallDoesNotAllocate(t *testing.T) {
	c := wrapped[calculator.Calculator](t, "Calculator", "adder")
	ctx := context.Background()
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = c.Compute(ctx, 1, 2) }))
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	refuser := wrapped[calculator.Calculator](t, "Calculator", "refuser")

	t.Run("carry the module's reason", func(t *testing.T) {
		v, err := refuser.Compute(ctx, 1, 42)
		assert.Zero(t, v)
		var failed *CallError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, CallError{Role: "Calculator", Method: "Compute", Text: "no digits left for 42", Code: 1}, *failed)
		assert.EqualError(t, err, "no digits left for 42")
	})
	t.Run("say so if there is none", func(t *testing.T) {
		_, err := refuser.Compute(ctx, 0, 0)
		assert.EqualError(t, err, "Calculator.Compute failed with code 7 and gave no reason")
	})
	t.Run("are valid UTF-8", func(t *testing.T) {
		_, err := refuser.Compute(ctx, 2, 0)
		assert.EqualError(t, err, "bad \ufffd byte")
	})
	t.Run("are bounded, terminated or not", func(t *testing.T) {
		_, err := refuser.Compute(ctx, 3, 0)
		assert.EqualError(t, err, strings.Repeat("x", 1015))
	})
}

func TestContext(t *testing.T) {
	looker := wrapped[calculator.Calculator](t, "Calculator", "looker")
	look := func(ctx context.Context) int32 {
		v, err := looker.Compute(ctx, 0, 0)
		require.NoError(t, err)
		return v
	}
	const none, endless, limited, cancelled = 0, 1, 2, 10

	assert.EqualValues(t, none, look(context.Background()), "what cannot end is a null pointer")
	assert.EqualValues(t, none, look(context.WithoutCancel(t.Context())))

	ctx, cancel := context.WithCancel(context.Background())
	assert.EqualValues(t, endless, look(ctx))
	cancel()
	assert.EqualValues(t, endless+cancelled, look(ctx), "cancelled before the call")

	at := time.Now().Add(time.Hour)
	ctx, cancel = context.WithDeadline(context.Background(), at)
	defer cancel()
	assert.EqualValues(t, limited, look(ctx))
	v, err := wrapped[calculator.Calculator](t, "Calculator", "clock").Compute(ctx, 0, at.UnixNano())
	require.NoError(t, err)
	assert.EqualValues(t, 1, v, "the deadline arrives to the nanosecond")

	assert.EqualValues(t, 1, Nanoseconds(time.Time{}), "a deadline long ago is not none")
	assert.EqualValues(t, int64(1)<<62|(1<<62-1), Nanoseconds(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)))
}

func TestACallSeesThatItIsCancelled(t *testing.T) {
	waiting := func(t *testing.T, call func(ctx context.Context) error) error {
		ctx, cancel := context.WithCancelCause(context.Background())
		before := objects.Entered()
		done := make(chan error)
		go func() { done <- call(ctx) }()
		for objects.Entered() == before {
			runtime.Gosched()
		}
		cancel(errors.New("the daemon stops"))
		return <-done
	}

	t.Run("and its failure says why", func(t *testing.T) {
		c := wrapped[calculator.Calculator](t, "Calculator", "waiter")
		err := waiting(t, func(ctx context.Context) error { _, err := c.Compute(ctx, 0, 0); return err })
		assert.EqualError(t, err, "told to stop")
		var failed *CallError
		require.ErrorAs(t, err, &failed)
		assert.EqualError(t, failed.Cause, "the daemon stops")
	})
	t.Run("in Run", func(t *testing.T) {
		a := wrapped[anonymous.Anonymous](t, "Anonymous", "runner")
		assert.NoError(t, waiting(t, a.Run))
	})
}

func TestMethodsThatAnObjectDoesNotHave(t *testing.T) {
	ctx := context.Background()
	for _, object := range []string{"old", "partial"} {
		t.Run(object, func(t *testing.T) {
			m := wrapped[testmodule.TestModule](t, "TestModule", object)
			v, err := m.Foo(ctx, 'A', 1024)
			require.NoError(t, err)
			assert.EqualValues(t, 1089, v)

			v, err = m.Baz(ctx, 5, 10)
			require.NoError(t, err)
			assert.EqualValues(t, -1, v, "the default")
			all, err := m.Parameters(ctx)
			require.NoError(t, err)
			assert.Nil(t, all)
		})
	}
}

func TestResultsOfAnySize(t *testing.T) {
	ctx := context.Background()
	t.Run("come in order, as valid UTF-8", func(t *testing.T) {
		all, err := wrapped[testmodule.TestModule](t, "TestModule", "whole").Parameters(ctx)
		require.NoError(t, err)
		assert.Equal(t, []string{"operation=sum", "", "bad=\ufffd"}, all)
		for _, x := range all {
			assert.True(t, utf8.ValidString(x))
		}
	})
	t.Run("are limited, each and in sum", func(t *testing.T) {
		for _, object := range []string{"flooder", "giant"} {
			all, err := wrapped[testmodule.TestModule](t, "TestModule", object).Parameters(ctx)
			assert.Nil(t, all)
			assert.EqualError(t, err, "TestModule.Parameters returned what cannot be used: it is larger than the limit of 64 MB", object)
		}
	})
	t.Run("are dropped if the call fails", func(t *testing.T) {
		all, err := wrapped[testmodule.TestModule](t, "TestModule", "quitter").Parameters(ctx)
		assert.Nil(t, all)
		assert.EqualError(t, err, "and then it broke")
	})
}
