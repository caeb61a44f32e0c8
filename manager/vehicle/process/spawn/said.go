package spawn

import (
	"bytes"
	"slices"
	"strings"
)

const (
	maxSaid = 4 << 10 // bytes of the end that are kept
	maxHead = 1 << 10 // bytes of the head of Go's message
)

// said keeps what matters of what a process wrote to its standard error: the end, and
// where the process is Go's the head of its last message, which says more than the
// goroutines that follow.
type said struct {
	tail []byte
	head []byte
	line []byte // begun, cut
	open bool   // head is going on
}

// lastWords begin Go's message when it gives up.
var lastWords = [][]byte{[]byte("panic: "), []byte("fatal error: ")}

// write takes what was read.
func (s *said) write(text []byte) {
	s.tail = append(s.tail, text[max(0, len(text)-maxSaid):]...)
	s.tail = append(s.tail[:0], s.tail[max(0, len(s.tail)-maxSaid):]...)
	for len(text) > 0 {
		part, rest, whole := bytes.Cut(text, []byte("\n"))
		s.line = append(s.line, part[:min(len(part), maxHead-len(s.line))]...)
		if whole {
			s.end()
		}
		text = rest
	}
}

// end looks at a line.
func (s *said) end() {
	switch {
	case slices.ContainsFunc(lastWords, func(w []byte) bool { return bytes.HasPrefix(s.line, w) }):
		s.head, s.open = append(s.head[:0], s.line...), true
	case len(s.line) == 0 || len(s.head) >= maxHead:
		s.open = false
	case s.open:
		s.head = append(append(s.head, '\n'), s.line...)
	}
	s.line = s.line[:0]
}

// quote is it on one line. gave is whether the process ended as Go's do that give up.
func (s *said) quote(gave bool) string {
	if len(s.line) > 0 {
		s.end()
	}
	text := s.tail
	if gave && len(s.head) > 0 {
		text = s.head
	}
	var all []string
	for _, line := range strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(printable(line)); line != "" {
			all = append(all, line)
		}
	}
	return strings.Join(all, " | ")
}
