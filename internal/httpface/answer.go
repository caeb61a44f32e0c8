package httpface

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// problem is the body of an answer that is no success.
type problem struct {
	Error string   `json:"error"`
	Near  []string `json:"near,omitempty"` // what may have been meant
}

// fail answers with a problem, as text where text is wanted.
func fail(w http.ResponseWriter, r *http.Request, status int, p problem) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if wantsText(r) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintln(w, p.Error)
		for _, near := range p.Near {
			fmt.Fprintln(w, "  "+near)
		}
		return
	}
	answer(w, status, p)
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // constraints are full of < and >
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, "application/json", status, b.Bytes())
}

func send(w http.ResponseWriter, contentType string, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader that has gone needs no answer
}

// render answers with what write writes, or with its error.
func render(w http.ResponseWriter, r *http.Request, contentType string, write func(*bytes.Buffer) error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		fail(w, r, http.StatusInternalServerError, problem{Error: err.Error()})
		return
	}
	send(w, contentType, http.StatusOK, b.Bytes())
}

const plain = "text/plain; charset=utf-8"

// wantsText reports whether a person asks: ?format=text, or an Accept that names
// plain text before JSON.
func wantsText(r *http.Request) bool {
	switch r.URL.Query().Get("format") {
	case "text":
		return true
	case "json":
		return false
	}
	accept := r.Header.Get("Accept")
	text := strings.Index(accept, "text/plain")
	other := strings.Index(accept, "application/json")
	return text >= 0 && (other < 0 || text < other)
}
