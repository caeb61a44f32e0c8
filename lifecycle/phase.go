package lifecycle

import (
	"fmt"
	"slices"
)

// Phase is one of the five things that happen to a set of modules, in this
// order. Phases are barriers: all libraries load before any verification. The
// zero Phase means "outside of any phase"; it prints and marshals as empty text.
type Phase uint8

// The phases in order.
const (
	Load Phase = iota + 1
	Verify
	Instantiate
	Bind
	Teardown
)

// phaseNames is indexed by Phase.
var phaseNames = [...]string{"", "load", "verify", "instantiate", "bind", "teardown"}

// Phases returns all phases in order; the slice is the caller's.
func Phases() []Phase { return []Phase{Load, Verify, Instantiate, Bind, Teardown} }

// String returns the lower-case name of the phase.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// MarshalText implements [encoding.TextMarshaler]; a value that is no phase is an error.
func (p Phase) MarshalText() ([]byte, error) { return marshalName(phaseNames[:], int(p), "phase") }

// UnmarshalText implements [encoding.TextUnmarshaler]: the inverse of MarshalText.
func (p *Phase) UnmarshalText(text []byte) error {
	i, err := unmarshalName(phaseNames[:], text, "phase")
	*p = Phase(i)
	return err
}

func marshalName(names []string, i int, what string) ([]byte, error) {
	if i >= len(names) {
		return nil, fmt.Errorf("lifecycle: %d is not a %s", i, what)
	}
	return []byte(names[i]), nil
}

func unmarshalName(names []string, text []byte, what string) (int, error) {
	if i := slices.Index(names, string(text)); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("lifecycle: %q is not a %s", text, what)
}
