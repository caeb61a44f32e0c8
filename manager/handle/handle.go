// Package handle makes what a binding site hands to its daemon: a value that
// implements a role, forwards to the module that is bound at the moment, and
// never changes identity.
//
// One handle per role is generated from the role's interface, in the files that
// begin with zz_. They differ in their methods only; everything else is here.
//
// A call costs two atomic adds and a deferred function: the count of calls that
// are inside lets a module be taken away or replaced without losing one, and a
// panic in a module becomes an error to the caller.
package handle

import (
	"context"
	"fmt"
)

// Handle is what the manager does with a handle. The daemon sees the same value
// as the role's interface. All methods, and those of the role, may be called from
// any goroutine at any time.
type Handle interface {
	// Bind gives the handle its module. It fails with a *TypeError if instance
	// does not implement the role, and with ErrBound if there is one already.
	Bind(instance any) error

	// Replace puts another instance in the place of the bound one. Calls that
	// come after go to the new one; those inside the old one finish there, and
	// Replace waits for them until ctx ends, then says in a *BusyError how many
	// are left. The new instance is bound in either case, unless the error is
	// a *TypeError or wraps ErrUnbound. With a nil error nobody is inside the
	// old instance any more, and it can be closed.
	Replace(ctx context.Context, instance any) error

	// Unbind takes the module away. No call gets in any more: the caller gets
	// an error that wraps ErrUnbound. Unbind waits for the calls inside, also
	// those of replaced instances, until ctx ends, then says in a *BusyError
	// how many are left. Called again, it waits for these again. Without a
	// module it does nothing.
	Unbind(ctx context.Context) error

	// Away says why no module is bound, for when none is: calls then get an
	// *UnavailableError with this cause. nil takes it back. It binds and unbinds
	// nothing, and waits for nobody.
	Away(cause error)
}

// Options say for whom a handle is made.
type Options struct {
	// Site is the flag of the binding site, without dashes, for errors. It is
	// empty for what no flag binds.
	Site string

	// Role is what errors call the role; New sets it if it is empty.
	Role string

	// Module is what errors call the module.
	Module string

	// Panicked is told of each call that panicked, before the caller gets its
	// error, and of each that ended its goroutine by runtime.Goexit, with
	// ErrGoexit as the value. It runs on the calling goroutine, and may be nil.
	Panicked func(method string, value any, stack []byte)
}

// New makes a handle for a role. It fails if the role has no interface.
func New(role string, o Options) (Handle, error) {
	if o.Role == "" {
		o.Role = role
	}
	h, ok := forRole(role, o)
	if !ok {
		return nil, fmt.Errorf("role %q has no interface, so there is nothing to bind a module to", role)
	}
	return h, nil
}
