package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

var (
	byteOrderMark = []byte("\xef\xbb\xbf")
	elfMagic      = []byte("\x7fELF")
)

// checkBytes looks at the encoding of a text before anything else does; it returns the text without a byte order mark.
func checkBytes(source string, data []byte, maxBytes int) (text, *Problem) {
	whole := Position{Source: source}
	if len(data) > maxBytes {
		return text{}, &Problem{At: whole, Text: fmt.Sprintf("the manifest is larger than the limit of %d bytes", maxBytes)}
	}
	if bytes.HasPrefix(data, elfMagic) {
		return text{}, &Problem{At: whole, Text: "this is a library, not a manifest; to load a module from it write " +
			strings.TrimSpace(source) + ":MODULE"}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return text{}, &Problem{At: whole, Text: "the text is UTF-16; save it as UTF-8"}
	}
	t := newText(source, bytes.TrimPrefix(data, byteOrderMark))
	for i := 0; i < len(t.data); {
		c, size := utf8.DecodeRune(t.data[i:])
		if c == utf8.RuneError && size == 1 {
			return text{}, &Problem{At: t.at(i), Text: fmt.Sprintf("the byte 0x%02x is not valid UTF-8", t.data[i])}
		}
		i += size
	}
	return t, nil
}

// text is the bytes of a manifest and where they come from.
type text struct {
	source string
	data   []byte
	seen   *cursor
}

// cursor remembers the last position asked for: they are asked for almost always in ascending order, and a text on one
// line would otherwise be counted from its start for every module.
type cursor struct{ offset, line, column int }

func newText(source string, data []byte) text {
	return text{source: source, data: data, seen: &cursor{line: 1, column: 1}}
}

// at says where the byte at offset stands.
func (t text) at(offset int) Position {
	c := t.seen
	if offset < c.offset {
		*c = cursor{line: 1, column: 1}
	}
	passed := t.data[c.offset:offset]
	if n := bytes.Count(passed, []byte("\n")); n > 0 {
		c.line += n
		c.column = 1
		passed = passed[bytes.LastIndexByte(passed, '\n')+1:]
	}
	c.column += utf8.RuneCount(passed)
	c.offset = offset
	return Position{Source: t.source, Line: c.line, Column: c.column}
}
