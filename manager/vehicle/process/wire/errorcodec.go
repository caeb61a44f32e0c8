package wire

import (
	"errors"
	"syscall"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// Bounds of an error that crosses. What goes beyond them is cut.
const (
	maxErrorText  = 16 << 10 // of one error
	maxErrorTexts = 64 << 10 // of a tree
	maxErrors     = 64       // in a tree
	maxErrorDepth = 16
	maxNames      = 8
	maxName       = 128
)

// Kinds of errors that keep their type.
const (
	kindText   = iota // any other
	kindErrno         // syscall.Errno
	kindGone          // *vehicle.GoneError
	kindMethod        // *UnknownMethodError
	kindObject        // *UnknownObjectError
	kindPanic         // *PanicError
)

// remoteError is an error of the other side.
type remoteError struct {
	text   string
	names  []string // of what it is, also of what is not known here
	is     []error
	causes []error
	joined bool // it wraps several, or none
}

func (e *remoteError) Error() string { return e.text }

// Is reports whether it is one of those that keep their identity.
func (e *remoteError) Is(target error) bool {
	for _, known := range e.is {
		if known == target {
			return true
		}
	}
	return false
}

// remoteWrap is a remoteError that wraps one, remoteJoin one that wraps several: errors
// tells them apart by the signature of Unwrap.
type (
	remoteWrap struct{ *remoteError }
	remoteJoin struct{ *remoteError }
)

func (e remoteWrap) Unwrap() error   { return e.causes[0] }
func (e remoteJoin) Unwrap() []error { return e.causes }

// budget is what may still be written or read of a tree.
type budget struct{ errors, texts, depth int }

// spend takes one error of at most so much text; ok is false if it is too many.
func (b *budget) enter() bool {
	if b.errors >= maxErrors || b.depth >= maxErrorDepth {
		return false
	}
	b.errors++
	b.depth++
	return true
}

func (b *budget) leave() { b.depth-- }

func (b *budget) text(s string) string {
	s = bounded(s, min(maxErrorText, maxErrorTexts-b.texts))
	b.texts += len(s)
	return s
}

const ellipsis = "…"

// bounded makes s UTF-8 of at most limit bytes.
func bounded(s string, limit int) string {
	if len(s) > limit {
		s = s[:max(0, limit-len(ellipsis))]
		for len(s) > 0 && s[len(s)-1] >= 0x80 { // perhaps within a rune
			s = s[:len(s)-1]
		}
		s += ellipsis
	}
	return text(s)
}

func (all identities) encoded(err error) []byte {
	if err == nil {
		return nil
	}
	e := NewEncoder()
	all.put(e, err)
	return e.b
}

func (all identities) decoded(b []byte) error {
	if b == nil {
		return nil
	}
	d := NewDecoder(b)
	if err := all.take(d, new(budget)); d.err == nil {
		return err
	}
	return d.err
}

// put writes err as the values of e: kind, text, names, causes, whether it is joined,
// and what the kind has.
func (all identities) put(e *Encoder, err error) { all.putTree(e, err, new(budget)) }

func (all identities) putTree(e *Encoder, err error, left *budget) {
	left.enter()
	defer left.leave()
	kind, special := all.special(err, left)
	e.Uint32(uint32(kind))
	if kind != kindText {
		e.String("")
		e.Strings(nil)
		e.BytesList(nil)
		e.Bool(false)
		e.Bytes(special)
		return
	}
	e.String(left.text(err.Error()))
	e.Strings(all.namesOf(err))
	causes, joined := causesOf(err)
	e.BytesList(all.putCauses(causes, left))
	e.Bool(joined)
}

func (all identities) putCauses(causes []error, left *budget) [][]byte {
	var list [][]byte
	for _, cause := range causes {
		if cause == nil {
			continue
		}
		if left.errors >= maxErrors || left.depth >= maxErrorDepth {
			break
		}
		e := NewEncoder()
		all.putTree(e, cause, left)
		list = append(list, e.b)
	}
	return list
}

// causesOf returns what err wraps.
func causesOf(err error) (causes []error, joined bool) {
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		return []error{x.Unwrap()}, false
	case interface{ Unwrap() []error }:
		return x.Unwrap(), true
	default:
		return nil, false
	}
}

