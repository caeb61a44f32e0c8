package libprocess

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// MaxBody is the greatest message in bytes that is received: an agent's account of
// a hundred thousand tasks fits.
const MaxBody = 64 << 20

// The headers that make a request a message.
const (
	fromHeader  = "Libprocess-From"
	agentHeader = "User-Agent"
	agentPrefix = "libprocess/"
)

// Envelope is a message as it came, still serialised.
type Envelope struct {
	From PID    // as the sender says; proves nothing
	To   string // name of the process
	Name string // full name of the message
	Body []byte
}

// IsMessage reports whether a request is a message, whatever its path: a POST that
// names its sender in one of the two ways there are.
func IsMessage(r *http.Request) bool {
	return r.Method == http.MethodPost &&
		(r.Header.Get(fromHeader) != "" || strings.HasPrefix(r.Header.Get(agentHeader), agentPrefix))
}

// Decode reads a request that is a message. The bool is false for any other
// request, of which nothing has been read then. An error wraps ErrTooLarge if the
// body is longer than MaxBody. How long a sender may take is up to the deadlines of
// the connection.
func Decode(r *http.Request) (Envelope, bool, error) {
	if !IsMessage(r) {
		return Envelope{}, false, nil
	}
	e, err := decode(r)
	return e, true, err
}

// senderOf is the sender as a message names him.
func senderOf(r *http.Request) string {
	if sender := r.Header.Get(fromHeader); sender != "" {
		return sender
	}
	return strings.TrimPrefix(r.Header.Get(agentHeader), agentPrefix)
}

// ErrTooLarge says that a message is longer than MaxBody.
var ErrTooLarge = errors.New("the message is longer than allowed")

func decode(r *http.Request) (Envelope, error) {
	from, err := ParsePID(senderOf(r))
	if err != nil {
		return Envelope{}, fmt.Errorf("read the sender of a message: %w", err)
	}
	to, name, ok := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if !ok || to == "" || name == "" {
		return Envelope{}, fmt.Errorf("message from %v: the path %q is not /PROCESS/MESSAGE", from, r.URL.Path)
	}
	if to, err = url.PathUnescape(to); err != nil {
		return Envelope{}, fmt.Errorf("message from %v: read the name of the process: %w", from, err)
	}
	if r.ContentLength > MaxBody {
		return Envelope{}, fmt.Errorf("message %s from %v: %w", name, from, ErrTooLarge)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	switch {
	case err != nil:
		return Envelope{}, fmt.Errorf("read message %s from %v: %w", name, from, err)
	case len(body) > MaxBody:
		return Envelope{}, fmt.Errorf("message %s from %v: %w", name, from, ErrTooLarge)
	}
	return Envelope{From: from, To: to, Name: name, Body: body}, nil
}

// Receiver returns a handler that takes messages out of the requests that come in:
// deliver is given each, from the goroutine of its connection, and says whether
// there is a process of that name; it must not block for long, as messages of one
// connection come one after another. Other requests go on to next.
func Receiver(deliver func(Envelope) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, ok, err := Decode(r)
		switch {
		case !ok:
			next.ServeHTTP(w, r)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		case deliver(e):
			w.WriteHeader(http.StatusAccepted)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

// SamePeer refuses messages whose sender says that he is at another IP address than
// the one they come from. It stands before a receiver where the operator wants it.
func SamePeer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if IsMessage(r) {
			from, err := ParsePID(senderOf(r))
			peer, unknown := netip.ParseAddrPort(r.RemoteAddr)
			if err != nil || unknown != nil || from.Addr.Addr() != peer.Addr().Unmap() {
				http.Error(w, "the sender is not where the message comes from", http.StatusBadRequest)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
