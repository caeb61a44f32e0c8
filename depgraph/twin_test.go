package depgraph

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/dominikbraun/graph"
	"github.com/stretchr/testify/require"
)

func TestRandomGraphsAgreeWithTheNaiveTwin(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	plans := 0
	for range 4000 {
		data := make([]byte, r.Intn(90))
		r.Read(data)
		if agree(t, graphOf(data)) {
			plans++
		}
	}
	require.Greater(t, plans, 1000, "enough of the graphs have a plan")
	require.Less(t, plans, 3000, "enough of the graphs have none")
}

func FuzzSolve(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) { agree(t, graphOf(data)) })
}

// agree compares everything that Solve says with the naive twin, and says whether there is a plan.
func agree(t *testing.T, in Input) bool {
	t.Helper()
	plan, findings := Solve(in)
	twin := solveNaively(in)
	found := map[string]bool{}
	for _, f := range findings {
		found[f.naiveKey()] = true
		checkFinding(t, twin, f)
	}
	require.Equal(t, sortedSet(twin.findings), sortedSet(found), "%+v", in)
	require.Equal(t, len(findings) == 0, plan != nil)
	if plan != nil {
		checkPlan(t, twin, plan)
	}
	return plan != nil
}

func checkPlan(t *testing.T, twin *naive, plan *Plan) {
	t.Helper()
	order := twin.order()
	require.Equal(t, order, plan.Order())
	reversed := slices.Collect(plan.Backward())
	slices.Reverse(reversed)
	require.Equal(t, order, reversed)
	place := func(name string) int { return slices.Index(order, name) }
	var needed []string
	for _, a := range order {
		for b := range twin.behind[a] {
			require.Less(t, place(b), place(a))
		}
		var handed []string
		for _, r := range plan.Requirements(a) {
			handed = append(handed, r.Module)
		}
		require.Equal(t, sortedSet(twin.needs[a]), slices.Compact(handed), a)
		require.Contains(t, plan.Levels()[twin.level(a)], a)

		hops := twin.hops(a)
		if hops > 0 {
			needed = append(needed, a)
			require.Len(t, plan.Why(a), hops+1)
		}
		require.Equal(t, hops > 0, plan.IsNeeded(a))
		require.Equal(t, hops > 0, plan.Why(a) != nil)
	}
	require.Equal(t, needed, slices.Clip(nilIfEmpty(plan.Needed())))
	checkGraph(t, twin, plan)
}

// checkGraph asks the library about the plan.
func checkGraph(t *testing.T, twin *naive, plan *Plan) {
	t.Helper()
	g := plan.Graph()
	size, err := g.Size()
	require.NoError(t, err)
	edges := 0
	for a := range twin.module {
		for b := range twin.module {
			_, err := g.Edge(a, b)
			if twin.behind[a][b] {
				require.NoError(t, err)
				edges++
			} else {
				require.ErrorIs(t, err, graph.ErrEdgeNotFound)
			}
		}
	}
	require.Equal(t, edges, size)
	theirs, err := graph.StableTopologicalSort(g, func(a, b string) bool { return a > b })
	require.NoError(t, err, "the library finds no cycle either")
	for a, behind := range twin.behind {
		for b := range behind {
			require.Less(t, slices.Index(theirs, a), slices.Index(theirs, b), "it puts requirers first")
		}
	}
}

