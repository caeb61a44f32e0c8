package facade

import (
	"context"
	"fmt"
	"reflect"
)

// Library is what modules come packed in. A Go plugin exports one variable of
// this type under the name Library. The value is read, never written, by the
// module system.
type Library struct {
	// MMSVersion and MesosVersion are the versions the library was built for.
	// Zero values mean those of the facade it is compiled with, which is what
	// everybody but a test wants.
	MMSVersion   int
	MesosVersion string

	// MinMesos is the oldest Mesos release the library works with, as strict
	// semver. Empty means the release it was built for. Older daemons than
	// that are refused in any case, so it can only tighten.
	MinMesos string

	// Modules in the order in which reports show them.
	Modules []Declared
}

// Declared is a module whose role type is erased. Only Module implements it.
type Declared interface {
	// Declare returns the declaration. Every call returns a value of its own.
	Declare() Declaration

	sealed()
}

// Module declares one module that fulfils the role T, an interface of one of
// the packages below roles.
type Module[T any] struct {
	// Name is unique in a daemon: reversed domain, underscores, an identifier
	// (org_example_calculator).
	Name string

	// Version is the module's own, strict semver. It may stay empty; nobody
	// can then require a version of it.
	Version string

	// Author, Email and Description are shown by reports and by
	// "mesos-module inspect".
	Author, Email, Description string

	// Requires names what has to be there before this module is made.
	Requires []Requirement

	// Conflicts names modules that must not be loaded beside this one.
	Conflicts []Conflict

	// After names modules or roles that come first when they are there. It
	// orders, and asks for nothing.
	After []string

	// Parameters describes the parameters that the manifest may set: see
	// SchemaOf. Without a schema every key is passed on unchecked.
	Parameters Schema

	// Compatible opens the module to daemons newer than the release it was
	// built for, and has the last word: an error keeps it out, whatever the
	// other rules say. It runs in the verify phase, before any module of the
	// daemon is made, once, on one goroutine. Without it the versions of
	// library and daemon have to be equal.
	Compatible func(ctx context.Context, view View) error

	// New makes an instance. ctx ends when the module's time limit passes, and
	// is for making only: what the instance does later hangs on
	// host.Lifetime. An instance that holds something implements Closer. New
	// may be called several times, for a site that wants an instance per use,
	// and then from several goroutines.
	New func(ctx context.Context, host Host, p Parameters) (T, error)
}

// Closer is implemented by instances that have something to give back. Close is
// called once, after the last call has returned, with a context that is bounded
// by the module's own limit and independent of whatever went wrong before. It may
// come while the host's lifetime still lasts, for an instance that was made for one
// use, so it ends the instance's background work itself and does not wait for that.
type Closer interface {
	Close(ctx context.Context) error
}

// Requirement is what a module needs: another module by name, or any module of
// a role. Exactly one of Module and Role is set.
type Requirement struct {
	Module string `json:"module,omitempty"`
	Role   string `json:"role,omitempty"`

	// Version is a semver constraint (">=1.1 <2"); empty means any version.
	Version string `json:"version,omitempty"`

	// Optional requirements are ordered and checked when they are there, and
	// not missed when they are not.
	Optional bool `json:"optional,omitempty"`
}

// Conflict names a module that must not be loaded at the same time; with a
// Version, only those versions of it.
type Conflict struct {
	Module  string `json:"module"`
	Version string `json:"version,omitempty"`
}

// Declaration is a Module without its type argument.
type Declaration struct {
	Name, Version              string
	Author, Email, Description string

	// Role is the interface that instances implement.
	Role reflect.Type

	Requires   []Requirement
	Conflicts  []Conflict
	After      []string
	Parameters Schema
	Compatible func(ctx context.Context, view View) error

	// New is nil when the author gave none. Otherwise its result implements
	// Role and is never nil without an error.
	New func(ctx context.Context, host Host, p Parameters) (any, error)
}

func (m Module[T]) sealed() {}

// Declare implements Declared.
func (m Module[T]) Declare() Declaration {
	d := Declaration{
		Name: m.Name, Version: m.Version,
		Author: m.Author, Email: m.Email, Description: m.Description,
		Role:       reflect.TypeFor[T](),
		Requires:   append([]Requirement(nil), m.Requires...),
		Conflicts:  append([]Conflict(nil), m.Conflicts...),
		After:      append([]string(nil), m.After...),
		Parameters: m.Parameters,
		Compatible: m.Compatible,
	}
	if m.New != nil {
		d.New = func(ctx context.Context, host Host, p Parameters) (any, error) {
			instance, err := m.New(ctx, host, p)
			if err != nil {
				return nil, err
			}
			if isNil(instance) {
				return nil, fmt.Errorf("the constructor returned a nil %T and no error; return one of the two", instance)
			}
			return instance, nil
		}
	}
	return d
}

// isNil reports whether v holds nothing to call: nil itself, or a typed nil in
// the interface, which compares unequal to nil and fails only when it is used.
func isNil(v any) bool {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.UnsafePointer:
		return rv.IsNil()
	default:
		return false
	}
}
