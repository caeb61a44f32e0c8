package lifecycle

import "time"

// ProcessLost tells that the process in which a library's code runs has ended, and
// was not asked to.
type ProcessLost struct {
	Header
	PID   int
	End   string // how: exited, signaled, memory, hung, disorder
	Cause string // the same for people, with signal or status
	Said  string // the end of what it wrote to its standard error
}

// ProcessRestarted tells that another process is in its place, and that the instances
// in it and of those that require them are made and bound.
type ProcessRestarted struct {
	Header
	PID      int
	Attempt  int           // 1 for the first since it was lost
	Duration time.Duration // since it was lost
}

// RestartFailed tells that an attempt to start it again failed and is undone.
type RestartFailed struct {
	Header
	Attempt int
	Wait    time.Duration // until the next one; 0 if there is none
	Err     string
}

// ModuleLost tells that the instances of a module are gone with a process: its own, or
// that of a module that it requires.
type ModuleLost struct {
	Header
	Cause string
}

// ModuleRestarted tells that the instances of a lost module are there again.
type ModuleRestarted struct {
	Header
	Duration time.Duration // since they were lost
}

// ModuleGivenUp tells that a lost module is not started again, and what follows.
type ModuleGivenUp struct {
	Header
	Policy   string // required: the daemon stops; optional: it goes on without; fallback: another module takes over
	Attempts int
	Cause    string // of the last attempt's failure
}

// FallbackBound tells that another module stands in for one that was given up.
type FallbackBound struct {
	Header
	Fallback string // the other module
}

// FallbackReturned tells that the module has its place back.
type FallbackReturned struct {
	Header
	Fallback string // the module that stood in
}

// Type implements [Event].
func (ProcessLost) Type() string      { return "ProcessLost" }
func (ProcessRestarted) Type() string { return "ProcessRestarted" }
func (RestartFailed) Type() string    { return "RestartFailed" }
func (ModuleLost) Type() string       { return "ModuleLost" }
func (ModuleRestarted) Type() string  { return "ModuleRestarted" }
func (ModuleGivenUp) Type() string    { return "ModuleGivenUp" }
func (FallbackBound) Type() string    { return "FallbackBound" }
func (FallbackReturned) Type() string { return "FallbackReturned" }

func (e ProcessLost) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Cause, e.Said = clip(e.Cause, maxText), clip(e.Said, maxText)
	return e
}

func (e ProcessRestarted) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	return e
}

func (e RestartFailed) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Err = clip(e.Err, maxText)
	return e
}

func (e ModuleLost) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Cause = clip(e.Cause, maxText)
	return e
}

func (e ModuleRestarted) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	return e
}

func (e ModuleGivenUp) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	e.Cause = clip(e.Cause, maxText)
	return e
}

func (e FallbackBound) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	return e
}

func (e FallbackReturned) stamped(seq uint64, at time.Time) Event {
	e.Header = e.at(seq, at)
	return e
}

func (e ProcessLost) textLen() int   { return len(e.Cause) + len(e.Said) }
func (e RestartFailed) textLen() int { return len(e.Err) }
func (e ModuleLost) textLen() int    { return len(e.Cause) }
func (e ModuleGivenUp) textLen() int { return len(e.Cause) }

func (e ProcessLost) fill(w *wire) { w.PID, w.End, w.Cause, w.Said = e.PID, e.End, e.Cause, e.Said }

func (e ProcessRestarted) fill(w *wire) { w.PID, w.Attempt = e.PID, e.Attempt; w.took(e.Duration) }

func (e RestartFailed) fill(w *wire) {
	w.Attempt, w.Error = e.Attempt, e.Err
	if e.Wait > 0 {
		w.WaitNS, w.Wait = e.Wait, e.Wait.String()
	}
}

func (e ModuleLost) fill(w *wire) { w.Cause = e.Cause }

func (e ModuleRestarted) fill(w *wire) { w.took(e.Duration) }

func (e ModuleGivenUp) fill(w *wire) { w.Policy, w.Attempts, w.Cause = e.Policy, e.Attempts, e.Cause }

func (e FallbackBound) fill(w *wire) { w.Fallback = e.Fallback }

func (e FallbackReturned) fill(w *wire) { w.Fallback = e.Fallback }

// MarshalJSON implements [json.Marshaler].
func (e ProcessLost) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e ProcessRestarted) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e RestartFailed) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e ModuleLost) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e ModuleRestarted) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e ModuleGivenUp) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e FallbackBound) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e FallbackReturned) MarshalJSON() ([]byte, error) { return marshal(e) }
