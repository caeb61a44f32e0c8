package execute

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// screen is where everything is written: states and output to stdout, what goes wrong and, on a terminal, what is
// waited for to stderr. Its methods may be called from any goroutine.
type screen struct {
	stdout, stderr io.Writer
	quiet          bool
	terminal       bool // stderr is one, and shows what is waited for

	mu      sync.Mutex
	waiting string    // for what; empty for nothing
	since   time.Time // when that began
	shown   bool      // a line of progress stands on the terminal
}

func newScreen(stdout, stderr io.Writer, quiet bool) *screen {
	s := &screen{stdout: stdout, stderr: stderr, quiet: quiet}
	if file, ok := stderr.(*os.File); ok {
		s.terminal = term.IsTerminal(int(file.Fd()))
	}
	return s
}

// say prints a line on what happens, unless the program is quiet.
func (s *screen) say(format string, args ...any) {
	if !s.quiet {
		s.write(s.stdout, fmt.Appendf(nil, format+"\n", args...))
	}
}

// warn prints a line on what goes wrong.
func (s *screen) warn(format string, args ...any) {
	s.write(s.stderr, fmt.Appendf(nil, "mesos-execute: "+format+"\n", args...))
}

// write writes in one piece. What cannot be written is lost: there is nobody to tell.
func (s *screen) write(w io.Writer, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	_, _ = w.Write(text)
}

// wait says what is waited for from now on; nothing, if the text is empty.
func (s *screen) wait(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != text {
		s.erase()
		s.waiting, s.since = text, time.Now()
	}
}

// progress shows what is waited for, and for how long. It does so on terminals only, once it has taken a moment.
func (s *screen) progress() {
	const moment = 300 * time.Millisecond
	s.mu.Lock()
	defer s.mu.Unlock()
	passed := time.Since(s.since)
	if !s.terminal || s.waiting == "" || passed < moment {
		return
	}
	marks := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	mark := marks[int(passed/progressInterval)%len(marks)]
	fmt.Fprintf(s.stderr, "\r\x1b[2K%c %s, %v", mark, s.waiting, passed.Truncate(time.Second))
	s.shown = true
}

// progressInterval is how often the line is written anew.
const progressInterval = 100 * time.Millisecond

func (s *screen) erase() {
	if s.shown {
		_, _ = io.WriteString(s.stderr, "\r\x1b[2K")
		s.shown = false
	}
}

// lines writes what a task writes, each line behind a prefix and in one piece, so that those of several tasks do not run
// into each other. It is for one goroutine.
type lines struct {
	screen *screen
	to     io.Writer
	prefix string // empty passes everything through as it is
	begun  []byte // of a line whose end has not come
}

// longest is how much of a line is held back until its end comes.
const longest = 64 << 10

func (l *lines) write(text []byte) {
	if l.prefix == "" {
		l.screen.write(l.to, text)
		return
	}
	l.begun = append(l.begun, text...)
	whole := bytes.LastIndexByte(l.begun, '\n') + 1
	var out []byte
	for line := range bytes.Lines(l.begun[:whole]) {
		out = append(append(out, l.prefix...), line...)
	}
	l.begun = append(l.begun[:0], l.begun[whole:]...)
	if len(out) > 0 {
		l.screen.write(l.to, out)
	}
	if len(l.begun) > longest {
		l.end()
	}
}

// end writes what is held back, as a line.
func (l *lines) end() {
	if len(l.begun) > 0 {
		l.screen.write(l.to, fmt.Appendf(nil, "%s%s\n", l.prefix, l.begun))
		l.begun = nil
	}
}
