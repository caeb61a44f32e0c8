package wire

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
)

// Identity is an error that somebody decides by, with the name by which it crosses.
// The name never changes.
type Identity struct {
	Name  string
	Error error
}

// Identities returns the errors that keep their identity on the way to the other side:
// errors.Is finds them there. So do system call numbers (syscall.Errno) and
// *vehicle.GoneError with its fields. Of all others the text crosses, and the tree of
// what they wrap.
func Identities() []Identity {
	return []Identity{
		{"context.Canceled", context.Canceled},
		{"context.DeadlineExceeded", context.DeadlineExceeded},
		{"errors.ErrUnsupported", errors.ErrUnsupported},
		{"fs.ErrClosed", fs.ErrClosed},
		{"fs.ErrExist", fs.ErrExist},
		{"fs.ErrInvalid", fs.ErrInvalid},
		{"fs.ErrNotExist", fs.ErrNotExist},
		{"fs.ErrPermission", fs.ErrPermission},
		{"io.EOF", io.EOF},
		{"io.ErrClosedPipe", io.ErrClosedPipe},
		{"io.ErrNoProgress", io.ErrNoProgress},
		{"io.ErrShortBuffer", io.ErrShortBuffer},
		{"io.ErrShortWrite", io.ErrShortWrite},
		{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF},
		{"net.ErrClosed", net.ErrClosed},
		{"os.ErrDeadlineExceeded", os.ErrDeadlineExceeded},
		{"os.ErrProcessDone", os.ErrProcessDone},
	}
}

// identities are the errors that a connection knows by name.
type identities []Identity

func identitiesWith(more []Identity) identities { return append(identities(Identities()), more...) }

// namesOf returns the names of what err itself is, without what it wraps.
func (all identities) namesOf(err error) []string {
	if r, ok := err.(interface{ itself() *remoteError }); ok {
		return r.itself().names
	}
	is, _ := err.(interface{ Is(error) bool })
	var names []string
	for _, known := range all {
		if err == known.Error || is != nil && is.Is(known.Error) {
			names = append(names, known.Name)
		}
	}
	return names
}

// find returns the errors of these names, those that are known here.
func (all identities) find(names []string) []error {
	var found []error
	for _, name := range names {
		for _, known := range all {
			if known.Name == name {
				found = append(found, known.Error)
			}
		}
	}
	return found
}
