package mesosjson

import (
	"errors"
	"fmt"
	"strings"
)

// MaxDepth is how deep objects and arrays may be nested, in what is read and in what is written.
const MaxDepth = 200

// ErrLimit is wrapped by the errors that say that a bound is exceeded: of depth, of bytes, of values or of memory.
var ErrLimit = errors.New("limit exceeded")

// SyntaxError says that a text is not JSON as Mesos reads it, or more of it than is allowed.
type SyntaxError struct {
	Offset  int // in bytes, where it shows
	Problem string
	Err     error // ErrLimit, or nil
}

// Error names the place.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Problem, e.Offset) }

// Unwrap returns ErrLimit when a bound is exceeded.
func (e *SyntaxError) Unwrap() error { return e.Err }

// FieldError says that a value does not fit the field it is given for.
type FieldError struct {
	Path    string // from the message that is read: accept.operations[1].type; empty for the message itself
	Problem string
}

// Error names the field by its path.
func (e *FieldError) Error() string {
	if e.Path == "" {
		return e.Problem
	}
	return e.Path + ": " + e.Problem
}

// maxNamed bounds how many missing fields an error names: a small text can lack a million.
const maxNamed = 50

// MissingError says which required fields a message lacks.
type MissingError struct {
	Paths []string // as in FieldError, those of a message before those of its fields; the first 50
	More  bool     // there are others
}

// Error names all paths there are.
func (e *MissingError) Error() string {
	text := "missing required fields: " + strings.Join(e.Paths, ", ")
	if e.More {
		text += " and more"
	}
	return text
}

// path is the way from a message to one of its values, as one slice that grows and shrinks.
type path []step

type step struct {
	name  string // a field
	key   string // of a map
	index int    // in a list
	kind  stepKind
}

type stepKind byte

const (
	stepField stepKind = iota
	stepIndex
	stepKey
)

// maxKey bounds what of a map's key is shown.
const maxKey = 64

func (p path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch s.kind {
		case stepField:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		case stepIndex:
			fmt.Fprintf(&b, "[%d]", s.index)
		case stepKey:
			fmt.Fprintf(&b, "[%s]", quote(s.key))
		}
	}
	return b.String()
}

// quote shows a text of somebody else's, shortened.
func quote(text string) string {
	if len(text) > maxKey {
		return fmt.Sprintf("%q…", text[:maxKey])
	}
	return fmt.Sprintf("%q", text)
}
