package moduletest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	calculators "github.com/mesos-modules/mms/modules/calculator/example"
	testmodules "github.com/mesos-modules/mms/modules/testmodule/example"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func TestModulesThatShip(t *testing.T) {
	t.Run("calculator", func(t *testing.T) { Conformance(t, calculators.Library, calculators.Name) })
	t.Run("test module", func(t *testing.T) { Conformance(t, testmodules.Library, testmodules.Name) })
	t.Run("test module with an operation", func(t *testing.T) {
		Conformance(t, testmodules.Library, testmodules.Name, Parameter(testmodules.Name, "operation", "sum"))
	})
}

func TestNativeModules(t *testing.T) {
	t.Run("a calculator in C++", func(t *testing.T) {
		Conformance(t, inCPlusPlus(t, "../../examples/cpp/several.cpp"), "org_example_maximum")
	})
	t.Run("the module guide's HelloWorld, which is older than two methods", func(t *testing.T) {
		hello := inCPlusPlus(t, "../../examples/cpp/hello.cpp")
		Conformance(t, hello, New(t, hello).described.Modules[0].Name)
	})
}

// holds that exactly these sentences are broken by a module, each with a word of what
// is said about it.
func requireBroken[S Subject](t *testing.T, subject S, module string, broken map[string]string, options ...Option) {
	t.Helper()
	kit := func(t testing.TB, more ...Option) *Kit {
		return New(t, subject, append(options[:len(options):len(options)], more...)...)
	}
	first := kit(t)
	role, groups := contract(first, module)
	seen := map[string]bool{}
	for _, g := range groups {
		for _, c := range g.checks {
			text := outcome(t, func(t testing.TB) { c.hold(&bench{TB: t, module: module, role: role, o: first.o, make: kit}) })
			if word, ok := broken[c.sentence]; ok {
				seen[c.sentence] = true
				assert.Contains(t, text, word, c.sentence)
				continue
			}
			assert.Empty(t, text, c.sentence)
		}
	}
	assert.Len(t, seen, len(broken), "there is no such sentence")
}

func TestEveryRoleHasASuite(t *testing.T) {
	all := suites()
	for _, r := range roles.Table() {
		if r.Type != nil {
			assert.NotEmpty(t, all[r.Type], r.Name)
		}
	}
}

func TestWrongModules(t *testing.T) {
	t.Run("the fixture is right", func(t *testing.T) { requireBroken(t, calc{}.library(), name, nil) })
	t.Run("a name", func(t *testing.T) {
		requireBroken(t, calc{name: "Calc"}.library(), "Calc", map[string]string{"its name keeps the naming rule": "reversed domain"})
	})
	t.Run("a version", func(t *testing.T) {
		text := outcome(t, func(t testing.TB) {
			moduleChecks()[0].hold(&bench{TB: t, module: name, make: func(t testing.TB, more ...Option) *Kit { return New(t, calc{version: "1"}.library(), more...) }})
		})
		assert.Contains(t, text, "metadata")
	})
	t.Run("a constructor that works once", func(t *testing.T) {
		made := 0
		wrong := calc{create: func(context.Context, facade.Host, facade.Parameters) error {
			if made++; made%2 == 0 {
				return errBroken
			}
			return nil
		}, close: func(context.Context) error { made = 0; return nil }}
		requireBroken(t, wrong.library(), name, map[string]string{
			"New may be called several times, and closing one instance leaves the others alone": "New the second time",
		})
	})
	t.Run("a Close that fails once the lifetime has ended", func(t *testing.T) {
		var life context.Context
		early := func(c calc) facade.Library {
			c.create = func(_ context.Context, h facade.Host, _ facade.Parameters) error { life = h.Lifetime(); return nil }
			c.close = func(context.Context) error { return life.Err() }
			return c.library()
		}
		text := outcomeOf(t, "what hangs on the lifetime ends with it, and Close still works", early(calc{}), name)
		assert.Contains(t, text, "context canceled")
	})
	t.Run("a constructor that panics where it should fail", func(t *testing.T) {
		wrong := calc{create: func(_ context.Context, h facade.Host, _ facade.Parameters) error {
			if _, err := h.StateDir(); err != nil {
				panic(err)
			}
			return nil
		}}
		requireBroken(t, wrong.library(), name, map[string]string{
			"New without a state folder is an instance or an error": "the disk is full",
		})
	})
	t.Run("a secret in a log, and in an error", func(t *testing.T) {
		type config struct {
			Token string `mms:"token,secret"`
		}
		chatty := calc{schema: facade.SchemaOf[config](), create: func(_ context.Context, h facade.Host, p facade.Parameters) error {
			h.Logger().Info("made", "parameters", p)
			return nil
		}}
		secret := "secret parameters are shown nowhere"
		requireBroken(t, chatty.library(), name, map[string]string{secret: "a secret is shown"}, Parameter(name, "token", "s3cret"))
		requireBroken(t, chatty.library(), name, nil, Parameter(name, "token", "x"))

		chatty.create = func(_ context.Context, h facade.Host, p facade.Parameters) error {
			if _, err := h.StateDir(); err != nil {
				return fmt.Errorf("made with %v: %w", p, err)
			}
			return nil
		}
		requireBroken(t, chatty.library(), name, map[string]string{secret: "a secret stands in an error"}, Parameter(name, "token", "s3cret"))
	})
	t.Run("a Close that fails", func(t *testing.T) {
		wrong := calc{close: func(context.Context) error { return errBroken }}
		assert.Contains(t, outcomeOf(t, "it goes through all phases and back", wrong.library(), name), "broken on purpose")
	})
	t.Run("a constructor that waits for more than its ctx", func(t *testing.T) {
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		wrong := calc{create: func(context.Context, facade.Host, facade.Parameters) error { <-stay; return nil }}
		assert.Contains(t, outcomeOf(t, "New gives up when its ctx ends", wrong.library(), name, impatient), "abandoned")
	})
	t.Run("a constructor that panics at a parameter it does not know", func(t *testing.T) {
		wrong := calc{create: func(_ context.Context, _ facade.Host, p facade.Parameters) error {
			if len(p) > 0 {
				panic("what is " + p[0].Key)
			}
			return nil
		}}
		requireBroken(t, wrong.library(), name, map[string]string{"parameters that it does not declare are refused": "what is " + unknownKey})
	})
	t.Run("a module that is not there", func(t *testing.T) {
		assert.Contains(t, outcome(t, func(t testing.TB) { contract(New(t, calc{}.library()), "org_example_none") }), "the library has no module org_example_none")
	})
}

