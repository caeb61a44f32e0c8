package verify

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// fault is what a rule holds against a module or library: a finding without the name of the guilty.
type fault struct{ problem, mend string }

const (
	maxShown  = 200  // bytes of a name or version in a text
	maxListed = 20   // names in a list
	maxReason = 2000 // bytes of what a module's own check says
)

// show returns a text from a library or a flag as it is, or quoted if it is empty, long, or could forge a line.
func show(text string) string {
	odd := func(r rune) bool { return r == ' ' || r == '"' || r == unicode.ReplacementChar || !unicode.IsPrint(r) }
	if text == "" || len(text) > maxShown || strings.ContainsFunc(text, odd) {
		return strconv.Quote(shorten(text, maxShown))
	}
	return text
}

// sentence returns a longer text on one line.
func sentence(text string) string {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	return shorten(strings.Join(strings.Fields(clean), " "), maxReason)
}

func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// list joins names, and counts those beyond the twentieth.
func list(names []string) string {
	shown := make([]string, 0, maxListed)
	for _, name := range names[:min(len(names), maxListed)] {
		shown = append(shown, show(name))
	}
	if rest := len(names) - maxListed; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(shown, ", "), rest)
	}
	return strings.Join(shown, ", ")
}

// in writes a library's name with a place in the manifest, as far as there is one.
func (m *module) in() string {
	if m.at == "" {
		return nameOf(m.lib)
	}
	return fmt.Sprintf("%s (%s)", nameOf(m.lib), show(m.at))
}

// nameOf writes a library's name for the inside of a sentence.
func nameOf(l *library) string {
	if l.Path == "" {
		return "the daemon itself"
	}
	return show(l.Path)
}
