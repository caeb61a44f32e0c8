package lifecycle

import "time"

// Event is something that happened. The set is closed: the types of this file
// and of process.go. Events are plain comparable values (texts instead of errors), so
// that they can be compared, kept and replayed without holding on to anything a
// module gave out. Use a type switch on the values, not on pointers. Texts are
// bounded when an event is published: 8 KiB for a stack, 4 KiB for any other.
type Event interface {
	// Head returns the part common to all events.
	Head() Header
	// Type returns the name of the type, as it stands in the JSON form.
	Type() string

	stamped(seq uint64, at time.Time) Event
	fill(w *wire)
	textLen() int // bytes of unbounded text, for the memory limit of the bus
}

// Header is what every event has. Seq and At are set by [Bus.Publish]; whoever
// publishes leaves them zero.
type Header struct {
	Seq     uint64    // 1 for the first event of a bus, without gaps
	At      time.Time // wall clock of the bus
	Phase   Phase     // zero outside of any phase
	Module  string    // name of the module, empty if the event is not about one
	Library string    // library as the manifest names it, empty if not about one
}

// Head implements [Event].
func (h Header) Head() Header { return h }
func (h Header) textLen() int { return 0 }

// PhaseBegan opens a phase.
type PhaseBegan struct{ Header }

// PhaseEnded closes a phase, after what a failed phase did was undone.
type PhaseEnded struct {
	Header
	Duration time.Duration
	Err      string // empty when the phase succeeded
}

// StateChanged tells a transition of the [Machine].
type StateChanged struct {
	Header
	From, To State
}

// StepBegan opens a step of one module or library. Each StepBegan is followed by
// exactly one StepEnded of the same step.
type StepBegan struct {
	Header
	Step  string // open, check, create, bind, drain, close, …
	Limit time.Duration
}

// StepEnded closes a step; an abandoned or panicking step has its own event
// before this one.
type StepEnded struct {
	Header
	Step     string
	Duration time.Duration
	Err      string // empty when the step succeeded
}

// StepAbandoned names a step that did not come back: its goroutine is left
// behind, and the rest goes on.
type StepAbandoned struct {
	Header
	Step  string
	Limit time.Duration
	Cause string // why it was given up: its limit, or the end of the caller's context
}

// StepReturnedLate tells that an abandoned step came back after all. Duration
// counts from its beginning. What it made is undone.
type StepReturnedLate struct {
	Header
	Step     string
	Duration time.Duration
	Err      string
}

// StepPanicked tells that a step panicked (or called [runtime.Goexit]).
type StepPanicked struct {
	Header
	Step  string
	Value string
	Stack string
}

// CallPanicked tells that a bound module panicked in a call of the daemon.
type CallPanicked struct {
	Header
	Method string
	Value  string
	Stack  string
}

// FindingReported is one thing verification holds against a module.
type FindingReported struct {
	Header
	Rule string // stable id of the rule
	Text string
	Mend string // what would put it right, empty if nothing is known
}

// Notice is something worth a line that is nobody's failure.
type Notice struct {
	Header
	Text string
}

// Gap stands in a subscription for events that were dropped before the
// subscriber fetched them. Its Seq is that of the last one missed, so that going
// on from Seq+1 is right. A gap is made for one subscriber and is not stored.
type Gap struct {
	Header
	First, Last uint64 // sequence numbers missed, both inclusive
}

// Type implements [Event].
func (PhaseBegan) Type() string       { return "PhaseBegan" }
func (PhaseEnded) Type() string       { return "PhaseEnded" }
func (StateChanged) Type() string     { return "StateChanged" }
func (StepBegan) Type() string        { return "StepBegan" }
func (StepEnded) Type() string        { return "StepEnded" }
func (StepAbandoned) Type() string    { return "StepAbandoned" }
func (StepReturnedLate) Type() string { return "StepReturnedLate" }
func (StepPanicked) Type() string     { return "StepPanicked" }
func (CallPanicked) Type() string     { return "CallPanicked" }
func (FindingReported) Type() string  { return "FindingReported" }
func (Notice) Type() string           { return "Notice" }
func (Gap) Type() string              { return "Gap" }

func (h Header) at(seq uint64, t time.Time) Header {
	h.Seq, h.At = seq, t
	return h
}

func (e PhaseBegan) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	return e
}

func (e PhaseEnded) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Err = clip(e.Err, maxText)
	return e
}

func (e StateChanged) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	return e
}

func (e StepBegan) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	return e
}

func (e StepEnded) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Err = clip(e.Err, maxText)
	return e
}

func (e StepAbandoned) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Cause = clip(e.Cause, maxText)
	return e
}

func (e StepReturnedLate) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Err = clip(e.Err, maxText)
	return e
}

func (e StepPanicked) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Value, e.Stack = clip(e.Value, maxText), clip(e.Stack, maxStack)
	return e
}

func (e CallPanicked) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Value, e.Stack = clip(e.Value, maxText), clip(e.Stack, maxStack)
	return e
}

func (e FindingReported) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Text, e.Mend = clip(e.Text, maxText), clip(e.Mend, maxText)
	return e
}

func (e Notice) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Text = clip(e.Text, maxText)
	return e
}

func (e Gap) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	return e
}

func (e PhaseEnded) textLen() int       { return len(e.Err) }
func (e StepEnded) textLen() int        { return len(e.Err) }
func (e StepReturnedLate) textLen() int { return len(e.Err) }
func (e StepPanicked) textLen() int     { return len(e.Value) + len(e.Stack) }
func (e CallPanicked) textLen() int     { return len(e.Value) + len(e.Stack) }
func (e FindingReported) textLen() int  { return len(e.Text) + len(e.Mend) }
func (e Notice) textLen() int           { return len(e.Text) }
