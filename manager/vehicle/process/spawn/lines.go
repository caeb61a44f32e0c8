package spawn

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Bounds of what a process says: a flood costs the daemon some reading, and neither
// memory nor a full disk.
const (
	MaxLine = 64 << 10 // bytes of a line

	window   = time.Second
	maxLines = 1000    // lines of a stream in a window
	maxBytes = 1 << 20 // bytes of a stream in a window
)

// chunk is what is read at once, and lastReads how often that is done after the death:
// a pipe holds no more, but somebody else may be writing to it.
const (
	chunk     = 32 << 10
	lastReads = 8
)

// lines makes lines of what one stream says, at most so many in a time.
type lines struct {
	tell func(line string) // may be nil
	now  func() time.Time

	line  []byte // begun, not longer than MaxLine
	extra int    // bytes of it that were left out

	begin   time.Time // of the window
	count   int
	size    int
	dropped int
}

// write takes what was read.
func (l *lines) write(text []byte) {
	for len(text) > 0 {
		part, rest, whole := bytes.Cut(text, []byte("\n"))
		room := min(len(part), MaxLine-len(l.line))
		l.line = append(l.line, part[:room]...)
		l.extra += len(part) - room
		if whole {
			l.end()
		}
		text = rest
	}
}

// end ends a line. An empty one tells nothing.
func (l *lines) end() {
	line, extra := l.line, l.extra
	l.line, l.extra = l.line[:0], 0
	if line = bytes.TrimSuffix(line, []byte("\r")); l.tell == nil || len(line) == 0 {
		return
	}
	if now := l.now(); now.Sub(l.begin) >= window {
		l.admit()
		l.begin, l.count, l.size = now, 0, 0
	}
	l.count++
	l.size += len(line)
	if l.count > maxLines || l.size > maxBytes {
		l.dropped++
		return
	}
	l.tell(harmless(line, extra))
}

// admit says what was dropped.
func (l *lines) admit() {
	if l.dropped > 0 {
		l.tell(fmt.Sprintf("(%d lines were dropped: it said more than %d lines or %d bytes in a second)", l.dropped, maxLines, maxBytes))
		l.dropped = 0
	}
}

// close ends the last line, if one was begun.
func (l *lines) close() {
	if len(l.line) > 0 {
		l.end()
	}
	if l.tell != nil {
		l.admit()
	}
}

// harmless is a line that can do nothing to a log or a terminal, and not longer than
// MaxLine. extra are the bytes that are missing from it already.
func harmless(line []byte, extra int) string {
	text := printable(string(line))
	if extra == 0 && len(text) <= MaxLine {
		return text
	}
	const room = 64 // for what is said of it
	if over := len(text) - (MaxLine - room); over > 0 {
		extra += over
		text = text[:MaxLine-room]
		for len(text) > 0 && !utf8.ValidString(text[max(0, len(text)-utf8.UTFMax):]) {
			text = text[:len(text)-1]
		}
	}
	return fmt.Sprintf("%s (cut: %d bytes more)", text, extra)
}

// printable has no control characters, nor any that change the direction of what stands
// beside them.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
}

// follow reads a pipe until its end, or until its deadline has passed; then it takes what
// is there still.
func follow(pipe *os.File, take func([]byte)) {
	buffer := make([]byte, chunk)
	for {
		n, err := pipe.Read(buffer)
		take(buffer[:n])
		if err != nil {
			break
		}
	}
	raw, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // fails if it is closed
		for range lastReads {
			n, err := unix.Read(int(fd), buffer)
			if err != nil || n <= 0 {
				return
			}
			take(buffer[:n])
		}
	})
}
