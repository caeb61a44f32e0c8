package moduletest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/shimtest"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles/calculator"
)

// shims is the folder with the program that the containerizer holds containers with.
var shims string

func TestMain(m *testing.M) {
	if Child() {
		return
	}
	folder, remove, err := shimtest.Build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shims = folder
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		remove()
		os.Exit(code)
	}))
}

// trialTB is a test that may fail without anybody's harm.
type trialTB struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	text     bytes.Buffer
	cleanups []func()
}

func (t *trialTB) Helper()         {}
func (t *trialTB) Log(args ...any) { t.write(fmt.Sprintln(args...)) }
func (t *trialTB) Logf(format string, args ...any) {
	t.write(fmt.Sprintf(format+"\n", args...))
}
func (t *trialTB) Errorf(format string, args ...any) {
	t.Logf(format, args...)
	t.Fail()
}
func (t *trialTB) Error(args ...any)                 { t.Log(args...); t.Fail() }
func (t *trialTB) Fatalf(format string, args ...any) { t.Errorf(format, args...); t.FailNow() }
func (t *trialTB) FailNow()                          { t.Fail(); runtime.Goexit() }
func (t *trialTB) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }
func (t *trialTB) write(s string)                    { t.mu.Lock(); defer t.mu.Unlock(); t.text.WriteString(s) }
func (t *trialTB) Fail()                             { t.mu.Lock(); defer t.mu.Unlock(); t.failed = true }
func (t *trialTB) Failed() bool                      { t.mu.Lock(); defer t.mu.Unlock(); return t.failed }
func (t *trialTB) TempDir() string                   { dir, _ := os.MkdirTemp(t.TB.TempDir(), "x"); return dir }

// outcome runs a test with its cleanups and returns what it wrote if it failed, and
// nothing if it passed.
func outcome(t *testing.T, do func(testing.TB)) string {
	tb := &trialTB{TB: t}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() {
			for _, f := range slices.Backward(tb.cleanups) {
				f()
			}
		}()
		do(tb)
	})
	wg.Wait()
	if !tb.failed {
		return ""
	}
	return strings.TrimSpace("failed: " + tb.text.String())
}

// calc is a module of the role Calculator whose parts can be replaced.
type calc struct {
	name, version string
	requires      []facade.Requirement
	schema        facade.Schema
	create        func(context.Context, facade.Host, facade.Parameters) error
	compute       func(context.Context, byte, int64) (int32, error)
	close         func(context.Context) error
}

func (c calc) declared() facade.Declared {
	if c.name == "" {
		c.name = "org_example_calc"
	}
	return facade.Module[calculator.Calculator]{
		Name: c.name, Version: c.version, Requires: c.requires, Parameters: c.schema,
		New: func(ctx context.Context, host facade.Host, p facade.Parameters) (calculator.Calculator, error) {
			if c.create != nil {
				if err := c.create(ctx, host, p); err != nil {
					return nil, err
				}
			}
			return &made{c}, nil
		},
	}
}

func (c calc) library() facade.Library {
	return facade.Library{Modules: []facade.Declared{c.declared()}}
}

// made is an instance of calc.
type made struct{ c calc }

func (m *made) Compute(ctx context.Context, a byte, b int64) (int32, error) {
	if m.c.compute != nil {
		return m.c.compute(ctx, a, b)
	}
	return int32(int64(a) + b), nil
}

func (m *made) Close(ctx context.Context) error {
	if m.c.close != nil {
		return m.c.close(ctx)
	}
	return nil
}

// atomicInt counts who is inside.
type atomicInt struct{ n atomic.Int32 }

func (a *atomicInt) enter() int32 { return a.n.Add(1) }
func (a *atomicInt) leave()       { a.n.Add(-1) }

// linger gives others the time to get inside.
func (a *atomicInt) linger() {
	for i := 0; i < 10_000 && a.n.Load() < 2; i++ {
		runtime.Gosched()
	}
}

// impatient gives up early, for modules that hang.
func impatient(s *settings) {
	s.patience = 250 * time.Millisecond
	s.limits = manifest.Limits{Drain: time.Millisecond, Close: time.Millisecond}
}
