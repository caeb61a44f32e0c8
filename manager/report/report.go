// Package report renders what the module system has to say for people and for programs: the report of a verification,
// the table of a started daemon, the report of a teardown. Each is a struct of plain data with two methods, WriteText
// and WriteJSON; the same data gives the same bytes.
//
// Nothing here knows a secret: parameters come with their secret values hidden already. Texts come from libraries too,
// so control characters in them are made visible before they reach a terminal.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Style is how text is drawn. The zero Style is right for pipes and files: columns without boxes, nothing wrapped.
type Style struct {
	Boxes  bool // draw tables with lines, for a terminal
	Colour bool // use ANSI colours
	Width  int  // columns to wrap to; 0 wraps nothing
}

// narrowest is the least width that is wrapped to: below it words fall to pieces.
const narrowest = 40

// page collects the text of one report, so that it is written in one piece.
type page struct {
	style Style
	out   bytes.Buffer
}

func newPage(style Style) *page {
	if style.Width > 0 {
		style.Width = max(style.Width, narrowest)
	}
	return &page{style: style}
}

func (p *page) writeTo(w io.Writer) error {
	_, err := w.Write(p.out.Bytes())
	return err
}

// line writes one line, or several where it has to be wrapped.
func (p *page) line(format string, args ...any) { p.block("", "", fmt.Sprintf(format, args...)) }

func (p *page) gap() { p.out.WriteByte('\n') }

// block writes a text behind a first-line prefix, its further lines indented.
func (p *page) block(first, indent, content string) {
	if room := p.style.Width - text.StringWidthWithoutEscSequences(first); p.style.Width > 0 {
		content = text.WrapSoft(content, room)
	}
	prefix := first
	for line := range strings.SplitSeq(content, "\n") {
		p.out.WriteString(strings.TrimRight(prefix+line, " "))
		p.out.WriteByte('\n')
		prefix = indent
	}
}

// The ANSI colours.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
)

func (p *page) paint(colour, content string) string {
	if !p.style.Colour || colour == "" {
		return content
	}
	return "\x1b[" + colour + "m" + content + "\x1b[0m"
}

// plain makes control characters visible, so that no name moves the cursor or forges a line.
func plain(content string) string {
	visible := func(r rune) bool { return r == ' ' || unicode.IsPrint(r) }
	if !strings.ContainsFunc(content, func(r rune) bool { return !visible(r) }) {
		return content
	}
	var b strings.Builder
	for _, r := range content {
		if visible(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// plainAll is plain for each text.
func plainAll(content []string) []string {
	all := make([]string, len(content))
	for i, x := range content {
		all[i] = plain(x)
	}
	return all
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short writes a duration with about three digits.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}

// origin says whether a module ships with Mesos.
func origin(ships bool) string {
	if ships {
		return "ships with Mesos"
	}
	return "elsewhere"
}

// library is a library's path; the daemon binary's own has none.
func library(path, daemon string) string {
	if path == "" {
		return daemon
	}
	return path
}

func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // constraints are full of < and >
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
