package testharness

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

// RequireBarriers fails unless the phases of the events are barriers: whatever
// begins or ends in a phase does so after the phase before it has ended, for the
// whole set.
func RequireBarriers(t testing.TB, events []lifecycle.Event) {
	t.Helper()
	seen := lifecycle.Phase(0)
	steps := 0
	for _, e := range events {
		switch e.(type) {
		case lifecycle.StepBegan, lifecycle.StepEnded, lifecycle.PhaseBegan:
			phase := e.Head().Phase
			require.GreaterOrEqual(t, phase, seen, "event %d of phase %v comes after phase %v has begun: %v", e.Head().Seq, phase, seen, lifecycle.Line(e))
			seen = phase
			steps++
		}
	}
	require.NotZero(t, steps, "no steps were recorded")
}

// RequireMirror fails unless everything that was opened, made and bound was undone
// exactly once, in reverse order.
func RequireMirror(t testing.TB, events []lifecycle.Event) {
	t.Helper()
	undoes := map[string]string{"open": "close", "create": "close", "bind": "drain"}
	var done, undone []string
	for _, e := range events {
		ended, ok := e.(lifecycle.StepEnded)
		if !ok {
			continue
		}
		who := ended.Module
		if who == "" {
			who = ended.Library
		}
		if ended.Phase == lifecycle.Teardown {
			if ended.Step == "close" || ended.Step == "drain" {
				undone = append(undone, who+" "+ended.Step)
			}
		} else if undo, ok := undoes[ended.Step]; ok && ended.Err == "" {
			done = append(done, who+" "+undo)
		}
	}
	slices.Reverse(done)
	require.NotEmpty(t, done, "nothing was done")
	require.Equal(t, done, undone, "teardown is not the mirror image of the start")
}
