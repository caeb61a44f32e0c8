package wire

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
)

// UnknownMethodError says that the other side does not know a method: it is of an
// older or newer release.
type UnknownMethodError struct {
	Role         string // empty where the object has none
	Method       string
	Ours, Theirs string // the releases of the two sides, as they said
}

func (e *UnknownMethodError) Error() string {
	whose := e.Method
	if e.Role != "" {
		whose = e.Role + "." + e.Method
	}
	if e.Theirs == "" {
		return fmt.Sprintf("method %s is not known", whose)
	}
	return fmt.Sprintf("method %s is not known to the other process, which was built for Mesos %s (this one for %s)", whose, e.Theirs, e.Ours)
}

// UnknownMethod is what a servant returns for a method that it does not know.
func UnknownMethod(role, method string) error { return &UnknownMethodError{Role: role, Method: method} }

// UnknownObjectError says that an object is not lent, or not any more.
type UnknownObjectError struct{ ID uint64 }

func (e *UnknownObjectError) Error() string {
	return fmt.Sprintf("object %d is not there, or not any more", e.ID)
}

// versions puts the releases of the two sides into e.
func (c *Conn) versions(e *UnknownMethodError) error {
	e.Ours = c.config.Hello.Mesos
	if theirs, ok := c.Theirs(); ok {
		e.Theirs = theirs.Mesos
	}
	return e
}

// failure turns a link's error into a caller's.
func (r *Remote) failure(ctx context.Context, method string, err error) error {
	if errors.Is(err, link.ErrEnded) {
		return r.lost(method, err)
	}
	if fault, ok := errors.AsType[*link.FaultError](err); ok {
		return &PanicError{Method: method, Value: text(fault.Text), raised: true}
	}
	if ctx.Err() != nil {
		return err
	}
	return within(method, err)
}

// within puts the method in front of err. The one of sinks has no name.
func within(method string, err error) error {
	if method == "" {
		return err
	}
	return fmt.Errorf("%s: %w", method, err)
}

// lost is what a call gets whose connection has ended: it wraps link.ErrEnded, err, and
// what the owner knows.
func (r *Remote) lost(method string, err error) error {
	if !errors.Is(err, link.ErrEnded) {
		err = fmt.Errorf("%w: %w", link.ErrEnded, err)
	}
	if r.gone != nil {
		if gone := r.gone(); gone != nil {
			err = &goneError{why: gone, link: err}
		}
	}
	return within(method, err)
}

// goneError reads as why, and is both.
type goneError struct{ why, link error }

func (e *goneError) Error() string   { return e.why.Error() }
func (e *goneError) Unwrap() []error { return []error{e.why, e.link} }
