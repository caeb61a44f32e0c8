package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/internal/nearest"
)

// Bounds of one manifest text. They are far above what a daemon can use and far below what hurts it.
const (
	DefaultMaxBytes = 1 << 20
	MaxLibraries    = 10_000
	MaxModules      = 20_000
	MaxParameters   = 50_000
	maxDepth        = 64 // of values below an unknown key; known ones nest eight deep
)

// reader walks the tokens of one text and collects what is wrong with it. The token decoder knows no positions of its
// own tokens, only where the last one ended, which is enough: see next.
type reader struct {
	text       text
	tokens     *json.Decoder
	relaxed    bool
	stopped    bool // by a syntax error or a bound: no more tokens come
	more       bool // problems than are kept
	problems   []*Problem
	notices    []Notice
	libraries  int
	modules    int
	parameters int
	paths      int
	variables  int
}

// token is one JSON token with the offset of its first byte and what it looked like.
type token struct {
	value json.Token
	start int
	raw   []byte
}

func newReader(t text, o Options) *reader {
	r := &reader{text: t, relaxed: o.Relaxed, tokens: json.NewDecoder(bytes.NewReader(t.data))}
	r.tokens.UseNumber()
	return r
}

// next returns the next token; false if there is none, and then never again.
func (r *reader) next() (token, bool) {
	if r.stopped {
		return token{}, false
	}
	start := int(r.tokens.InputOffset())
	value, err := r.tokens.Token()
	if err != nil {
		r.stopped = true // the syntax check has reported why
		return token{}, false
	}
	for bytes.IndexByte([]byte(" \t\r\n,:"), r.text.data[start]) >= 0 {
		start++
	}
	return token{value, start, r.text.data[start:r.tokens.InputOffset()]}, true
}

// inside says whether the object or array being read goes on.
func (r *reader) inside() bool { return !r.stopped && r.tokens.More() }

// report notes a problem, unless reading has stopped: what is then missing was not read, which is no fault of the text.
func (r *reader) report(at Position, format string, arguments ...any) {
	switch {
	case r.stopped:
	case len(r.problems) == maxProblems:
		r.more, r.stopped = true, true
	default:
		r.problems = append(r.problems, &Problem{At: at, Text: fmt.Sprintf(format, arguments...)})
	}
}

// stop notes a problem after which reading can't go on.
func (r *reader) stop(at Position, format string, arguments ...any) {
	r.report(at, format, arguments...)
	r.stopped = true
}

// finish gives all problems in the order of the text, the syntax error that ended it (or nil) among them.
func (r *reader) finish(broken *Problem) error {
	if broken != nil {
		r.problems = append(r.problems, broken)
	}
	slices.SortStableFunc(r.problems, func(a, b *Problem) int {
		return cmp.Or(a.At.Line-b.At.Line, a.At.Column-b.At.Column)
	})
	if r.more {
		r.problems = append(r.problems, &Problem{At: Position{Source: r.text.source}, Text: moreProblems})
	}
	return join(r.problems)
}

func (r *reader) notice(at Position, format string, arguments ...any) {
	if len(r.notices) < maxProblems {
		r.notices = append(r.notices, Notice{At: at, Text: fmt.Sprintf(format, arguments...)})
	}
}

// count counts one more of something and stops reading when there are too many.
func (r *reader) count(n *int, limit int, what string, at Position) bool {
	if *n++; *n > limit {
		r.stop(at, "more than %d %s in one manifest", limit, what)
	}
	return !r.stopped
}

// object reads the members of an object whose opening brace has been read. For each known key it calls member, which
// reads the value. It returns false if there were keys that are errors because they are unknown: what seems to be missing
// from the object then is probably there, misspelt.
func (r *reader) object(path string, known []string, member func(key, path string)) (understood bool) {
	understood = true
	seen := map[string]bool{}
	for r.inside() {
		t, ok := r.next()
		if !ok {
			return understood
		}
		key, _ := t.value.(string) // the decoder lets nothing else pass
		at := r.text.at(t.start)
		switch {
		case seen[key]:
			r.report(at, "%sthe key %s stands here twice; one of them must go", prefix(path), quote(key))
			r.skipValue()
			continue
		case !slices.Contains(known, key):
			r.unknown(at, path, key, known)
			r.skipValue()
			understood = understood && r.relaxed
		default:
			member(key, below(path, key))
		}
		seen[key] = true
	}
	r.next() // the closing brace
	return understood
}