// special writes what an error that keeps its type consists of.
func (all identities) special(err error, left *budget) (kind int, b []byte) {
	e := NewEncoder()
	switch x := err.(type) {
	case syscall.Errno:
		e.Uint64(uint64(x))
		return kindErrno, e.b
	case *vehicle.GoneError:
		e.String(left.text(x.Module))
		e.String(left.text(x.Library))
		e.Int64(int64(x.PID))
		e.Int64(int64(x.End))
		e.String(left.text(x.Detail))
		e.String(left.text(x.Said))
		return kindGone, e.b
	case *UnknownMethodError:
		e.String(left.text(x.Role))
		e.String(left.text(x.Method))
		e.String(left.text(x.Ours))
		e.String(left.text(x.Theirs))
		return kindMethod, e.b
	case *UnknownObjectError:
		e.Uint64(x.ID)
		return kindObject, e.b
	case *PanicError:
		e.String(bounded(x.Method, maxName))
		e.String(bounded(x.Value, maxPanicValue))
		e.String(bounded(x.Stack, maxPanicStack))
		e.BytesList(all.putCauses([]error{x.cause}, left))
		return kindPanic, e.b
	default:
		return kindText, nil
	}
}

// take reads what put wrote. It returns an error also where d has one.
func (all identities) take(d *Decoder, left *budget) error {
	if !left.enter() {
		d.fail(errors.New("an error wraps too many others"))
		return d.err
	}
	defer left.leave()
	kind := d.Uint32()
	e := &remoteError{text: left.text(d.String())}
	names := d.Strings()
	for _, name := range names[:min(len(names), maxNames)] {
		e.names = append(e.names, bounded(name, maxName))
	}
	for _, b := range d.BytesList() {
		e.causes = append(e.causes, all.takeCause(d, b, left))
		if d.err != nil {
			return d.err
		}
	}
	e.joined = d.Bool()
	special := d.Bytes()
	if d.err != nil {
		return d.err
	}
	if kind != kindText {
		return all.takeSpecial(d, int(kind), special, left)
	}
	return all.local(e)
}

func (all identities) takeCause(d *Decoder, b []byte, left *budget) error {
	inner := NewDecoder(b)
	err := all.take(inner, left)
	if inner.err != nil {
		d.fail(inner.err)
	}
	return err
}

// local returns e, or the error of this side that it is.
func (all identities) local(e *remoteError) error {
	e.is = all.find(e.names)
	switch {
	case len(e.causes) == 0 && len(e.is) == 1 && len(e.names) == 1 && e.is[0].Error() == e.text:
		return e.is[0]
	case e.joined:
		return remoteJoin{e}
	case len(e.causes) == 1:
		return remoteWrap{e}
	case len(e.causes) > 1:
		return remoteJoin{e}
	default:
		return e
	}
}

func (all identities) takeSpecial(outer *Decoder, kind int, b []byte, left *budget) error {
	d := NewDecoder(b)
	var err error
	switch kind {
	case kindErrno:
		err = syscall.Errno(d.Uint64())
	case kindGone:
		err = &vehicle.GoneError{Module: left.text(d.String()), Library: left.text(d.String()), PID: int(d.Int64()),
			End: vehicle.End(d.Int64()), Detail: left.text(d.String()), Said: left.text(d.String())}
	case kindMethod:
		err = &UnknownMethodError{Role: left.text(d.String()), Method: left.text(d.String()),
			Ours: left.text(d.String()), Theirs: left.text(d.String())}
	case kindObject:
		err = &UnknownObjectError{ID: d.Uint64()}
	case kindPanic:
		err = all.takePanic(d, left)
	default:
		outer.fail(errUnknownKind)
		return outer.err
	}
	if d.err != nil {
		outer.fail(d.err)
		return outer.err
	}
	return err
}

func (all identities) takePanic(d *Decoder, left *budget) *PanicError {
	p := &PanicError{Method: bounded(d.String(), maxName), Value: bounded(d.String(), maxPanicValue), Stack: bounded(d.String(), maxPanicStack)}
	if causes := d.BytesList(); len(causes) == 1 {
		p.cause = all.takeCause(d, causes[0], left)
	}
	return p
}

var (
	errUnknownKind = errors.New("an error of a kind that is not known here")
	errEmpty       = errors.New("an empty answer")
)