// outcomeOf runs one check.
func outcomeOf(t *testing.T, sentence string, l facade.Library, module string, options ...Option) string {
	t.Helper()
	kit := func(t testing.TB, more ...Option) *Kit {
		return New(t, l, append(options[:len(options):len(options)], more...)...)
	}
	first := kit(t)
	role, groups := contract(first, module)
	for _, g := range groups {
		for _, c := range g.checks {
			if c.sentence == sentence {
				return outcome(t, func(t testing.TB) { c.hold(&bench{TB: t, module: module, role: role, o: first.o, make: kit}) })
			}
		}
	}
	require.Fail(t, "there is no such sentence", sentence)
	return ""
}

func TestWrongCalculators(t *testing.T) {
	t.Run("one that panics for some numbers", func(t *testing.T) {
		wrong := calc{compute: func(_ context.Context, a byte, b int64) (int32, error) {
			if b == -1<<63 {
				panic("boom")
			}
			return 0, nil
		}}
		requireBroken(t, wrong.library(), name, map[string]string{"Compute returns for all numbers there are": "boom"})
	})
	t.Run("one that does not stand several callers", func(t *testing.T) {
		var inside atomicInt
		wrong := calc{compute: func(context.Context, byte, int64) (int32, error) {
			defer inside.leave()
			if inside.enter() > 1 {
				panic("two at a time")
			}
			inside.linger()
			return 0, nil
		}}
		requireBroken(t, wrong.library(), name, map[string]string{"implementations are safe for concurrent use": "two at a time"})
	})
	t.Run("one that waits for more than its ctx", func(t *testing.T) {
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		wrong := calc{compute: func(ctx context.Context, _ byte, _ int64) (int32, error) {
			if ctx.Err() != nil {
				<-stay
			}
			return 0, nil
		}}
		text := outcomeOf(t, "a cancelled ctx means that nobody waits for the answer", wrong.library(), name, impatient)
		assert.Contains(t, text, "Compute does not return within")
	})
}

// wrongTest is a TestModule with one method replaced.
type wrongTest struct {
	testmodule.TestModule
	foo        func(byte, int64) (int32, error)
	bar        func(float32, float64) (int32, error)
	baz        func(int32, int32) (int32, error)
	parameters func([]string) []string
}

func (w *wrongTest) Foo(ctx context.Context, a byte, b int64) (int32, error) {
	if w.foo != nil {
		return w.foo(a, b)
	}
	return w.TestModule.Foo(ctx, a, b)
}

