package manifest

import (
	"fmt"
	"strings"
	"unicode"
)

// Bounds of the value of a binding flag.
const (
	maxRefs = 1000
	maxRef  = 256 // bytes of one reference
)

// Ref is how a binding flag like --allocator names a module: its name, and a version constraint if one follows an "@".
type Ref struct {
	Name       string
	Constraint string // as written; "" accepts every version. Its syntax is checked by whoever compares versions.
}

// String writes the reference as it is read.
func (r Ref) String() string {
	if r.Constraint == "" {
		return r.Name
	}
	return r.Name + "@" + r.Constraint
}

// parseRef reads one reference: "m", "m@>=2" or "m@>=1.1 <2". The first "@" ends the name. Nothing is trimmed, as in
// Apache Mesos; but where a space ends up in a name there, it is an error here.
func parseRef(text string) (Ref, error) {
	name, constraint, constrained := strings.Cut(text, "@")
	switch {
	case len(text) > maxRef:
		return Ref{}, fmt.Errorf("%s: longer than %d bytes", quote(text), maxRef)
	case name == "":
		return Ref{}, fmt.Errorf("%s: no module name before the @", quote(text))
	case strings.ContainsFunc(name, notInName):
		return Ref{}, fmt.Errorf("%s: white space in a module name; take it out", quote(text))
	case strings.ContainsAny(name[:1], "<>=!~^*|"):
		return Ref{}, fmt.Errorf("%s: this is a version constraint, not a module name; write NAME@%s", quote(text), text)
	case constrained && constraint == "":
		return Ref{}, fmt.Errorf("%s: no version constraint after the @; leave out the @ to accept every version", quote(text))
	case strings.TrimSpace(constraint) != constraint || strings.ContainsFunc(constraint, unicode.IsControl):
		return Ref{}, fmt.Errorf("%s: white space around a version constraint; take it out", quote(text))
	}
	return Ref{Name: name, Constraint: constraint}, nil
}

// ParseRefs reads a list of references, "a,b@^1". A comma always begins the next reference, also after a version
// constraint, where semantic version libraries let it stand for "and": a space does that here, as in "a@>=1.1 <2,b".
// Empty entries, and a module named twice, are errors. All problems are reported together.
func ParseRefs(text string) ([]Ref, error) {
	if text == "" {
		return nil, fmt.Errorf("no module named; leave the flag out to bind none")
	}
	if n := strings.Count(text, ",") + 1; n > maxRefs {
		return nil, fmt.Errorf("%d modules named, more than %d", n, maxRefs)
	}
	var (
		refs     []Ref
		problems []*Problem
		named    = map[string]int{}
		previous string
	)
	for i, entry := range strings.Split(text, ",") {
		ref, err := parseRef(entry)
		number := i + 1
		switch first := named[ref.Name]; {
		case entry == "":
			problems = append(problems, &Problem{Text: fmt.Sprintf("entry %d is empty; take the comma out", number)})
		case continues(previous, entry):
			problems = append(problems, &Problem{Text: fmt.Sprintf("entry %d, %s: a comma begins the next module; "+
				"to continue the version constraint before it write a space: %s", number, quote(entry), quote(previous+" "+entry))})
		case err != nil:
			problems = append(problems, &Problem{Text: fmt.Sprintf("entry %d, %v", number, err), Err: err})
		case first > 0:
			problems = append(problems, &Problem{Text: fmt.Sprintf("entry %d, %s: entry %d names this module already", number, quote(entry), first)})
		default:
			named[ref.Name] = number
			refs = append(refs, ref)
		}
		previous = entry
	}
	if len(problems) > 0 {
		return nil, join(problems)
	}
	return refs, nil
}

// continues says whether an entry looks like the rest of the constraint in the entry before it.
func continues(previous, entry string) bool {
	rest := strings.TrimLeft(entry, " ")
	return strings.Contains(previous, "@") && rest != "" && strings.ContainsAny(rest[:1], "<>=!~^*|0123456789")
}

func notInName(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }
