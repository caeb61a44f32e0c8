package process_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/manager/vehicle/process/testdata/sample"
	"github.com/mesos-modules/mms/roles/calculator"
)

// outcome is what a caller sees of a call.
type outcome struct {
	Result   int32
	Says     string
	Panicked bool
	Known    []error // what the error is
}

var known = []error{context.Canceled, context.DeadlineExceeded, fs.ErrNotExist, sample.ErrOwn, errors.ErrUnsupported}

// of makes a call on a goroutine of its own, which a module may end.
func of(call func() (int32, error)) outcome {
	done := make(chan outcome, 1)
	go func() {
		o := outcome{Says: "the goroutine was ended", Panicked: true}
		defer func() {
			if value := recover(); value != nil {
				o.Says = fmt.Sprint(value)
				if err, ok := value.(error); ok {
					o.Known = is(err)
				}
			}
			done <- o
		}()
		n, err := call()
		o = outcome{Result: n, Known: is(err)}
		if err != nil {
			o.Says = err.Error()
		}
	}()
	return <-done
}

func is(err error) (all []error) {
	for _, k := range known {
		if errors.Is(err, k) {
			all = append(all, k)
		}
	}
	return all
}

// view is a daemon of some release.
type view struct {
	*daemon
	version string
}

func (v view) MesosVersion() string { return v.version }

// A module in a process does what it does in the daemon, as far as a caller can see.
func TestParity(t *testing.T) {
	x := newFixture()
	there := x.launch(t, build(t, "library"))
	here := golib.Open(sample.Library("library"))
	const module = "org_example_calculator"

	for _, c := range []struct {
		name string
		do   func(t *testing.T, l vehicle.Library) outcome
		want outcome
	}{
		{"a result", computing("does", ""), outcome{Result: 75}},
		{"an error that everybody knows, and one that only the module does", computing("does", "fail"),
			outcome{Says: "the table: file does not exist\nan error of its own", Known: []error{fs.ErrNotExist}}},
		{"a panic", computing("does", "panic"), outcome{Panicked: true, Says: "there is no bottom"}},
		{"a panic with an error", computing("does", "panic with an error"),
			outcome{Panicked: true, Says: "the table: file does not exist", Known: []error{fs.ErrNotExist}}},
		{"a goroutine that is ended", computing("does", "goexit"), outcome{Panicked: true, Says: "the goroutine was ended"}},
		{"a deadline", computing("does", "wait for the deadline"), outcome{Says: "context deadline exceeded", Known: []error{context.DeadlineExceeded}}},
		{"a cancelled call", cancelled, outcome{Says: "given up: context canceled", Known: []error{context.Canceled}}},
		{"a constructor that fails", computing("at", "new", "does", "fail"),
			outcome{Says: "the table: file does not exist\nan error of its own", Known: []error{fs.ErrNotExist}}},
		{"a constructor that panics", computing("at", "new", "does", "panic"), outcome{Panicked: true, Says: "there is no bottom"}},
		{"a parameter that is wrong", computing("at", "new", "dose", "x"),
			outcome{Says: `there is no parameter "dose"; the module knows at, does, file`}},
		{"a clean-up that fails", closing("at", "close", "does", "fail"),
			outcome{Says: "the table: file does not exist\nan error of its own", Known: []error{fs.ErrNotExist}}},
		{"a clean-up that panics", closing("at", "close", "does", "panic"), outcome{Panicked: true, Says: "there is no bottom"}},
		{"a clean-up in time", closing(), outcome{}},
		{"a module that is not there", func(t *testing.T, l vehicle.Library) outcome {
			return of(func() (int32, error) {
				_, err := l.Create(t.Context(), "org_example_other", &daemon{}, nil)
				return 0, err
			})
		}, outcome{Says: `the library has no module "org_example_other"; it has org_example_calculator, org_example_forwarder, org_example_guest, org_example_detector, org_example_relay`}},
		{"the module's own check, which admits", compatible("1.12.0"), outcome{}},
		{"the module's own check, which refuses", compatible("0.1.0"),
			outcome{Says: "too old, with 1 modules: unsupported operation", Known: []error{errors.ErrUnsupported}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inside, outside := c.do(t, here), c.do(t, there)
			// Nobody else can have an error of the module's own.
			inside.Known = without(inside.Known, sample.ErrOwn)
			if outside.Panicked && outside.Says == "it ended its goroutine" { // which cannot be done to one of the caller's
				outside.Says = inside.Says
			}
			assert.Equal(t, c.want, inside, "in the daemon")
			assert.Equal(t, c.want, outside, "in a process")
		})
	}

	t.Run("calls do not wait for each other", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "said")
		ctx, cancel := context.WithCancel(t.Context())
		waits := create[calculator.Calculator](t, there, module, &daemon{}, "does", "wait", "file", file)
		result := make(chan outcome, 1)
		go func() { result <- of(func() (int32, error) { return waits.Compute(ctx, 0, 0) }) }()
		awaitText(t, file, "waits\n")
		assert.Equal(t, outcome{Result: 75}, computing()(t, there))
		cancel()
		assert.Equal(t, "given up: context canceled", (<-result).Says)
	})
}

func without(all []error, one error) (rest []error) {
	for _, err := range all {
		if err != one { //nolint:errorlint // the very one
			rest = append(rest, err)
		}
	}
	return rest
}

func computing(p ...string) func(*testing.T, vehicle.Library) outcome {
	return func(t *testing.T, l vehicle.Library) outcome {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		return of(func() (int32, error) {
			i, err := l.Create(t.Context(), "org_example_calculator", &daemon{}, parameters(p...))
			if err != nil {
				return 0, err
			}
			defer func() { assert.NoError(t, i.Destroy(context.Background())) }()
			return i.Value.(calculator.Calculator).Compute(ctx, 'A', 10)
		})
	}
}

func cancelled(t *testing.T, l vehicle.Library) outcome {
	file := filepath.Join(t.TempDir(), "said")
	ctx, cancel := context.WithCancel(t.Context())
	waits := create[calculator.Calculator](t, l, "org_example_calculator", &daemon{}, "does", "wait", "file", file)
	go func() {
		defer cancel()
		awaitText(t, file, "waits\n")
	}()
	return of(func() (int32, error) { return waits.Compute(ctx, 0, 0) })
}

func closing(p ...string) func(*testing.T, vehicle.Library) outcome {
	return func(t *testing.T, l vehicle.Library) outcome {
		i, err := l.Create(t.Context(), "org_example_calculator", &daemon{}, parameters(p...))
		require.NoError(t, err)
		return of(func() (int32, error) { return 0, i.Destroy(context.Background()) })
	}
}

func compatible(version string) func(*testing.T, vehicle.Library) outcome {
	return func(t *testing.T, l vehicle.Library) outcome {
		return of(func() (int32, error) {
			seen := view{&daemon{modules: []facade.ModuleInfo{{Name: "one"}}}, version}
			return 0, l.Compatible(t.Context(), "org_example_calculator", seen)
		})
	}
}

// awaitText waits until a module has written a text to a file. Processes tell nobody what
// they have done.
func awaitText(t testing.TB, path, want string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(soon); ; <-tick.C {
		got, err := os.ReadFile(path)
		if err == nil && string(got) == want {
			return
		}
		if time.Now().After(limit) {
			assert.Failf(t, "not in time", "%q instead of %q, %v", got, want, err)
			return
		}
	}
}
