package golib_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{ closed *int }

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

type closer struct{ adder }

func (c closer) Close(ctx context.Context) error { *c.closed++; return ctx.Err() }

type ioCloser struct{ adder }

func (c ioCloser) Close() error { *c.closed++; return errors.New("still open") }

// impostor is an interface that looks like a role and is none.
type impostor interface {
	Compute(ctx context.Context, a byte, b int64) (int32, error)
}

func constructor(v calculator.Calculator, err error) func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
	return func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) { return v, err }
}

func TestDescribe(t *testing.T) {
	type config struct {
		Depth int `mms:"depth" default:"3" doc:"how deep"`
	}

	t.Run("everything that a declaration says crosses", func(t *testing.T) {
		d := golib.Describe("goplugin", facade.Library{
			MMSVersion: 7, MesosVersion: "1.11.0", MinMesos: "1.10.0",
			Modules: []facade.Declared{facade.Module[calculator.Calculator]{
				Name: "org_example_adder", Version: "1.2.0",
				Author: "A. Author", Email: "a@example.org", Description: "Adds.",
				Requires:   []facade.Requirement{{Module: "org_example_base", Version: ">=1.1 <2"}, {Role: "Anonymous", Optional: true}},
				Conflicts:  []facade.Conflict{{Module: "org_example_other", Version: "<1"}},
				After:      []string{"Anonymous"},
				Parameters: facade.SchemaOf[config](),
				Compatible: func(context.Context, facade.View) error { return nil },
				New:        constructor(adder{}, nil),
			}},
		})
		assert.Equal(t, vehicle.Description{
			Vehicle: "goplugin", MMSVersion: "7", MesosVersion: "1.11.0", MinMesos: "1.10.0", Complete: true,
			Modules: []vehicle.Module{{
				Name: "org_example_adder", Role: "Calculator", Version: "1.2.0",
				Author: "A. Author", Email: "a@example.org", Description: "Adds.",
				Requires:   []facade.Requirement{{Module: "org_example_base", Version: ">=1.1 <2"}, {Role: "Anonymous", Optional: true}},
				Conflicts:  []facade.Conflict{{Module: "org_example_other", Version: "<1"}},
				After:      []string{"Anonymous"},
				HasSchema:  true,
				Parameters: []facade.ParameterSpec{{Key: "depth", Type: "int", Default: "3", Doc: "how deep"}},
				Compatible: true,
			}},
		}, d)
	})

	t.Run("versions left out are those of the facade", func(t *testing.T) {
		d := golib.Describe("builtin", facade.Library{})
		assert.Equal(t, "1", d.MMSVersion)
		assert.Equal(t, facade.MesosVersion, d.MesosVersion)
		assert.Empty(t, d.MinMesos)
	})

	t.Run("a type that is no role is named with its import path", func(t *testing.T) {
		d := golib.Describe("builtin", facade.Library{Modules: []facade.Declared{
			facade.Module[impostor]{Name: "a", New: func(context.Context, facade.Host, facade.Parameters) (impostor, error) { return adder{}, nil }},
			facade.Module[*int]{Name: "b", New: func(context.Context, facade.Host, facade.Parameters) (*int, error) { return new(int), nil }},
		}})
		require.Len(t, d.Modules, 2)
		assert.Equal(t, "github.com/mesos-modules/mms/manager/vehicle/golib_test.impostor", d.Modules[0].Role)
		assert.Equal(t, "*int", d.Modules[1].Role)
	})

	flawed := []struct {
		name   string
		module facade.Declared
		flaw   string
	}{
		{"nil entry", nil, "entry 1 of Modules is nil"},
		{"no name", facade.Module[calculator.Calculator]{New: constructor(adder{}, nil)}, "the module has no Name"},
		{"no constructor", facade.Module[calculator.Calculator]{Name: "m"}, "the module has no constructor: New is nil"},
		{"requirement of nothing", facade.Module[calculator.Calculator]{Name: "m", New: constructor(adder{}, nil), Requires: []facade.Requirement{{}}},
			"Requires[0] names a module or a role, exactly one of the two"},
		{"requirement of two", facade.Module[calculator.Calculator]{Name: "m", New: constructor(adder{}, nil), Requires: []facade.Requirement{{Module: "a", Role: "B"}}},
			"Requires[0] names a module or a role, exactly one of the two"},
		{"conflict with nothing", facade.Module[calculator.Calculator]{Name: "m", New: constructor(adder{}, nil), Conflicts: []facade.Conflict{{Version: "<1"}}},
			"Conflicts[0] names no module"},
		{"text that is no text", facade.Module[calculator.Calculator]{Name: "m", New: constructor(adder{}, nil), Author: "\xff"}, "Author is not UTF-8"},
		{"text without end", facade.Module[calculator.Calculator]{Name: "m", New: constructor(adder{}, nil), Description: strings.Repeat("x", golib.MaxText+1)},
			"Description is 4097 bytes long, and 4096 are allowed"},
		{"schema of no struct", facade.Module[calculator.Calculator]{Name: "m", New: constructor(adder{}, nil), Parameters: facade.SchemaOf[int]()},
			"Parameters cannot be used: parameters are declared by a struct, and int is none"},
	}
	for _, c := range flawed {
		t.Run("held against the module: "+c.name, func(t *testing.T) {
			d := golib.Describe("builtin", facade.Library{Modules: []facade.Declared{c.module}})
			require.Len(t, d.Modules, 1)
			assert.Equal(t, []string{c.flaw}, d.Modules[0].Flaws)
			assert.LessOrEqual(t, len(d.Modules[0].Description), golib.MaxText)
			assert.True(t, utf8.ValidString(d.Modules[0].Author))
		})
	}

	t.Run("a name declared twice is held against the second", func(t *testing.T) {
		m := facade.Module[calculator.Calculator]{Name: "m", New: constructor(adder{}, nil)}
		d := golib.Describe("builtin", facade.Library{Modules: []facade.Declared{m, m}})
		require.Len(t, d.Modules, 2)
		assert.Empty(t, d.Modules[0].Flaws)
		assert.Equal(t, []string{`the library declares the name "m" more than once`}, d.Modules[1].Flaws)
	})
}

func TestLibrary(t *testing.T) {
	closed := 0
	refusal := errors.New("not with this one")
	lib := golib.Open(facade.Library{Modules: []facade.Declared{
		nil,
		facade.Module[calculator.Calculator]{Name: "plain", New: constructor(adder{}, nil)},
		facade.Module[calculator.Calculator]{Name: "closer", New: constructor(closer{adder{&closed}}, nil)},
		facade.Module[calculator.Calculator]{Name: "iocloser", New: constructor(ioCloser{adder{&closed}}, nil)},
		facade.Module[calculator.Calculator]{Name: "empty"},
		facade.Module[calculator.Calculator]{Name: "nil", New: constructor((*nilCalculator)(nil), nil)},
		facade.Module[calculator.Calculator]{Name: "failing", New: constructor(nil, refusal),
			Compatible: func(context.Context, facade.View) error { return refusal }},
	}})

	t.Run("an instance implements the role", func(t *testing.T) {
		i, err := lib.Create(t.Context(), "plain", nil, nil)
		require.NoError(t, err)
		n, err := i.Value.(calculator.Calculator).Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.Equal(t, int32(75), n)
		assert.NoError(t, i.Destroy(t.Context()), "nothing to give back")
	})
	t.Run("Destroy closes with its own context", func(t *testing.T) {
		i, err := lib.Create(t.Context(), "closer", nil, nil)
		require.NoError(t, err)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		closed = 0
		assert.ErrorIs(t, i.Destroy(gone), context.Canceled)
		assert.Equal(t, 1, closed)
	})
	t.Run("Destroy closes an io.Closer", func(t *testing.T) {
		i, err := lib.Create(t.Context(), "iocloser", nil, nil)
		require.NoError(t, err)
		closed = 0
		assert.EqualError(t, i.Destroy(t.Context()), "still open")
		assert.Equal(t, 1, closed)
	})
	t.Run("what fails says why", func(t *testing.T) {
		_, err := lib.Create(t.Context(), "failing", nil, nil)
		require.ErrorIs(t, err, refusal)
		_, err = lib.Create(t.Context(), "empty", nil, nil)
		require.EqualError(t, err, "module empty has no constructor")
		_, err = lib.Create(t.Context(), "nil", nil, nil)
		require.ErrorContains(t, err, "*golib_test.nilCalculator")
		_, err = lib.Create(t.Context(), "other", nil, nil)
		require.EqualError(t, err, `the library has no module "other"; it has plain, closer, iocloser, empty, nil, failing`)
	})
	t.Run("the module's own check has its word", func(t *testing.T) {
		require.ErrorIs(t, lib.Compatible(t.Context(), "failing", nil), refusal)
		require.NoError(t, lib.Compatible(t.Context(), "plain", nil))
		require.ErrorContains(t, lib.Compatible(t.Context(), "other", nil), "no module")
	})
	t.Run("it stays", func(t *testing.T) {
		assert.False(t, lib.Unloads())
		assert.NoError(t, lib.Close())
		assert.NoError(t, lib.Close(), "twice")
	})
}

type nilCalculator struct{}

func (*nilCalculator) Compute(context.Context, byte, int64) (int32, error) { return 0, nil }
