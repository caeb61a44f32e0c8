package v1client

import (
	"errors"
	"fmt"
	"net/http"
)

var (
	// ErrTooLarge says that an answer is longer than Config.Limit.
	ErrTooLarge = errors.New("the answer is longer than allowed")

	// ErrSilent says that nothing came on a stream for longer than it may be silent.
	ErrSilent = errors.New("nothing was heard for too long")

	// ErrRedirects says that every server named another one.
	ErrRedirects = errors.New("redirected too often")
)

// StatusError is an answer that is no success.
type StatusError struct {
	Endpoint string // without what comes after the path
	Code     int    // of HTTP
	Text     string // the answer's body, cut; may be empty
}

// Error names who answered what.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s answered %d %s", e.Endpoint, e.Code, http.StatusText(e.Code))
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// Temporary says that the same call may be answered otherwise later: the server recovers, or has too much to do.
func (e *StatusError) Temporary() bool {
	return e.Code == http.StatusServiceUnavailable || e.Code == http.StatusTooManyRequests ||
		e.Code == http.StatusGatewayTimeout || e.Code == http.StatusBadGateway
}

// IsTemporary says whether an error is one that trying again may mend: no answer at all, or a temporary one.
func IsTemporary(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Temporary()
	}
	var transport *TransportError
	return errors.As(err, &transport)
}

// TransportError says that there was no answer.
type TransportError struct {
	Endpoint string
	Err      error
}

// Error names whom the call was for.
func (e *TransportError) Error() string { return fmt.Sprintf("%s: %v", e.Endpoint, e.Err) }

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }
