package apihttp

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Refusal is an answer that is no success. It is an error, so that checks can hand
// it up.
type Refusal struct {
	Status int
	Text   string // the body; empty for the status' usual one

	Allow      string   // methods, of a 405
	Challenges []string // of a 401
	Location   string   // of a 307
}

// Refuse returns a refusal with a text.
func Refuse(status int, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Text: fmt.Sprintf(format, args...)}
}

// Error is the text.
func (r *Refusal) Error() string {
	if r.Text == "" {
		return standard(r.Status)
	}
	return r.Text
}

// standard is the usual body of a status.
func standard(status int) string {
	return strconv.Itoa(status) + " " + http.StatusText(status) + "."
}

// Write answers with the refusal.
func (r *Refusal) Write(w http.ResponseWriter, q *http.Request) {
	h := w.Header()
	if r.Allow != "" {
		h.Set("Allow", r.Allow)
	}
	if len(r.Challenges) > 0 {
		h.Set("WWW-Authenticate", strings.Join(r.Challenges, ", "))
	}
	if r.Status == http.StatusTemporaryRedirect {
		h.Set("Location", r.Location)
		Empty(w, r.Status)
		return
	}
	h.Set("Content-Type", TypeText)
	h.Set("X-Content-Type-Options", "nosniff")
	body(w, q, r.Status, []byte(r.Error()))
}

// Methods refuses a request whose method is none of those allowed.
func Methods(r *http.Request, allowed ...string) *Refusal {
	for _, m := range allowed {
		if r.Method == m {
			return nil
		}
	}
	quoted := make([]string, len(allowed))
	for i, m := range allowed {
		quoted[i] = "'" + m + "'"
	}
	refusal := Refuse(http.StatusMethodNotAllowed, "405 Method Not Allowed. Expecting one of { %s }, but received '%s'.",
		strings.Join(quoted, ", "), printable(r.Method))
	refusal.Allow = strings.Join(allowed, ", ")
	return refusal
}

// printable keeps what a client wrote from filling an answer.
func printable(text string) string {
	if len(text) > 100 {
		text = text[:100] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}
