package wire

import (
	"errors"
	"syscall"
	"unicode/utf8"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// Bounds of an error that crosses. What goes beyond them is cut.
const (
	maxErrorText  = 16 << 10 // of one error
	maxErrorTexts = 64 << 10 // of a tree
	maxErrors     = 64       // in a tree
	maxErrorDepth = 16
	maxField      = 4 << 10 // of what an error that keeps its type has
	maxName       = 128
)

// Kinds of errors that keep their type.
const (
	kindText   uint32 = iota // any other
	kindErrno                // syscall.Errno
	kindGone                 // *vehicle.GoneError
	kindMethod               // *UnknownMethodError
	kindObject               // *UnknownObjectError
	kindPanic                // *PanicError
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

func (e *remoteError) itself() *remoteError { return e }

// budget is what was written or read of a tree.
type budget struct{ errors, texts, depth int }

// enter goes to the next error, and returns false if it is one too many.
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
		end := max(0, limit-len(ellipsis))
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + ellipsis
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
// and what the kind has. A side that does not know the kind has the others.
func (all identities) put(e *Encoder, err error) { all.putTree(e, err, new(budget)) }

func (all identities) putTree(e *Encoder, err error, left *budget) {
	left.enter()
	defer left.leave()
	kind, special := special(err)
	e.Uint32(kind)
	e.String(left.text(err.Error()))
	e.Strings(all.namesOf(err))
	causes, joined := causesOf(err)
	e.BytesList(all.putCauses(causes, left))
	e.Bool(joined)
	e.Bytes(special)
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
func special(err error) (kind uint32, b []byte) {
	e := NewEncoder()
	short := func(s string) { e.String(bounded(s, maxField)) }
	switch x := err.(type) {
	case syscall.Errno:
		kind = kindErrno
		e.Uint64(uint64(x))
	case *vehicle.GoneError:
		kind = kindGone
		short(x.Module)
		short(x.Library)
		e.Int64(int64(x.PID))
		e.Int64(int64(x.End))
		short(x.Detail)
		short(x.Said)
	case *UnknownMethodError:
		kind = kindMethod
		short(x.Role)
		short(x.Method)
		short(x.Ours)
		short(x.Theirs)
	case *UnknownObjectError:
		kind = kindObject
		e.Uint64(x.ID)
	case *PanicError:
		kind = kindPanic
		short(x.Method)
		short(x.Value)
		e.String(bounded(x.Stack, maxPanicStack))
	default:
		return kindText, nil
	}
	return kind, e.b
}

// take reads what put wrote. It returns an error also where d has one.
func (all identities) take(d *Decoder, left *budget) error {
	if !left.enter() {
		d.fail(errors.New("an error wraps too many others"))
		return d.err
	}
	defer left.leave()
	d.most = maxErrors
	kind := d.Uint32()
	e := &remoteError{text: left.text(d.Text(maxErrorText))}
	for _, name := range d.Strings() {
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
	if err := takeSpecial(d, kind, special, e); err != nil {
		return err
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

// takeSpecial returns an error that keeps its type, and nil for any other. e is the rest
// of it.
func takeSpecial(outer *Decoder, kind uint32, b []byte, e *remoteError) error {
	d := NewDecoder(b)
	short := func() string { return d.Text(maxField) }
	var err error
	switch kind {
	case kindErrno:
		err = syscall.Errno(d.Uint64())
	case kindGone:
		err = &vehicle.GoneError{Module: short(), Library: short(), PID: int(d.Int64()), End: vehicle.End(d.Int64()),
			Detail: short(), Said: short()}
	case kindMethod:
		err = &UnknownMethodError{Role: short(), Method: short(), Ours: short(), Theirs: short()}
	case kindObject:
		err = &UnknownObjectError{ID: d.Uint64()}
	case kindPanic:
		p := &PanicError{Method: short(), Value: short(), Stack: d.Text(maxPanicStack)}
		if len(e.causes) == 1 {
			p.cause = e.causes[0]
		}
		err = p
	default: // a newer side's: its text is there
		return nil
	}
	if d.err != nil {
		outer.fail(d.err)
		return outer.err
	}
	return err
}

var errEmpty = errors.New("an empty answer")
