package depgraph

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// String is the module with its version.
func (a AtHand) String() string {
	if a.Version == "" {
		return quote(a.Name) + " (declares no version)"
	}
	return quote(a.Name) + " " + clip(a.Version)
}

// PathString writes hops as "--allocator -> a -> b (requires >=1.1)". Plain requirements are not spelled out.
func PathString(path []Hop) string {
	var b strings.Builder
	for i, h := range path {
		if i > 0 {
			b.WriteString(" -> ")
		}
		b.WriteString(quote(h.Name))
		plain := h.Via == 0 || ((h.Via == RequiresModule || h.Via == Binds) && h.Constraint == "")
		if i > 0 && !plain {
			b.WriteString(" (" + label(h.Via, h.Role, h.Constraint) + ")")
		}
	}
	return b.String()
}

// phrase writes an edge with its target: "requires org_base >=1.1".
func (n *net) phrase(e *Edge) string {
	return e.Kind.String() + " " + bounded(e.Target, e.Constraint)
}

// endOf is the hop along an edge that may lead nowhere.
func (n *net) endOf(e *Edge) Hop {
	h := Hop{Name: e.Target, Via: e.Kind, Constraint: e.Constraint}
	if n.byRole(e) {
		h.Role = e.Target
	}
	return h
}

func rootEnd(r Root) Hop { return Hop{Name: r.Module, Via: Binds, Constraint: r.Constraint} }

// label writes an edge without its ends: kind, role, constraint, as far as there is any.
func label(kind Kind, role, constraint string) string {
	s := kind.String()
	if role != "" {
		s += " " + quote(role)
	}
	if constraint != "" {
		s += " " + clip(constraint)
	}
	return s
}

// bounded writes a name with its constraint.
func bounded(name, constraint string) string {
	if constraint == "" {
		return quote(name)
	}
	return quote(name) + " " + clip(constraint)
}

// describe writes a module with its role and version.
func describe(m Module) string {
	s := quote(m.Name)
	if m.Version != "" {
		s += " " + clip(m.Version)
	}
	if m.Role != "" {
		s += " (" + quote(m.Role) + ")"
	}
	return s
}

// wanted names everybody who has a constraint, marks whom the version fails, and counts the others.
func wanted(requirers []Requirer) string {
	var parts []string
	anyVersion := 0
	for _, r := range requirers {
		if r.Constraint == "" {
			anyVersion++
			continue
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", quote(r.Name), label(r.Kind, "", r.Constraint)))
	}
	if anyVersion > 0 {
		parts = append(parts, fmt.Sprintf("%d in any version", anyVersion))
	}
	return strings.Join(parts, ", ")
}

// list joins up to twenty items and counts the rest.
func list[T any](items []T, show func(T) string) string {
	const most = 20
	var b strings.Builder
	for i, it := range items {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(items)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(show(it))
	}
	return b.String()
}

// maxShown bounds one name or constraint in a text, in bytes.
const maxShown = 200

// quote returns a name as it is, unless it is empty, long, or holds something that could forge a line of a report.
func quote(name string) string {
	if name == "" || len(name) > maxShown || strings.ContainsFunc(name, odd) {
		return strconv.Quote(shorten(name))
	}
	return name
}

// clip is quote for constraints and versions, which may hold blanks.
func clip(text string) string {
	if len(text) > maxShown || strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && odd(r) }) {
		return strconv.Quote(shorten(text))
	}
	return text
}

func odd(r rune) bool {
	return r == ' ' || r == '"' || r == utf8.RuneError || !unicode.IsPrint(r)
}

func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}
