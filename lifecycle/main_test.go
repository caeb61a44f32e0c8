package lifecycle_test

import (
	"context"
	"os"
	"os/signal"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/lifecycle"
)

func TestMain(m *testing.M) {
	// fx subscribes to signals. The first subscription starts a goroutine that never
	// ends, which must not belong to a synctest bubble.
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	signal.Stop(c)
	goleak.VerifyTestMain(m)
}

// rig is a bus, its recorder, and a runner.
type rig struct {
	bus *lifecycle.Bus
	rec *lifecycle.Recorder
	run *lifecycle.Runner
}

func newRig() rig {
	bus := lifecycle.NewBus(lifecycle.BusOptions{})
	return rig{bus, lifecycle.NewRecorder(bus), &lifecycle.Runner{Bus: bus, Limit: time.Minute, Grace: time.Second}}
}

// step is a step of a module in the phase Instantiate.
func step(module, name string) lifecycle.Step {
	return lifecycle.Step{Phase: lifecycle.Instantiate, Module: module, Name: name}
}

// undoing is the step that undoes something of a module.
func undoing(module string) lifecycle.Step {
	return lifecycle.Step{Phase: lifecycle.Teardown, Module: module, Name: "close"}
}

func succeed(context.Context) error { return nil }

// untilDone is a step that heeds its context.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// hang returns a step that heeds nothing until it is released; the test must do so.
func hang() (do func(context.Context) error, release func()) {
	c := make(chan struct{})
	return func(context.Context) error { <-c; return nil }, func() { close(c) }
}

// waitFor fails the test if no event of the type comes.
func waitFor[E lifecycle.Event](t *testing.T, rec *lifecycle.Recorder) E {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e, err := rec.Wait(ctx, func(e lifecycle.Event) bool { _, ok := e.(E); return ok })
	require.NoError(t, err)
	return e.(E)
}
