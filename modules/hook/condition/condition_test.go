package condition_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/hook/condition"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"web", "web", true},
		{"web", "Web", false},
		{"web", "webs", false},
		{"*", "", true},
		{"*", "anything", true},
		{"web*", "web", true},
		{"web*", "web/a", true},
		{"web*", "aweb", false},
		{"*web", "my web", true},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"a*ab*b", "aab", false},
		{"a*ab*b", "aabb", true},
		{"a**b", "ab", true},
		{"[a-z]?", "b1", false},
		{"[a-z]?", "[a-z]?", true},
	} {
		t.Run(c.pattern+" and "+c.name, func(t *testing.T) {
			p, err := condition.Parse("task", []string{c.pattern})
			require.NoError(t, err)
			assert.Equal(t, c.want, p.Match(c.name))
		})
	}
	t.Run("one of several is enough", func(t *testing.T) {
		assert.True(t, condition.Patterns{"a", "b"}.Match("b"))
		assert.False(t, condition.Patterns{"a", "b"}.Match("c"))
	})
	t.Run("none match everything", func(t *testing.T) { assert.True(t, condition.Patterns(nil).Match("c")) })
	t.Run("an empty one is refused", func(t *testing.T) {
		_, err := condition.Parse("task", []string{"a", ""})
		assert.ErrorContains(t, err, "parameter task is empty")
	})
}

func TestMatchRole(t *testing.T) {
	with := func(roles ...string) []*mesosv1.Resource {
		all := []*mesosv1.Resource{{}}
		for _, r := range roles {
			all = append(all, &mesosv1.Resource{AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: proto.String(r)}})
		}
		return all
	}
	assert.True(t, condition.Patterns{"web*"}.MatchRole(with("web/a", "db")), "the first that has one says")
	assert.False(t, condition.Patterns{"web*"}.MatchRole(with("db", "web")))
	assert.False(t, condition.Patterns{"*"}.MatchRole(with()), "no role is like none")
	assert.True(t, condition.Patterns(nil).MatchRole(with()))
}

func TestPairs(t *testing.T) {
	check := func(key string) error {
		if key == "" {
			return errors.New("the key is empty")
		}
		return nil
	}
	all, err := condition.Pairs("set", []string{"a=b=c", "d="}, check)
	require.NoError(t, err)
	assert.Equal(t, []condition.Pair{{"a", "b=c"}, {"d", ""}}, all)
	_, err = condition.Pairs("set", []string{"a", "=b", "c=d"}, check)
	assert.EqualError(t, err, "parameter set: \"a\": there is no = in it\nparameter set: \"=b\": the key is empty")
	assert.NoError(t, condition.Unique([]string{"a", "b"}))
	assert.EqualError(t, condition.Unique([]string{"a", "b", "a"}), `"a" is named more than once`)
}

func Example() {
	p, _ := condition.Parse("framework", []string{"marathon*", "chronos"})
	fmt.Println(p.Match("marathon-2"), p.Match("spark"))
	// Output: true false
}