func (r *reader) unknown(at Position, path, key string, known []string) {
	mend := "known here: " + strings.Join(known, ", ")
	if near := nearest.Name(key, known); near != "" {
		mend = fmt.Sprintf("did you mean %q?", near)
	}
	text := fmt.Sprintf("%sunknown key %s; %s", prefix(path), quote(key), mend)
	if r.relaxed {
		r.notice(at, "%s", text)
		return
	}
	r.report(at, "%s", text)
}

// objects reads an array of objects, a single object in place of an array of one, or null for none.
func (r *reader) objects(path string, item func(path string, at Position)) {
	t, ok := r.next()
	switch {
	case !ok || t.value == nil:
	case t.value == json.Delim('{'):
		item(path, r.text.at(t.start))
	case t.value == json.Delim('['):
		for i := 0; r.inside(); i++ {
			element := fmt.Sprintf("%s[%d]", path, i)
			t, ok := r.next()
			if !ok {
				return
			}
			at := r.text.at(t.start)
			if t.value != json.Delim('{') {
				r.report(at, "%s: %s, want an object", element, t.kind())
				r.skipRest(t)
				continue
			}
			item(element, at)
		}
		r.next() // the closing bracket
	default:
		r.report(r.text.at(t.start), "%s: %s, want an array of objects, or one object", path, t.kind())
		r.skipRest(t)
	}
}

// field is a string read from the text.
type field struct {
	text  string
	at    Position
	given bool       // not left out by null
	wrong func(bool) // reports that the value is no string; nil if it is one
}

// string reads a string, or null for none, and reports a value of another type.
func (r *reader) string(path string) field {
	f := r.stringOr(path)
	if f.wrong != nil {
		f.wrong(false)
	}
	return f
}

// stringOr is like string, but leaves it to the caller to report a value of another type, by calling field.wrong with
// whether the value must be hidden: of a parameter's value that is known only when its key has been read.
func (r *reader) stringOr(path string) field {
	t, ok := r.next()
	if !ok || t.value == nil {
		return field{}
	}
	return r.stringIn(t, path)
}

// stringIn is stringOr for a token that has been read, null too.
func (r *reader) stringIn(t token, path string) field {
	f := field{at: r.text.at(t.start), given: true}
	s, ok := t.value.(string)
	if !ok {
		r.skipRest(t)
		f.wrong = func(hide bool) { r.report(f.at, "%s: %s, want a string%s", path, t.kind(), t.quoted(hide)) }
		return f
	}
	if fault := faultOf(t.raw, s); fault != "" {
		r.report(f.at, "%s: %s", path, fault)
	}
	f.text = s
	return f
}

// quoted is the advice to write a number or boolean as a string.
func (t token) quoted(hide bool) string {
	switch {
	case t.opens():
		return ""
	case hide || len(t.raw) > 40:
		return "; write it in double quotes"
	default:
		return fmt.Sprintf("; write %q", t.raw)
	}
}

// empty says that a string was written, and is empty.
func (f field) empty() bool { return f.given && f.wrong == nil && f.text == "" }

func (r *reader) skipValue() {
	if t, ok := r.next(); ok {
		r.skipRest(t)
	}
}

// skipRest passes over what belongs to the value that t begins.
func (r *reader) skipRest(t token) {
	if !t.opens() {
		return
	}
	for depth := 1; depth > 0; {
		inner, ok := r.next()
		if !ok {
			return
		}
		switch inner.value {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				r.stop(r.text.at(inner.start), "values nested more than %d deep", maxDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

func (t token) opens() bool { return t.value == json.Delim('{') || t.value == json.Delim('[') }

// kind names the type of a value as error texts do.
func (t token) kind() string {
	switch t.value.(type) {
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case nil:
		return "null"
	}
	if t.value == json.Delim('[') {
		return "an array"
	}
	return "an object"
}
