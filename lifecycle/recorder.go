package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Recorder is an observer that keeps every event, for tests and reports:
//
//	rec := lifecycle.NewRecorder(bus)
//	…
//	require.Equal(t, []string{"load", "load org_a open", …}, rec.Steps())
type Recorder struct {
	mu     sync.Mutex
	events []Event
	wake   chan struct{} // closed by the next event; nil if nobody waits
}

// NewRecorder returns a recorder that observes bus from now on (nil: nothing; call Observe).
func NewRecorder(bus *Bus) *Recorder {
	r := &Recorder{}
	bus.Observe(r.Observe)
	return r
}

// Observe is the [Observer].
func (r *Recorder) Observe(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if r.wake != nil {
		close(r.wake)
		r.wake = nil
	}
}

// Events returns all events so far; the slice is the caller's.
func (r *Recorder) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Lines returns [Line] of all events so far.
func (r *Recorder) Lines() []string {
	var lines []string
	for _, e := range r.Events() {
		lines = append(lines, Line(e))
	}
	return lines
}

// Steps returns the order in which things began, as "phase" for each phase and
// "phase module step" (or "phase library step") for each step.
func (r *Recorder) Steps() []string {
	var lines []string
	for _, e := range r.Events() {
		switch e := e.(type) {
		case PhaseBegan:
			lines = append(lines, e.Phase.String())
		case StepBegan:
			lines = append(lines, subject(e.Header, e.Step))
		}
	}
	return lines
}

// Wait returns the first event, past or to come, for which match is true, or the
// error of ctx.
func (r *Recorder) Wait(ctx context.Context, match func(Event) bool) (Event, error) {
	for seen := 0; ; {
		r.mu.Lock()
		fresh := r.events[seen:]
		seen = len(r.events)
		if r.wake == nil {
			r.wake = make(chan struct{})
		}
		wake := r.wake
		r.mu.Unlock()
		if i := slices.IndexFunc(fresh, match); i >= 0 {
			return fresh[i], nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, fmt.Errorf("lifecycle: wait for event: %w; seen so far:\n%s", context.Cause(ctx), strings.Join(r.Lines(), "\n"))
		}
	}
}

// Of returns the events of one type, in order: Of[StepEnded](rec.Events()).
func Of[T Event](events []Event) []T {
	var of []T
	for _, e := range events {
		if e, ok := e.(T); ok {
			of = append(of, e)
		}
	}
	return of
}

// Line renders an event as one line without number, time and duration, so that the
// same course of things gives the same lines.
func Line(e Event) string {
	switch e := e.(type) {
	case PhaseBegan:
		return subject(e.Header, "begins")
	case PhaseEnded:
		return subject(e.Header, "ends") + failure(e.Err)
	case StateChanged:
		return fmt.Sprintf("state %s -> %s", e.From, e.To)
	case StepBegan:
		return subject(e.Header, e.Step, "begins")
	case StepEnded:
		return subject(e.Header, e.Step, "ends") + failure(e.Err)
	case StepAbandoned:
		return subject(e.Header, e.Step, fmt.Sprintf("abandoned (limit %v)", e.Limit)) + failure(e.Cause)
	case StepReturnedLate:
		return subject(e.Header, e.Step, "returned late") + failure(e.Err)
	case StepPanicked:
		return subject(e.Header, e.Step, "panicked: "+oneLine(e.Value))
	case CallPanicked:
		return subject(e.Header, "call of", e.Method, "panicked: "+oneLine(e.Value))
	case FindingReported:
		return subject(e.Header, "finding", e.Rule+":", oneLine(e.Text))
	case Notice:
		return subject(e.Header, "notice:", oneLine(e.Text))
	case ProcessLost:
		return subject(e.Header, "process lost ("+e.End+"):", oneLine(e.Cause))
	case ProcessRestarted:
		return subject(e.Header, fmt.Sprintf("process restarted at attempt %d", e.Attempt))
	case RestartFailed:
		return subject(e.Header, fmt.Sprintf("restart %d failed", e.Attempt)) + failure(e.Err)
	case ModuleLost:
		return subject(e.Header, "lost") + failure(e.Cause)
	case ModuleRestarted:
		return subject(e.Header, "restarted")
	case ModuleGivenUp:
		return subject(e.Header, fmt.Sprintf("given up (%s; attempts: %d)", e.Policy, e.Attempts)) + failure(e.Cause)
	case FallbackBound:
		return subject(e.Header, "replaced by", e.Fallback)
	case FallbackReturned:
		return subject(e.Header, "back in the place of", e.Fallback)
	case Gap:
		return fmt.Sprintf("gap: events %d to %d were missed", e.First, e.Last)
	default:
		return fmt.Sprintf("unknown event %T", e)
	}
}

// subject joins phase, module or else library, and the words that follow.
func subject(h Header, words ...string) string {
	who := h.Module
	if who == "" {
		who = h.Library
	}
	all := append([]string{h.Phase.String(), who}, words...)
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

func failure(text string) string {
	if text == "" {
		return ""
	}
	return ": " + oneLine(text)
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }
