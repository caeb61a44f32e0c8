package finding_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/finding"
)

func TestRules(t *testing.T) {
	t.Run("every rule is explained in whole sentences, once", func(t *testing.T) {
		seen := map[finding.Rule]bool{}
		for _, x := range finding.Rules() {
			assert.False(t, seen[x.Rule], x.Rule)
			seen[x.Rule] = true
			assert.Regexp(t, "^[a-z]+(-[a-z]+)*$", string(x.Rule))
			for _, text := range []string{x.Checks, x.Because, x.Mend} {
				assert.True(t, strings.HasSuffix(text, "."), "%s: %s", x.Rule, text)
			}
			found, ok := finding.Explain(x.Rule)
			assert.True(t, ok)
			assert.Equal(t, x, found)
		}
		assert.Len(t, seen, 30)
	})
	t.Run("the handshake comes before whatever trusts it, and the module's own check last", func(t *testing.T) {
		var order []finding.Rule
		for _, x := range finding.Rules() {
			order = append(order, x.Rule)
		}
		assert.Equal(t, []finding.Rule{finding.Handshake, finding.MMSVersion, finding.Metadata}, order[8:11])
		assert.Equal(t, finding.OwnCheck, order[len(order)-1])
	})
	t.Run("an unknown rule has no explanation", func(t *testing.T) {
		_, ok := finding.Explain("no-such-rule")
		assert.False(t, ok)
	})
	t.Run("the table is the caller's", func(t *testing.T) {
		finding.Rules()[0].Checks = "changed"
		assert.NotEqual(t, "changed", finding.Rules()[0].Checks)
	})
}

func TestSort(t *testing.T) {
	want := []finding.Finding{
		{Rule: finding.Handshake, Library: "z"},
		{Rule: finding.MMSVersion, Library: "a", Module: "b"},
		{Rule: finding.MMSVersion, Library: "b", Module: "a"},
		{Rule: finding.MMSVersion, Library: "b", Module: "b", Problem: "1"},
		{Rule: finding.MMSVersion, Library: "b", Module: "b", Problem: "2", Mend: "1"},
		{Rule: finding.MMSVersion, Library: "b", Module: "b", Problem: "2", Mend: "2", Path: []string{"a"}},
		{Rule: finding.MMSVersion, Library: "b", Module: "b", Problem: "2", Mend: "2", Path: []string{"b"}},
		{Rule: finding.OwnCheck},
		{Rule: "later-a"},
		{Rule: "later-b"},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		got := append([]finding.Finding(nil), want...)
		random.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		finding.Sort(got)
		require.Equal(t, want, got)
	}
}

func TestError(t *testing.T) {
	err := &finding.Error{Findings: []finding.Finding{{Rule: finding.Cycle, Problem: "round"}, {Rule: finding.OwnCheck, Module: "m", Problem: "no"}}}
	assert.EqualError(t, err, "cycle: round\nown-check: module m: no")
}

func ExampleFinding_String() {
	fmt.Println(finding.Finding{
		Rule: finding.Requirement, Module: "org_example_sum", Library: "/opt/libsum.so",
		Path:    []string{"--calculator", "org_example_sum", "org_example_base"},
		Problem: "org_example_base is not there", Mend: "add it to the manifest",
	})
	// Output:
	// requirement: module org_example_sum: /opt/libsum.so: org_example_base is not there [--calculator -> org_example_sum -> org_example_base]; add it to the manifest
}

func ExampleExplain() {
	x, _ := finding.Explain(finding.Handshake)
	fmt.Println(x.Mend)
	// Output:
	// Put MESOS_MODULE_LIBRARY() into one file of the library, or export a facade.Library.
}
