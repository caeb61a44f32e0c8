// Package bridge makes the instances of modules reachable from another process: for
// every role a stub, which implements the role's Go interface and calls, and a servant,
// which is called and hands on to an instance. It is generated from the interfaces, as
// is what each build knows of them, which the two sides tell each other.
package bridge

import (
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// Stub returns an instance of a role whose methods are those of r, an object of the
// other side that answers as Servant's do. ok is false if this build knows no such
// role.
//
// A method that the other side does not know (see wire.Hello) is answered here: with
// the role's default if it has one, with a *wire.UnknownMethodError else. A panic of
// the other side's instance is raised again, as a *wire.PanicError. With an error all
// other results are zero.
//
// Parameters are read before a method returns, or not at all, and nothing is kept.
// Sinks are called in goroutines of the connection, while the caller of the other side
// waits, and not after ctx has ended.
func Stub(role string, r *wire.Remote) (instance any, ok bool) {
	make := stubs(role)
	if make == nil {
		return nil, false
	}
	return make(r), true
}

// Servant returns what answers for an instance. ok is false if this build knows no
// such role, or the instance does not implement it.
func Servant(role string, instance any) (s wire.Servant, ok bool) {
	make := servants(role)
	if make == nil {
		return nil, false
	}
	return make(instance)
}

// Roles returns what this build knows: for wire.Hello. The slices are the caller's.
func Roles() []wire.RoleMethods { return known() }
