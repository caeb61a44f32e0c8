package handle

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

var (
	// ErrUnbound is what calls get while no module is bound.
	ErrUnbound = errors.New("no module is bound")

	// ErrBound is what Bind gives if there is a module already.
	ErrBound = errors.New("a module is bound already")

	// ErrGoexit is the value reported for a call that ended its goroutine by
	// runtime.Goexit instead of returning. Nobody gets it as an error: the
	// goroutine that could is gone.
	ErrGoexit = errors.New("called runtime.Goexit")
)

// TypeError says that an instance does not implement the role.
type TypeError struct {
	Site, Role, Module string

	// Want is the role's interface; Got the type of the instance, nil for nil.
	Want, Got reflect.Type
}

func (e *TypeError) Error() string {
	got := "nil"
	switch {
	case e.Got == nil:
	case e.Got.Implements(e.Want):
		got = "a nil " + e.Got.String()
	default:
		got = "a " + e.Got.String()
	}
	return fmt.Sprintf("%s: module %s gave %s, and the role %s wants a %v", place(e.Site, e.Role), named(e.Module), got, e.Role, e.Want)
}

// PanicError is what the caller gets of a call that panicked. The site stays
// bound: other calls are not affected.
type PanicError struct {
	Site, Role, Module, Method string

	// Value is what the module panicked with.
	Value any
}

// maxPanicText bounds what a panic's value can put into an error.
const maxPanicText = 1024

func (e *PanicError) Error() string {
	text := fmt.Sprint(e.Value)
	if len(text) > maxPanicText {
		text = strings.ToValidUTF8(text[:maxPanicText], "") + "…" // a rune may have been cut
	}
	return fmt.Sprintf("module %s (role %s) panicked in %s: %s", named(e.Module), e.Role, e.Method, text)
}

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// BusyError says that calls were still inside a module when the time to wait for
// them was over.
type BusyError struct {
	Site, Role, Module string
	Calls              int
	Cause              error // why the wait ended
}

func (e *BusyError) Error() string {
	calls := "1 call is"
	if e.Calls != 1 {
		calls = fmt.Sprintf("%d calls are", e.Calls)
	}
	return fmt.Sprintf("%s: %s still inside module %s: %v", place(e.Site, e.Role), calls, named(e.Module), e.Cause)
}

func (e *BusyError) Unwrap() error { return e.Cause }

// UnavailableError is what calls get while a module is away that is otherwise bound:
// its process has ended, or that of a module which it requires. It is ErrUnbound, and
// what Cause is.
type UnavailableError struct {
	Site, Role, Module, Method string

	// Cause is why it is away. It mostly wraps a *vehicle.GoneError.
	Cause error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s: %s: module %s is unavailable: %v", place(e.Site, e.Role), e.Method, named(e.Module), e.Cause)
}

// Unwrap returns ErrUnbound and the cause.
func (e *UnavailableError) Unwrap() []error { return []error{ErrUnbound, e.Cause} }

type unboundError struct{ site, role, method string }

func (e *unboundError) Error() string {
	return fmt.Sprintf("%s: %s: %v", place(e.site, e.role), e.method, ErrUnbound)
}

func (e *unboundError) Unwrap() error { return ErrUnbound }

type boundError struct{ site, role, module string }

func (e *boundError) Error() string {
	return fmt.Sprintf("%s: bind module %s: %v; Replace puts another in its place", place(e.site, e.role), named(e.module), ErrBound)
}

func (e *boundError) Unwrap() error { return ErrBound }

// place names the binding site, which has a role and mostly a flag.
func place(site, role string) string {
	if site == "" {
		return "role " + role
	}
	return fmt.Sprintf("site --%s (role %s)", site, role)
}

func named(module string) string {
	if module == "" {
		return "(unnamed)"
	}
	return module
}
