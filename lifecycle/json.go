package lifecycle

import (
	"encoding/json"
	"fmt"
	"time"
)

// wire is the JSON form of all events: one flat object, fields in this order,
// empty ones left out. Durations stand twice, as nanoseconds and as text.
type wire struct {
	Type       string        `json:"type"`
	Seq        uint64        `json:"seq"`
	At         time.Time     `json:"at"`
	Phase      Phase         `json:"phase,omitzero"`
	Module     string        `json:"module,omitempty"`
	Library    string        `json:"library,omitempty"`
	Step       string        `json:"step,omitempty"`
	Method     string        `json:"method,omitempty"`
	From       *State        `json:"from,omitempty"`
	To         *State        `json:"to,omitempty"`
	LimitNS    time.Duration `json:"limit_ns,omitempty"`
	Limit      string        `json:"limit,omitempty"`
	DurationNS time.Duration `json:"duration_ns,omitempty"`
	Duration   string        `json:"duration,omitempty"`
	Rule       string        `json:"rule,omitempty"`
	Text       string        `json:"text,omitempty"`
	Mend       string        `json:"mend,omitempty"`
	Cause      string        `json:"cause,omitempty"`
	Value      string        `json:"value,omitempty"`
	Stack      string        `json:"stack,omitempty"`
	PID        int           `json:"pid,omitempty"`
	End        string        `json:"end,omitempty"`
	Said       string        `json:"said,omitempty"`
	Attempt    int           `json:"attempt,omitempty"`
	Attempts   int           `json:"attempts,omitempty"`
	WaitNS     time.Duration `json:"wait_ns,omitempty"`
	Wait       string        `json:"wait,omitempty"`
	Policy     string        `json:"policy,omitempty"`
	Fallback   string        `json:"fallback,omitempty"`
	First      uint64        `json:"first,omitempty"`
	Last       uint64        `json:"last,omitempty"`
	Error      string        `json:"error,omitempty"`
}

// marshal makes the JSON form of an event; every event has it as MarshalJSON.
func marshal(e Event) ([]byte, error) {
	h := e.Head()
	w := wire{Type: e.Type(), Seq: h.Seq, At: h.At, Phase: h.Phase, Module: h.Module, Library: h.Library}
	e.fill(&w)
	return json.Marshal(w)
}

// ParseEvent is the inverse of [json.Marshal] of an event. An unknown type is an error that
// names it; unknown fields are passed over, as a newer daemon may send more.
func ParseEvent(data []byte) (Event, error) {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("lifecycle: parse event: %w", err)
	}
	h := Header{Seq: w.Seq, At: w.At, Phase: w.Phase, Module: w.Module, Library: w.Library}
	switch w.Type {
	case PhaseBegan{}.Type():
		return PhaseBegan{h}, nil
	case PhaseEnded{}.Type():
		return PhaseEnded{h, w.DurationNS, w.Error}, nil
	case StateChanged{}.Type():
		if w.From == nil || w.To == nil {
			return nil, fmt.Errorf("lifecycle: parse event: %s %d lacks from or to", w.Type, w.Seq)
		}
		return StateChanged{h, *w.From, *w.To}, nil
	case StepBegan{}.Type():
		return StepBegan{h, w.Step, w.LimitNS}, nil
	case StepEnded{}.Type():
		return StepEnded{h, w.Step, w.DurationNS, w.Error}, nil
	case StepAbandoned{}.Type():
		return StepAbandoned{h, w.Step, w.LimitNS, w.Cause}, nil
	case StepReturnedLate{}.Type():
		return StepReturnedLate{h, w.Step, w.DurationNS, w.Error}, nil
	case StepPanicked{}.Type():
		return StepPanicked{h, w.Step, w.Value, w.Stack}, nil
	case CallPanicked{}.Type():
		return CallPanicked{h, w.Method, w.Value, w.Stack}, nil
	case FindingReported{}.Type():
		return FindingReported{h, w.Rule, w.Text, w.Mend}, nil
	case Notice{}.Type():
		return Notice{h, w.Text}, nil
	case ProcessLost{}.Type():
		return ProcessLost{h, w.PID, w.End, w.Cause, w.Said}, nil
	case ProcessRestarted{}.Type():
		return ProcessRestarted{h, w.PID, w.Attempt, w.DurationNS}, nil
	case RestartFailed{}.Type():
		return RestartFailed{h, w.Attempt, w.WaitNS, w.Error}, nil
	case ModuleLost{}.Type():
		return ModuleLost{h, w.Cause}, nil
	case ModuleRestarted{}.Type():
		return ModuleRestarted{h, w.DurationNS}, nil
	case ModuleGivenUp{}.Type():
		return ModuleGivenUp{h, w.Policy, w.Attempts, w.Cause}, nil
	case FallbackBound{}.Type():
		return FallbackBound{h, w.Fallback}, nil
	case FallbackReturned{}.Type():
		return FallbackReturned{h, w.Fallback}, nil
	case Gap{}.Type():
		return Gap{h, w.First, w.Last}, nil
	default:
		return nil, fmt.Errorf("lifecycle: parse event: unknown type %q", w.Type)
	}
}

func (e PhaseBegan) fill(*wire) {}

func (e PhaseEnded) fill(w *wire) { w.took(e.Duration); w.Error = e.Err }

func (e StateChanged) fill(w *wire) { w.From, w.To = &e.From, &e.To }

func (e StepBegan) fill(w *wire) { w.Step = e.Step; w.limited(e.Limit) }

func (e StepEnded) fill(w *wire) { w.Step, w.Error = e.Step, e.Err; w.took(e.Duration) }

func (e StepAbandoned) fill(w *wire) { w.Step, w.Cause = e.Step, e.Cause; w.limited(e.Limit) }

func (e StepReturnedLate) fill(w *wire) { w.Step, w.Error = e.Step, e.Err; w.took(e.Duration) }

func (e StepPanicked) fill(w *wire) { w.Step, w.Value, w.Stack = e.Step, e.Value, e.Stack }

func (e CallPanicked) fill(w *wire) { w.Method, w.Value, w.Stack = e.Method, e.Value, e.Stack }

func (e FindingReported) fill(w *wire) { w.Rule, w.Text, w.Mend = e.Rule, e.Text, e.Mend }

func (e Notice) fill(w *wire) { w.Text = e.Text }

func (e Gap) fill(w *wire) { w.First, w.Last = e.First, e.Last }

func (w *wire) took(d time.Duration) { w.DurationNS, w.Duration = d, d.String() }

func (w *wire) limited(d time.Duration) { w.LimitNS, w.Limit = d, d.String() }

// MarshalJSON implements [json.Marshaler].
func (e PhaseBegan) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e PhaseEnded) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e StateChanged) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e StepBegan) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e StepEnded) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e StepAbandoned) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e StepReturnedLate) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e StepPanicked) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e CallPanicked) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e FindingReported) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e Notice) MarshalJSON() ([]byte, error) { return marshal(e) }

// MarshalJSON implements [json.Marshaler].
func (e Gap) MarshalJSON() ([]byte, error) { return marshal(e) }
