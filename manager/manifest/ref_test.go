package manifest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
)

func TestRef(t *testing.T) {
	for text, want := range map[string]manifest.Ref{
		"m":                    {Name: "m"},
		"cgroups/cpu":          {Name: "cgroups/cpu"},
		"m@>=2":                {Name: "m", Constraint: ">=2"},
		"m@>=1.1 <2":           {Name: "m", Constraint: ">=1.1 <2"},
		"m@^1 || ^3":           {Name: "m", Constraint: "^1 || ^3"},
		"m@1@2":                {Name: "m", Constraint: "1@2"},
		"org_example_ü":        {Name: "org_example_ü"},
		"2nd":                  {Name: "2nd"},
		"org_apache_mesos_X@1": {Name: "org_apache_mesos_X", Constraint: "1"},
	} {
		t.Run(text, func(t *testing.T) {
			refs, err := manifest.ParseRefs(text)
			require.NoError(t, err)
			assert.Equal(t, []manifest.Ref{want}, refs)
			assert.Equal(t, text, refs[0].String())
		})
	}
	for text, want := range map[string]string{
		"@1":        `"@1": no module name before the @`,
		"m@":        `"m@": no version constraint after the @; leave out the @ to accept every version`,
		" m":        `" m": white space in a module name; take it out`,
		"m n":       `"m n": white space in a module name; take it out`,
		"m\x00":     `"m\x00": white space in a module name; take it out`,
		"m@ >=1":    `"m@ >=1": white space around a version constraint; take it out`,
		"m@1 ":      `"m@1 ": white space around a version constraint; take it out`,
		">=2":       `">=2": this is a version constraint, not a module name; write NAME@>=2`,
		"m@" + long: `"m@` + long[:58] + `…": longer than 256 bytes`,
	} {
		t.Run("refused: "+text, func(t *testing.T) {
			_, err := manifest.ParseRefs(text)
			assert.EqualError(t, err, "entry 1, "+want)
		})
	}
}

var long = strings.Repeat("1", 300)

func TestParseRefs(t *testing.T) {
	for text, want := range map[string][]manifest.Ref{
		"a":               {{Name: "a"}},
		"a,b@^1":          {{Name: "a"}, {Name: "b", Constraint: "^1"}},
		"b@>=1.1 <2,a":    {{Name: "b", Constraint: ">=1.1 <2"}, {Name: "a"}},
		"posix/cpu,2nd,c": {{Name: "posix/cpu"}, {Name: "2nd"}, {Name: "c"}},
	} {
		t.Run(text, func(t *testing.T) {
			refs, err := manifest.ParseRefs(text)
			require.NoError(t, err)
			assert.Equal(t, want, refs)
		})
	}
	for text, want := range map[string]string{
		"":           "no module named; leave the flag out to bind none",
		"a,":         "entry 2 is empty; take the comma out",
		"a, b":       `entry 2, " b": white space in a module name; take it out`,
		"a@1,b,a@2":  `entry 3, "a@2": entry 1 names this module already`,
		"a@>=1,<2":   `entry 2, "<2": a comma begins the next module; to continue the version constraint before it write a space: "a@>=1 <2"`,
		"a@>=1, <2":  `entry 2, " <2": a comma begins the next module; to continue the version constraint before it write a space: "a@>=1  <2"`,
		"a@1.x,2.x":  `entry 2, "2.x": a comma begins the next module; to continue the version constraint before it write a space: "a@1.x 2.x"`,
		",a,a,b@,c ": "4 problems:\n  * entry 1 is empty; take the comma out\n  * entry 3, \"a\": entry 2 names this module already\n  * entry 4, \"b@\": no version constraint after the @; leave out the @ to accept every version\n  * entry 5, \"c \": white space in a module name; take it out",
	} {
		t.Run("refused: "+text, func(t *testing.T) {
			refs, err := manifest.ParseRefs(text)
			assert.EqualError(t, err, want)
			assert.Nil(t, refs)
		})
	}
	t.Run("refused: too many", func(t *testing.T) {
		_, err := manifest.ParseRefs(strings.Repeat("a,", 1000) + "b")
		assert.EqualError(t, err, "1001 modules named, more than 1000")
	})
}
