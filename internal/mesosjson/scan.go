package mesosjson

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// token is one value, or one key, of a text. All of them in one slice, in the order of the text, are what a text is scanned
// into: that finds every error of syntax before a message is touched, and lets values be stepped over in no time, which
// the rule that the last of equal keys counts asks for.
type token struct {
	start, end uint32 // of the text; of a string and a key, without the quotes
	next       uint32 // the token after this one and all that is in it
	kind       tokenKind
	escaped    bool // a string or key that has escapes
}

type tokenKind byte

const (
	tokenNull tokenKind = iota
	tokenTrue
	tokenFalse
	tokenNumber
	tokenString
	tokenArray
	tokenObject // its keys and values follow in turn
)

// scanner turns a text into tokens.
type scanner struct {
	text   []byte
	at     int
	depth  int
	values int // how many tokens there may be
	tokens []token
}

// scan reads a whole text.
func (s *scanner) scan() error {
	s.space()
	if err := s.value(); err != nil {
		return err
	}
	s.space()
	if s.at < len(s.text) {
		return s.wrong("text after the end of the document")
	}
	return nil
}

func (s *scanner) value() error {
	if s.at == len(s.text) {
		return s.wrong("the text ends where a value is expected")
	}
	switch c := s.text[s.at]; {
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '"':
		return s.string()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true", tokenTrue)
	case c == 'f':
		return s.literal("false", tokenFalse)
	case c == 'n':
		return s.literal("null", tokenNull)
	default:
		return s.wrong("%q where a value is expected", c)
	}
}

func (s *scanner) object() error {
	i, err := s.open(tokenObject)
	if err != nil {
		return err
	}
	if s.skip('}') {
		return s.close(i)
	}
	for {
		s.space()
		if s.at == len(s.text) || s.text[s.at] != '"' {
			return s.wrong("no key, in quotes, where one is expected")
		}
		if err := s.string(); err != nil {
			return err
		}
		if !s.skip(':') {
			return s.wrong("no colon after a key")
		}
		s.space()
		if err := s.value(); err != nil {
			return err
		}
		if s.skip('}') {
			return s.close(i)
		}
		if !s.skip(',') {
			return s.wrong("neither a comma nor the end of the object after a value")
		}
	}
}

func (s *scanner) array() error {
	i, err := s.open(tokenArray)
	if err != nil {
		return err
	}
	if s.skip(']') {
		return s.close(i)
	}
	for {
		s.space()
		if err := s.value(); err != nil {
			return err
		}
		if s.skip(']') {
			return s.close(i)
		}
		if !s.skip(',') {
			return s.wrong("neither a comma nor the end of the array after a value")
		}
	}
}

func (s *scanner) open(kind tokenKind) (int, error) {
	if s.depth++; s.depth > MaxDepth {
		return 0, s.exceeds("objects and arrays are nested more than %d deep", MaxDepth)
	}
	i := len(s.tokens)
	err := s.add(token{start: uint32(s.at), kind: kind})
	s.at++
	return i, err
}

func (s *scanner) close(i int) error {
	s.depth--
	s.tokens[i].end = uint32(s.at)
	s.tokens[i].next = uint32(len(s.tokens))
	return nil
}

// string reads a string and sees to it that the escapes are whole; what else is in it is not looked at, but for control
// characters.
func (s *scanner) string() error {
	s.at++
	start, escaped := s.at, false
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			t := token{start: uint32(start), end: uint32(s.at), kind: tokenString, escaped: escaped}
			s.at++
			return s.add(t)
		case c < 0x20:
			return s.wrong("the control character %q in a string", c)
		case c == '\\':
			escaped = true
			size := escapeSize(s.text[s.at:])
			if size == 0 {
				return s.wrong("an escape that is none in a string")
			}
			s.at += size
		default:
			s.at++
		}
	}
	return s.wrong("the text ends in a string")
}

// escapeSize is the length of the escape a text begins with, both halves of a surrogate pair included; 0 if it is none.
func escapeSize(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	if text[1] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), text[1]) < 0 {
			return 0
		}
		return 2
	}
	r, ok := hexRune(text)
	switch {
	case !ok:
		return 0
	case !utf16.IsSurrogate(r):
		return 6
	}
	low, ok := hexRune(text[6:])
	if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		return 0
	}
	return 12
}

// hexRune reads \uXXXX.
func hexRune(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number reads a number. Mesos' parser takes what strtod takes, once it begins with a digit or a minus sign: 007, 1. and
// -.5 are numbers too.
func (s *scanner) number() error {
	start, digits := s.at, true
	for ; s.at < len(s.text); s.at++ {
		c := s.text[s.at]
		if c >= '0' && c <= '9' || c == '-' && s.at == start {
			continue
		}
		if c != '+' && c != '-' && c != '.' && c != 'e' && c != 'E' {
			break
		}
		digits = false
	}
	text := s.text[start:s.at]
	if !digits || len(text) > 300 || len(text) == 1 && text[0] == '-' {
		if f, err := strconv.ParseFloat(string(text), 64); math.IsInf(f, 0) {
			s.at = start
			return s.wrong("a number beyond what a double holds")
		} else if err != nil {
			s.at = start
			return s.wrong("a number that is none")
		}
	}
	return s.add(token{start: uint32(start), end: uint32(s.at), kind: tokenNumber})
}

func (s *scanner) literal(word string, kind tokenKind) error {
	if !bytes.HasPrefix(s.text[s.at:], []byte(word)) {
		return s.wrong("%q where a value is expected", s.text[s.at])
	}
	start := s.at
	s.at += len(word)
	return s.add(token{start: uint32(start), end: uint32(s.at), kind: kind})
}

func (s *scanner) add(t token) error {
	if len(s.tokens) == s.values {
		return s.exceeds("more than %d keys and values", s.values)
	}
	t.next = uint32(len(s.tokens) + 1)
	s.tokens = append(s.tokens, t)
	return nil
}

// skip steps over white space and then c, if it is there.
func (s *scanner) skip(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) wrong(format string, args ...any) error {
	return &SyntaxError{Offset: s.at, Problem: fmt.Sprintf(format, args...)}
}

func (s *scanner) exceeds(format string, args ...any) error {
	return &SyntaxError{Offset: s.at, Problem: fmt.Sprintf(format, args...), Err: ErrLimit}
}

// unescape returns what a string with escapes says. The escapes are whole: the scanner has seen to that.
func unescape(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		plain := bytes.IndexByte(text, '\\')
		if plain < 0 {
			return append(out, text...)
		}
		out = append(out, text[:plain]...)
		text = text[plain:]
		size := escapeSize(text)
		switch text[1] {
		case 'u':
			r, _ := hexRune(text)
			if size == 12 {
				low, _ := hexRune(text[6:])
				r = utf16.DecodeRune(r, low)
			}
			out = utf8.AppendRune(out, r)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			out = append(out, text[1])
		}
		text = text[size:]
	}
	return out
}
