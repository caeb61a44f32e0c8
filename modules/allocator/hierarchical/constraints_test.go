package hierarchical

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

const rackR1 = `hostname: "h1.example" attributes { name: "rack" type: TEXT text { value: "r1" } } attributes { name: "rack" type: TEXT text { value: "r2" } }
	attributes { name: "slots" type: SCALAR scalar { value: 4 } }
	domain { fault_domain { region { name: "north" } zone { name: "north-1" } } }`

func TestConstraints(t *testing.T) {
	for _, c := range []struct {
		about, info, constraint string
		want                    bool
	}{
		{"exists", rackR1, `selector { attribute_name: "rack" } predicate { exists {} }`, true},
		{"exists, and is not there", rackR1, `selector { attribute_name: "row" } predicate { exists {} }`, false},
		{"not exists", rackR1, `selector { attribute_name: "row" } predicate { not_exists {} }`, true},
		{"not exists, and is there", rackR1, `selector { attribute_name: "slots" } predicate { not_exists {} }`, false},
		{"equals", rackR1, `selector { attribute_name: "rack" } predicate { text_equals { value: "r1" } }`, true},
		{"the first of a name counts", rackR1, `selector { attribute_name: "rack" } predicate { text_equals { value: "r2" } }`, false},
		{"equals, and is not there", rackR1, `selector { attribute_name: "row" } predicate { text_equals { value: "" } }`, false},
		{"what is no text equals all", rackR1, `selector { attribute_name: "slots" } predicate { text_equals { value: "5" } }`, true},
		{"not equals", rackR1, `selector { attribute_name: "rack" } predicate { text_not_equals { value: "r2" } }`, true},
		{"not equals, and does", rackR1, `selector { attribute_name: "rack" } predicate { text_not_equals { value: "r1" } }`, false},
		{"not equals, and is not there", rackR1, `selector { attribute_name: "row" } predicate { text_not_equals { value: "r1" } }`, true},
		{"what is no text differs from all", rackR1, `selector { attribute_name: "slots" } predicate { text_not_equals { value: "4" } }`, true},
		{"matches", rackR1, `selector { attribute_name: "rack" } predicate { text_matches { regex: "r[0-9]" } }`, true},
		{"matches a part only", rackR1, `selector { attribute_name: "rack" } predicate { text_matches { regex: "r" } }`, false},
		{"alternatives are as a whole", rackR1, `selector { attribute_name: "rack" } predicate { text_matches { regex: "r|1" } }`, false},
		{"not matches", rackR1, `selector { attribute_name: "rack" } predicate { text_not_matches { regex: "s.*" } }`, true},
		{"not matches, and does", rackR1, `selector { attribute_name: "rack" } predicate { text_not_matches { regex: "r.*" } }`, false},
		{"hostname", rackR1, `selector { pseudoattribute_type: HOSTNAME } predicate { text_matches { regex: ".*\\.example" } }`, true},
		{"region", rackR1, `selector { pseudoattribute_type: REGION } predicate { text_equals { value: "north" } }`, true},
		{"zone", rackR1, `selector { pseudoattribute_type: ZONE } predicate { text_equals { value: "north-2" } }`, false},
		{"no domain", `hostname: "h"`, `selector { pseudoattribute_type: ZONE } predicate { not_exists {} }`, true},
	} {
		t.Run(c.about, func(t *testing.T) {
			var info mesosv1.AgentInfo
			require.NoError(t, prototext.Unmarshal([]byte(c.info), &info))
			all, err := constraintsOf(t, `role_constraints { key: "a" value { groups { attribute_constraints { `+c.constraint+` } } } }`)
			require.NoError(t, err)
			assert.Equal(t, c.want, all["a"].allows(&info))
			assert.True(t, all["b"].allows(&info), "there are none for the role")
		})
	}
	t.Run("all of any group", func(t *testing.T) {
		all, err := constraintsOf(t, `role_constraints { key: "a" value {
			groups { attribute_constraints { selector { attribute_name: "x" } predicate { exists {} } } attribute_constraints { selector { attribute_name: "y" } predicate { exists {} } } }
			groups { attribute_constraints { selector { attribute_name: "z" } predicate { exists {} } } } } }`)
		require.NoError(t, err)
		for names, want := range map[string]bool{"x": false, "xy": true, "z": true, "yz": true, "": false} {
			info := &mesosv1.AgentInfo{}
			for _, name := range names {
				text := string(name)
				info.Attributes = append(info.Attributes, &mesosv1.Attribute{Name: &text, Type: mesosv1.Value_TEXT.Enum()})
			}
			assert.Equal(t, want, all["a"].allows(info), names)
		}
	})
	for about, c := range map[string]struct{ constraint, problem string }{
		"no group":          {`role_constraints { key: "a" value {} }`, "offer constraints of role a have no group"},
		"an empty group":    {`role_constraints { key: "a" value { groups {} } }`, "offer constraints of role a: group 0 is empty"},
		"no selector":       {oneConstraint(`selector {} predicate { exists {} }`), "a selector has neither"},
		"no predicate":      {oneConstraint(`selector { attribute_name: "x" } predicate {}`), "there is no predicate"},
		"an unknown pseudo": {oneConstraint(`selector { pseudoattribute_type: UNKNOWN } predicate { exists {} }`), "there is no pseudoattribute UNKNOWN"},
		"a bad pattern":     {oneConstraint(`selector { attribute_name: "x" } predicate { text_matches { regex: "(" } }`), "missing closing )"},
		"an open bracket":   {oneConstraint(`selector { attribute_name: "x" } predicate { text_not_matches { regex: "a)|(b" } }`), "unexpected )"},
	} {
		t.Run(about, func(t *testing.T) {
			_, err := constraintsOf(t, c.constraint)
			require.ErrorContains(t, err, c.problem)
		})
	}
}

func oneConstraint(text string) string {
	return `role_constraints { key: "a" value { groups { attribute_constraints { ` + text + ` } } } }`
}

func constraintsOf(t *testing.T, text string) (map[string]*constraints, error) {
	var m scheduler.OfferConstraints
	require.NoError(t, prototext.Unmarshal([]byte(text), &m))
	return readConstraints(&m)
}
