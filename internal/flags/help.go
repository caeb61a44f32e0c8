package flags

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// narrowest is the smallest width the help is wrapped to; words longer than a line stand alone on it.
const narrowest = 40

const grammar = "Values are written --name=value. A boolean flag may also be written --name or --no-name. " +
	"Any value may be file:///absolute/path: then the content of the file is the value. " +
	"A DURATION is a number and ns, us, ms, secs, mins, hrs, days or weeks; a SIZE is a whole number and B, KB, MB, GB or TB."

const grammarEnvironment = " Each flag can also be set in the environment, as %sNAME; the command line wins."

// Usage is the text of --help, wrapped to a width: all flags by group, in a group by name, each with its default, its
// environment variable and an example. It is the same for the same declarations, whatever was parsed.
func (s *Set) Usage(width int) string {
	w := &writer{width: max(width, narrowest)}
	w.line("Usage: %s [--name=value]...", s.config.Program)
	w.line("")
	if s.config.About != "" {
		w.wrapped("", s.config.About)
		w.line("")
	}
	rules := grammar
	if s.config.Prefix != "" {
		rules += fmt.Sprintf(grammarEnvironment, s.config.Prefix)
	}
	w.wrapped("", rules)
	for _, g := range s.groups {
		if len(g.flags) == 0 {
			continue
		}
		w.line("")
		w.line("%s", strings.ToUpper(g.title))
		for _, f := range slices.SortedFunc(slices.Values(g.flags), func(a, b *flag) int { return cmp.Compare(a.name, b.name) }) {
			s.describe(w, f)
		}
	}
	return w.text.String()
}

func (s *Set) describe(w *writer, f *flag) {
	const indent = "      "
	if f.boolean {
		w.line("  --[no-]%s", f.name)
	} else {
		w.line("  --%s=%s", f.name, f.kind)
	}
	w.wrapped(indent, f.help)
	if f.withoutUse != "" {
		w.wrapped(indent, "Accepted without effect: "+f.withoutUse+".")
	}
	w.wrapped(indent, strings.Join(s.facts(f), " "))
	if f.example != "" {
		w.line("%sExample: --%s=%s", indent, f.name, f.example)
	}
}

// facts are what the help says about every flag in the same words.
func (s *Set) facts(f *flag) []string {
	var facts []string
	switch {
	case f.required:
		facts = append(facts, "Required.")
	case f.defaultText == nil:
		facts = append(facts, "No default.")
	case f.secret:
		facts = append(facts, "Default: "+Hidden+".")
	case *f.defaultText == "":
		facts = append(facts, "Default: empty.")
	default:
		facts = append(facts, "Default: "+*f.defaultText+".")
	}
	if s.config.Prefix != "" && !f.onlyArgs {
		facts = append(facts, "Environment: "+s.config.Prefix+strings.ToUpper(f.name)+".")
	}
	for _, a := range f.aliases {
		if a.deprecated {
			facts = append(facts, "Old name: --"+a.name+".")
		} else {
			facts = append(facts, "Also: --"+a.name+".")
		}
	}
	return facts
}

// writer collects lines.
type writer struct {
	text  strings.Builder
	width int
}

func (w *writer) line(format string, arguments ...any) {
	fmt.Fprintf(&w.text, format+"\n", arguments...)
}

// wrapped writes the words of text on lines of at most the width, each behind indent.
func (w *writer) wrapped(indent, text string) {
	line := indent
	for _, word := range strings.Fields(text) {
		switch {
		case line == indent:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > w.width:
			w.line("%s", line)
			line = indent + word
		default:
			line += " " + word
		}
	}
	if line != indent {
		w.line("%s", line)
	}
}
