package depgraph

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A scenario is a graph and what is to come of it, line by line (module names have one or two letters, so that a
// mistyped keyword is no module):
//
//	a@1.2.0 role=X: b>=1.1,<2 role:Y>=1 ?b !c<2 ~d    a module and its edges (requires, requires-role, optional,
//	                                                  conflicts, after)
//	root --allocator: a>=2                            a root
//	hand b@1.3.0 role=X                               a candidate
//
//	order: a b            levels: a | b               the plan
//	needed: a b           why a: --allocator -> a
//	requires a: b, c (requires-role X)
//
//	finding: rule module                              the findings, each in its turn; no other may be there
//	path: a -> b    cycle: a -> b -> a                about the last finding: all of it ...
//	requirers: a >=1 ok, b <1 refused
//	hand: b 1.0.0 given fits, b 2.0.0
//	text: words    mend: words                        ... or some words of it
type scenario struct {
	input   Input
	asserts []assertion
}

type assertion struct{ line, key, subject, want string }

var (
	moduleLine = regexp.MustCompile(`^([a-z0-9]{1,2})(?:@(\S+))?(?: role=(\S+))?:((?: \S+)*)$`)
	rootLine   = regexp.MustCompile(`^root (\S+): ([a-z0-9_]+)(\S*)$`)
	handLine   = regexp.MustCompile(`^hand ([a-z0-9_]+)(?:@(\S+))?(?: role=(\S+))?$`)
	edgeToken  = regexp.MustCompile(`^([?!~]?)(role:)?([A-Za-z0-9_]+)(.*)$`)
	assertLine = regexp.MustCompile(`^(order|levels|needed|why|requires|finding|path|cycle|requirers|hand|text|mend)(?: ([a-z0-9_]+))?:(?: (.*))?$`)
)

// parseScenario fails on a line that it does not know, and on a scenario that asserts nothing: neither may pass for
// a test.
func parseScenario(text string) (scenario, error) {
	var s scenario
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if m := rootLine.FindStringSubmatch(line); m != nil {
			s.input.Roots = append(s.input.Roots, Root{Name: m[1], Module: m[2], Constraint: constraintOf(m[3])})
		} else if m := assertLine.FindStringSubmatch(line); m != nil {
			s.asserts = append(s.asserts, assertion{line: line, key: m[1], subject: m[2], want: m[3]})
		} else if m := handLine.FindStringSubmatch(line); m != nil {
			s.input.Candidates = append(s.input.Candidates, Module{Name: m[1], Version: m[2], Role: m[3]})
		} else if m := moduleLine.FindStringSubmatch(line); m != nil {
			mod := Module{Name: m[1], Version: m[2], Role: m[3]}
			for _, token := range strings.Fields(m[4]) {
				e := edgeToken.FindStringSubmatch(token)
				if e == nil {
					return s, fmt.Errorf("line %q: edge %q", line, token)
				}
				kind, ok := map[string]Kind{"": RequiresModule, "role:": RequiresRole, "?": Optional, "!": Conflicts, "~": After}[e[1]+e[2]]
				if !ok {
					return s, fmt.Errorf("line %q: edge %q", line, token)
				}
				mod.Edges = append(mod.Edges, Edge{Kind: kind, Target: e[3], Constraint: constraintOf(e[4])})
			}
			s.input.Modules = append(s.input.Modules, mod)
		} else {
			return s, fmt.Errorf("unknown line %q", line)
		}
	}
	if len(s.asserts) == 0 {
		return s, fmt.Errorf("nothing is asserted")
	}
	return s, nil
}

func constraintOf(token string) string { return strings.ReplaceAll(token, ",", " ") }

func runScenario(t *testing.T, text string) {
	t.Helper()
	s, err := parseScenario(text)
	require.NoError(t, err)
	plan, findings := Solve(s.input)
	require.Equal(t, plan == nil, len(findings) > 0, "a plan or findings")
	require.Equal(t, len(findings), countFindings(s.asserts), "findings: %v", findings)
	next := 0
	for _, a := range s.asserts {
		if plan != nil {
			require.Equal(t, a.want, planAnswer(t, plan, a), a.line)
			continue
		}
		if a.key == "finding" {
			next++
		}
		require.Positive(t, next, "%s: before the first finding", a.line)
		f := findings[next-1]
		switch a.key {
		case "text":
			require.Contains(t, f.Text, a.want, a.line)
		case "mend":
			require.Contains(t, f.Mend, a.want, a.line)
		default:
			require.Equal(t, a.want, findingAnswer(t, f, a), a.line)
		}
	}
}

func countFindings(asserts []assertion) (n int) {
	for _, a := range asserts {
		if a.key == "finding" {
			n++
		}
	}
	return n
}

func planAnswer(t *testing.T, p *Plan, a assertion) string {
	t.Helper()
	switch a.key {
	case "order":
		return strings.Join(p.Order(), " ")
	case "needed":
		return strings.Join(p.Needed(), " ")
	case "levels":
		var levels []string
		for _, l := range p.Levels() {
			levels = append(levels, strings.Join(l, " "))
		}
		return strings.Join(levels, " | ")
	case "why":
		return PathString(p.Why(a.subject))
	case "requires":
		var all []string
		for _, r := range p.Requirements(a.subject) {
			all = append(all, strings.TrimPrefix(PathString([]Hop{{}, {Name: r.Module, Via: r.Kind, Role: r.Role, Constraint: r.Constraint}}), `"" -> `))
		}
		return strings.Join(all, ", ")
	default:
		require.FailNow(t, "there is a plan", a.line)
		return ""
	}
}

func findingAnswer(t *testing.T, f Finding, a assertion) string {
	t.Helper()
	switch a.key {
	case "finding":
		return strings.TrimSpace(string(f.Rule) + " " + f.Module)
	case "path":
		return PathString(f.Path)
	case "cycle":
		return PathString(f.Cycle)
	case "requirers":
		var all []string
		for _, r := range f.Requirers {
			state := "refused"
			if r.Satisfied {
				state = "ok"
			}
			all = append(all, strings.Join(strings.Fields(r.Name+" "+r.Constraint+" "+state), " "))
		}
		return strings.Join(all, ", ")
	case "hand":
		var all []string
		for _, h := range f.AtHand {
			text := h.Name + " " + h.Version
			if h.Given {
				text += " given"
			}
			if h.Fits {
				text += " fits"
			}
			all = append(all, strings.Join(strings.Fields(text), " "))
		}
		return strings.Join(all, ", ")
	default:
		require.FailNow(t, "there are findings, no plan", "%s\n%v", a.line, f)
		return ""
	}
}

func TestScenarioLanguage(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a line it does not know": {"a:\nodrer: a", "unknown line"},
		"nothing asserted":        {"a:\nb: a", "nothing is asserted"},
		"an edge it cannot read":  {"a: %\norder: a", "edge"},
		"a sigil before role":     {"a: ?role:X\norder: a", "edge"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := parseScenario(c.text)
			require.ErrorContains(t, err, c.want)
		})
	}
}