func (w *wrongTest) Bar(ctx context.Context, a float32, b float64) (int32, error) {
	if w.bar != nil {
		return w.bar(a, b)
	}
	return w.TestModule.Bar(ctx, a, b)
}

func (w *wrongTest) Baz(ctx context.Context, a, b int32) (int32, error) {
	if w.baz != nil {
		return w.baz(a, b)
	}
	return w.TestModule.Baz(ctx, a, b)
}

func (w *wrongTest) Parameters(ctx context.Context) ([]string, error) {
	all, err := w.TestModule.Parameters(ctx)
	if w.parameters != nil {
		all = w.parameters(all)
	}
	return all, err
}

func TestWrongTestModules(t *testing.T) {
	library := func(w wrongTest) facade.Library {
		return facade.Library{Modules: []facade.Declared{facade.Module[testmodule.TestModule]{Name: "org_example_test",
			New: func(ctx context.Context, h facade.Host, p facade.Parameters) (testmodule.TestModule, error) {
				right, err := testmodules.Library.Modules[0].Declare().New(ctx, h, p)
				if err != nil {
					return nil, err
				}
				mine := w
				mine.TestModule = right.(testmodule.TestModule)
				return &mine, nil
			}}}}
	}
	for about, c := range map[string]struct {
		wrong  wrongTest
		broken map[string]string
	}{
		"none": {},
		"foo": {wrongTest{foo: func(a byte, b int64) (int32, error) { return int32(a) - int32(b), nil }}, map[string]string{
			"Foo returns the sum of a and b": "Foo(65, 1024)", "it is called from any number of goroutines": "called from 8 goroutines"}},
		"bar": {wrongTest{bar: func(a float32, b float64) (int32, error) { return int32(float64(a)*b + 0.7), nil }}, map[string]string{
			"Bar returns the product of a and b, truncated": "Bar(0.5, 10.8)"}},
		"baz with": {wrongTest{baz: func(int32, int32) (int32, error) { return -1, nil }}, map[string]string{
			"Baz returns the sum if the operation is sum, and -1 otherwise": "with the operation sum"}},
		"baz without": {wrongTest{baz: func(a, b int32) (int32, error) { return a + b, nil }}, map[string]string{
			"Baz returns the sum if the operation is sum, and -1 otherwise": "without an operation"}},
		"parameters": {wrongTest{parameters: func(all []string) []string { return all[:min(1, len(all))] }}, map[string]string{
			"Parameters returns those the instance was made with, in their order": "expected: 2"}},
	} {
		t.Run(about, func(t *testing.T) { requireBroken(t, library(c.wrong), "org_example_test", c.broken) })
	}
	t.Run("one that waits for ever", func(t *testing.T) {
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		l := library(wrongTest{parameters: func(all []string) []string { <-stay; return all }})
		text := outcomeOf(t, "a cancelled ctx means that nobody waits for the answer", l, "org_example_test", impatient)
		assert.Contains(t, text, "Parameters does not return within")
	})
}

type runs func(context.Context) error

func (r runs) Run(ctx context.Context) error { return r(ctx) }

func anonymousLibrary(r runs) facade.Library {
	return facade.Library{Modules: []facade.Declared{facade.Module[anonymous.Anonymous]{Name: "org_example_runs",
		New: func(context.Context, facade.Host, facade.Parameters) (anonymous.Anonymous, error) { return r, nil }}}}
}

func TestWrongAnonymousModules(t *testing.T) {
	const whenEnded, already, bound = "Run returns at once, or stays until ctx ends", "Run with a ctx that has ended returns", "a daemon runs it from bind to teardown"
	t.Run("none", func(t *testing.T) {
		requireBroken(t, anonymousLibrary(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }), "org_example_runs", nil)
		requireBroken(t, anonymousLibrary(func(context.Context) error { return nil }), "org_example_runs", nil)
	})
	t.Run("one that takes the end for a failure", func(t *testing.T) {
		l := anonymousLibrary(func(ctx context.Context) error { <-ctx.Done(); return errors.New("interrupted") })
		for _, s := range []string{whenEnded, already, bound} {
			assert.Contains(t, outcomeOf(t, s, l, "org_example_runs"), "interrupted", s)
		}
	})
	t.Run("one that does not end", func(t *testing.T) {
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		l := anonymousLibrary(func(context.Context) error { <-stay; return nil })
		for _, s := range []string{whenEnded, already} {
			assert.Contains(t, outcomeOf(t, s, l, "org_example_runs", impatient), "does not return within", s)
		}
	})
}