// checkFinding holds the paths of a finding against the twin's edges.
func checkFinding(t *testing.T, twin *naive, f Finding) {
	t.Helper()
	require.NotEmpty(t, f.Text)
	require.NotEmpty(t, f.Mend)
	require.NotEmpty(t, f.Path)
	for _, r := range f.Requirers {
		require.NotEmpty(t, r.Name)
	}
	hops := twin.hops(f.Module)
	switch f.Rule {
	case RuleBadVersion, RuleCycle:
		require.Len(t, f.Path, max(hops+1, 1), "the shortest path")
	case RuleConflict, RuleSelf:
		require.Len(t, f.Path, max(hops+1, 1)+1, "the shortest path, and the guilty end")
	case RuleMissingModule, RuleMissingRole:
		require.Len(t, f.Path, max(hops+1, 1)+1)
		for _, r := range f.Requirers {
			if r.Kind != RequiresModule && r.Kind != RequiresRole {
				continue
			}
			if other := twin.hops(r.Name); other > 0 {
				require.GreaterOrEqual(t, other, hops, "no requirer is nearer to a root")
				require.Positive(t, hops)
			}
		}
	case RuleVersionClash:
		require.True(t, slices.ContainsFunc(f.Requirers, func(r Requirer) bool { return !r.Satisfied }))
		for _, h := range f.AtHand {
			fits := !slices.ContainsFunc(f.Requirers, func(r Requirer) bool { return naiveVerdict(r.Constraint, h.Version) == no })
			require.Equal(t, fits, h.Fits, "%+v", h)
			require.False(t, h.Fits && h.Given)
		}
	}
	if f.Rule == RuleCycle {
		names := make([]string, len(f.Cycle))
		for i, h := range f.Cycle {
			names[i] = h.Name
		}
		require.Equal(t, f.Module, names[0])
		require.Equal(t, f.Module, slices.Min(names))
		require.Len(t, names, twin.distance(twin.behind, f.Module, f.Module)+1, "the shortest cycle")
		for i := 1; i < len(names); i++ {
			require.True(t, twin.behind[names[i-1]][names[i]], "%v", names)
		}
	}
}

func nilIfEmpty(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

func TestInputOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for range 300 {
		data := make([]byte, r.Intn(90))
		r.Read(data)
		in := graphOf(data)
		if r.Intn(2) == 0 { // namesakes too
			in.Modules = append(in.Modules, graphOf(data[len(data)/2:]).Modules...)
		}
		want := output(t, in)
		for range 5 {
			shuffle(r, in.Modules)
			shuffle(r, in.Roots)
			shuffle(r, in.Candidates)
			for i := range in.Modules {
				in.Modules[i].Edges = slices.Clone(in.Modules[i].Edges)
				shuffle(r, in.Modules[i].Edges)
			}
			require.Equal(t, want, output(t, in))
		}
	}
}

func shuffle[T any](r *rand.Rand, s []T) {
	r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
}

// output is everything that anybody can see of the result.
func output(t *testing.T, in Input) string {
	t.Helper()
	plan, findings := Solve(in)
	var b bytes.Buffer
	if plan != nil {
		require.NoError(t, plan.WriteText(&b))
		require.NoError(t, plan.WriteJSON(&b))
		require.NoError(t, plan.WriteDOT(&b))
	}
	for _, f := range findings {
		b.WriteString(f.Explain())
	}
	require.NoError(t, json.NewEncoder(&b).Encode(findings))
	return b.String()
}

var tag = regexp.MustCompile(`^([^-+]*)-[^+]*(.*)$`)

// FuzzConstraint holds the evaluation of constraints against the library where no tag is about, against the naive twin
// where that understands the constraint, and against itself without tags everywhere.
func FuzzConstraint(f *testing.F) {
	f.Fuzz(func(t *testing.T, constraint, version string) {
		if len(constraint)+len(version) > 2000 {
			return // the library refuses those by their length; see TestAbsurdSizes
		}
		vs := newVersions()
		c, v := vs.constraint(constraint), vs.version(version)
		got := vs.judge(c, v)
		require.Equal(t, c, vs.constraint(constraint), "one text, one number")

		takesAll := strings.TrimSpace(constraint) == "" || strings.TrimSpace(constraint) == "*"
		lib, libErr := semver.NewConstraint(strings.TrimSpace(constraint))
		if !takesAll {
			require.Equal(t, libErr != nil, vs.constraints[c].err != nil, "the library and we take the same texts: %v", vs.constraints[c].err)
		}
		parsed, err := semver.StrictNewVersion(version)
		require.Equal(t, version != "" && err != nil, vs.versions[v].err != nil)

		if takesAll {
			require.Equal(t, yes, got)
			return
		}
		if libErr != nil || version != "" && err != nil {
			require.Equal(t, unknown, got)
			return
		}
		if version == "" {
			require.Equal(t, no, got)
			return
		}
		require.Equal(t, got, vs.judge(c, vs.version(tag.ReplaceAllString(version, "$1$2"))), "the version's tag does not count")
		if !strings.Contains(constraint, "-") && parsed.Prerelease() == "" {
			require.Equal(t, lib.Check(parsed), got == yes, "without tags it is the library's verdict")
		}
		if _, plain := numbersOf(version); plain && naiveConstraint.MatchString(constraint) {
			require.Equal(t, naiveVerdict(constraint, version), got, "the naive twin's verdict")
		}
	})
}
