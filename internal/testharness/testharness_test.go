package testharness

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/lifecycle"
)

// failing records that an assertion failed, instead of ending the test.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper()               {}
func (f *failing) Errorf(string, ...any) { f.failed = true }
func (f *failing) FailNow()              { panic(f) }

func fails(t *testing.T, do func(testing.TB)) (failed bool) {
	f := &failing{TB: t}
	defer func() {
		if v := recover(); v != nil && v != any(f) {
			panic(v)
		}
		failed = f.failed
	}()
	do(f)
	return f.failed
}

func ended(phase lifecycle.Phase, module, step string) lifecycle.Event {
	return lifecycle.StepEnded{Header: lifecycle.Header{Phase: phase, Module: module}, Step: step}
}

func TestRequireBarriers(t *testing.T) {
	assert.False(t, fails(t, func(tb testing.TB) {
		RequireBarriers(tb, []lifecycle.Event{ended(lifecycle.Load, "a", "open"), ended(lifecycle.Load, "b", "open"), ended(lifecycle.Verify, "a", "check")})
	}))
	assert.True(t, fails(t, func(tb testing.TB) {
		RequireBarriers(tb, []lifecycle.Event{ended(lifecycle.Verify, "a", "check"), ended(lifecycle.Load, "b", "open")})
	}), "a load after a verification passes")
	assert.True(t, fails(t, func(tb testing.TB) { RequireBarriers(tb, nil) }), "no events pass")
}

func TestRequireMirror(t *testing.T) {
	up := []lifecycle.Event{ended(lifecycle.Load, "a", "open"), ended(lifecycle.Instantiate, "a", "create"), ended(lifecycle.Bind, "a", "bind")}
	down := []lifecycle.Event{ended(lifecycle.Teardown, "a", "drain"), ended(lifecycle.Teardown, "a", "close"), ended(lifecycle.Teardown, "a", "close")}
	assert.False(t, fails(t, func(tb testing.TB) { RequireMirror(tb, append(up, down...)) }))
	assert.True(t, fails(t, func(tb testing.TB) { RequireMirror(tb, append(up, down[1:]...)) }), "a missing drain passes")
	assert.True(t, fails(t, func(tb testing.TB) { RequireMirror(tb, append(up, append(down, down[2])...)) }), "a second close passes")
}

func ExampleJournal() {
	var j Journal
	j.Add("new a")
	j.Add("close a")
	fmt.Println(j.Lines())
	// Output: [new a close a]
}
