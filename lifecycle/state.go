package lifecycle

import (
	"fmt"
	"slices"
	"sync"
)

// State is the state of the whole module system. See [Machine] for the diagram.
type State uint8

// The states. New is the zero value.
const (
	New State = iota
	Loading
	Loaded
	Unloading
	Verifying
	Verified
	Instantiating
	Instantiated
	Binding
	Bound
	TearingDown
	Down
)

// stateNames is indexed by State.
var stateNames = [...]string{
	"new", "loading", "loaded", "unloading", "verifying", "verified",
	"instantiating", "instantiated", "binding", "bound", "tearing down", "down",
}

// String returns the lower-case name of the state.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText implements [encoding.TextMarshaler]; a value that is no state is an error.
func (s State) MarshalText() ([]byte, error) { return marshalName(stateNames[:], int(s), "state") }

// UnmarshalText implements [encoding.TextUnmarshaler]: the inverse of MarshalText.
func (s *State) UnmarshalText(text []byte) error {
	i, err := unmarshalName(stateNames[:], text, "state")
	*s = State(i)
	return err
}

// successors is indexed by State: where one may go from there.
var successors = [...][]State{
	New:           {Loading, TearingDown},
	Loading:       {Loaded, New},
	Loaded:        {Loading, Unloading, Verifying, TearingDown},
	Unloading:     {Loaded, New},
	Verifying:     {Verified, Loaded},
	Verified:      {Instantiating, TearingDown},
	Instantiating: {Instantiated, Verified},
	Instantiated:  {Binding, TearingDown},
	Binding:       {Bound, Instantiated},
	Bound:         {TearingDown},
	TearingDown:   {Down},
	Down:          nil,
}

// Machine holds the state and refuses changes that the diagram does not show.
//
//	New           ◀──┬─────────────────────┐
//	 │               │ failed              │ nothing left
//	Loading  ────────┤                     │
//	 │  ▲            │ failed (again)      │
//	 ▼  │ again      ▼                     │
//	Loaded        ◀──┬──────────────────  Unloading  ◀── Loaded
//	 │               │ failed
//	Verifying  ──────┘
//	 ▼
//	Verified      ◀──┐
//	 │               │ failed
//	Instantiating  ──┘
//	 ▼
//	Instantiated  ◀──┐
//	 │               │ failed
//	Binding  ────────┘
//	 ▼
//	Bound
//
//	New, Loaded, Verified, Instantiated, Bound  ──▶  TearingDown  ──▶  Down
//
// A phase that failed has undone itself, so the state is again the one it came
// from: New, or Loaded if earlier loads stand. Down is final.
type Machine struct {
	mu    sync.Mutex
	state State
	bus   *Bus
}

// NewMachine returns a machine in state [New] that publishes every change as
// [StateChanged] on bus (nil: nowhere).
func NewMachine(bus *Bus) *Machine { return &Machine{bus: bus} }

// State returns the present state.
func (m *Machine) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// To changes the state, or returns a *[TransitionError] and leaves it as it is.
func (m *Machine) To(next State) error {
	m.mu.Lock()
	from := m.state
	if int(from) >= len(successors) || !slices.Contains(successors[from], next) {
		m.mu.Unlock()
		return &TransitionError{From: from, To: next}
	}
	m.state = next
	m.mu.Unlock() // before observers run: they may ask for the state
	m.bus.Publish(StateChanged{From: from, To: next})
	return nil
}

// TransitionError is an attempt to change the state in a way the diagram of
// [Machine] does not show: a phase out of order, or one that is under way.
type TransitionError struct{ From, To State }

func (e *TransitionError) Error() string {
	return fmt.Sprintf("lifecycle: no way from state %q to %q", e.From, e.To)
}
