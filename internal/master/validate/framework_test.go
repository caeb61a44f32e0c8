package validate_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

func executorID(id string) *mesosv1.ExecutorID { return &mesosv1.ExecutorID{Value: &id} }

func frameworkID(id string) *mesosv1.FrameworkID { return &mesosv1.FrameworkID{Value: &id} }

const multiRole = `"capabilities":[{"type":"MULTI_ROLE"}],`

func frameworkInfo(t *testing.T, rest string) *mesosv1.FrameworkInfo {
	t.Helper()
	info := &mesosv1.FrameworkInfo{}
	require.NoError(t, mesosjson.Unmarshal([]byte(`{`+rest+`"user":"u","name":"n"}`), info))
	return info
}

func TestFrameworkInfo(t *testing.T) {
	filter := func(quantities string) string {
		return multiRole + `"offer_filters":{"a":{"min_allocatable_resources":{"quantities":[` + quantities + `]}}},`
	}
	const inFilter = "invalid minimum allocatable resources in 'FrameworkInfo.offer_filters' of role 'a': "
	for _, row := range []struct{ info, want string }{
		{``, ""},
		{`"role":"a/b",`, ""},
		{`"role":"*",`, ""},
		{`"role":"a b",`, `'FrameworkInfo' has an invalid role: role "a b" contains white space or a delete character`},
		{`"role":"a\\b",`, ""},
		{`"role":"/a",`, `'FrameworkInfo' has an invalid role: role "/a" begins or ends with a slash or has two in a row`},
		{`"role":"a/..",`, `'FrameworkInfo' has an invalid role: role "a/.." has ".." as a component`},
		{`"role":"-a",`, `'FrameworkInfo' has an invalid role: role "-a" has a component that starts with a dash`},
		{`"roles":["a"],`, "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"},
		{multiRole, ""},
		{multiRole + `"roles":["a","b/c","*"],`, ""},
		{multiRole + `"role":"a",`, "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"},
		{multiRole + `"roles":["a","b","a","a","b"],`, "'FrameworkInfo.roles' contains duplicate items: a, b"},
		{multiRole + `"roles":["a",""],`, "'FrameworkInfo' has an invalid role: the name of a role must not be empty"},
		{`"id":{"value":""},`, ""},
		{`"id":{"value":"a/b"},`, "'FrameworkInfo.id' is invalid: 'a/b' contains invalid characters"},
		{`"failover_timeout":604800,`, ""},
		{`"failover_timeout":9.3e9,`, "the framework failover_timeout (9.3e+09) is invalid: it is not within the range of durations"},
		{`"failover_timeout":"Infinity",`, "the framework failover_timeout (+Inf) is invalid: it is not within the range of durations"},
		{`"failover_timeout":-1,`, "the framework failover_timeout (-1) must be non-negative"},
		{filter(`{"quantities":{"cpus":{"value":1}}}`), ""},
		{filter(``), ""},
		{filter(`{}`), inFilter + "resource quantities must contain at least one quantity"},
		{filter(`{"quantities":{"cpus":{"value":-1}}}`), inFilter + "invalid resource quantity for 'cpus': negative values are not supported"},
		{filter(`{"quantities":{"cpus":{"value":"Infinity"}}}`), inFilter + "invalid resource quantity for 'cpus': only finite values are supported"},
		{filter(`{"quantities":{"cpus":{"value":5e-324}}}`), inFilter + "invalid resource quantity for 'cpus': subnormal values are not supported"},
		{filter(`{"quantities":{"cpus":{"value":0}}}`), ""},
	} {
		t.Run(row.info, func(t *testing.T) {
			wants(t, row.want, validate.FrameworkInfo(frameworkInfo(t, row.info)))
		})
	}
	t.Run("NaN is no timeout", func(t *testing.T) {
		info := frameworkInfo(t, "")
		info.FailoverTimeout = proto.Float64(math.NaN())
		require.ErrorContains(t, validate.FrameworkInfo(info), "is not within the range of durations")
	})
}

func TestFrameworkRoles(t *testing.T) {
	assert.Equal(t, []string{"*"}, validate.FrameworkRoles(frameworkInfo(t, "")))
	assert.Equal(t, []string{"a"}, validate.FrameworkRoles(frameworkInfo(t, `"role":"a",`)))
	assert.Empty(t, validate.FrameworkRoles(frameworkInfo(t, multiRole)))

	info := frameworkInfo(t, multiRole+`"roles":["a","b"],`)
	got := validate.FrameworkRoles(info)
	got[0] = "changed"
	assert.Equal(t, []string{"a", "b"}, info.GetRoles(), "the slice is the caller's own")
}

func TestSuppressedRoles(t *testing.T) {
	info := frameworkInfo(t, multiRole+`"roles":["a","b"],`)
	require.NoError(t, validate.SuppressedRoles(info, nil))
	require.NoError(t, validate.SuppressedRoles(info, []string{"b", "a"}))
	require.EqualError(t, validate.SuppressedRoles(info, []string{"a", "c"}), "suppressed role 'c' is not contained in the list of roles of the framework")
}

func TestOfferConstraints(t *testing.T) {
	one := func(constraint string) string {
		return `{"role_constraints":{"a":{"groups":[{"attribute_constraints":[` + constraint + `]}]}}}`
	}
	const in = "offer constraints of role 'a' are invalid: "
	for _, row := range []struct{ constraints, want string }{
		{`{}`, ""},
		{`{"role_constraints":{"b":{"groups":[]}}}`, "offer constraints specify role 'b' that is not one of the framework's roles"},
		{`{"role_constraints":{"a":{}}}`, in + "'groups' is empty"},
		{`{"role_constraints":{"a":{"groups":[{}]}}}`, in + "'groups' contains an empty group"},
		{one(`{"selector":{"attribute_name":"x"},"predicate":{"exists":{}}}`), ""},
		{one(`{"selector":{"attribute_name":"x"},"predicate":{"not_exists":{}}}`), ""},
		{one(`{"selector":{"pseudoattribute_type":"ZONE"},"predicate":{"text_equals":{"value":"v"}}}`), ""},
		{one(`{"selector":{"pseudoattribute_type":"REGION"},"predicate":{"text_not_equals":{"value":"v"}}}`), ""},
		{one(`{"selector":{"pseudoattribute_type":"HOSTNAME"},"predicate":{"text_matches":{"regex":"a.*"}}}`), ""},
		{one(`{"selector":{"pseudoattribute_type":"UNKNOWN"},"predicate":{"exists":{}}}`), in + "an 'AttributeConstraint' is invalid: unknown pseudoattribute type UNKNOWN"},
		{one(`{"selector":{},"predicate":{"exists":{}}}`), in + "an 'AttributeConstraint' is invalid: exactly one of 'selector.attribute_name' and 'selector.pseudoattribute_type' must be set"},
		{one(`{"selector":{"attribute_name":"x"},"predicate":{}}`), in + "an 'AttributeConstraint' is invalid: unknown predicate type"},
		{one(`{"selector":{"attribute_name":"x"},"predicate":{"text_matches":{"regex":"("}}}`),
			in + "an 'AttributeConstraint' is invalid: failed to construct regex from pattern '(': error parsing regexp: missing closing ): `(`"},
		{one(`{"selector":{"attribute_name":"x"},"predicate":{"text_not_matches":{"regex":"` + strings.Repeat("a", 4097) + `"}}}`),
			in + "an 'AttributeConstraint' is invalid: a regex of 4097 bytes is too complex: the limit is 4096"},
	} {
		t.Run(row.constraints, func(t *testing.T) {
			constraints := &scheduler.OfferConstraints{}
			require.NoError(t, mesosjson.Unmarshal([]byte(row.constraints), constraints))
			wants(t, row.want, validate.OfferConstraints(frameworkInfo(t, `"role":"a",`), constraints))
		})
	}
}

func TestID(t *testing.T) {
	for _, row := range []struct{ id, want string }{
		{"t", ""},
		{"a.b c:é", ""},
		{strings.Repeat("x", 255), ""},
		{strings.Repeat("x", 256), "ID of 256 characters is too long: the limit is 255"},
		{"", "ID must not be empty"},
		{".", "'.' is disallowed as an ID"},
		{"..", "'..' is disallowed as an ID"},
		{"...", ""},
		{"a/b", "'a/b' contains invalid characters"},
		{`a\b`, `'a\b' contains invalid characters`},
		{"a\nb", "'a?b' contains invalid characters"},
		{"a\x7f", "'a?' contains invalid characters"},
	} {
		t.Run(row.id, func(t *testing.T) { wants(t, row.want, validate.ID(row.id)) })
	}
}

func TestContainerID(t *testing.T) {
	id := func(value string, parent *mesosv1.ContainerID) *mesosv1.ContainerID {
		return &mesosv1.ContainerID{Value: &value, Parent: parent}
	}
	require.NoError(t, validate.ContainerID(id(strings.Repeat("x", 242), id("p", nil))))
	require.EqualError(t, validate.ContainerID(nil), "ID must not be empty")
	require.EqualError(t, validate.ContainerID(id(strings.Repeat("x", 243), nil)), "'ContainerID.value' of 243 characters is too long: the limit is 242")
	require.EqualError(t, validate.ContainerID(id("a", id("b", id("c.d", nil)))), "'ContainerID.parent' is invalid: 'ContainerID.parent' is invalid: 'ContainerID.value' 'c.d' contains invalid characters")
	deep := id("c", nil)
	for range 33 {
		deep = id("c", deep)
	}
	require.ErrorContains(t, validate.ContainerID(deep), "containers are nested more than 32 levels deep")
}

func TestRoleName(t *testing.T) {
	require.NoError(t, validate.RoleName("eng/web"))
	require.Error(t, validate.RoleName("eng//web"))
}

func TestAgentInfo(t *testing.T) {
	for _, row := range []struct{ info, want string }{
		{`{"hostname":"h"}`, ""},
		{`{"hostname":"h","port":0,"id":{"value":"x-S1"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":4},"role":"*"}],"attributes":[{"name":"rack","type":"TEXT","text":{"value":"r1"}}]}`, ""},
		{`{"hostname":""}`, "'AgentInfo.hostname' must not be empty"},
		{`{"hostname":"h","id":{"value":".."}}`, "'AgentInfo.id' is invalid: '..' is disallowed as an ID"},
		{`{"hostname":"h","port":65536}`, "'AgentInfo.port' 65536 is invalid"},
		{`{"hostname":"h","port":-1}`, "'AgentInfo.port' -1 is invalid"},
		{`{"hostname":"h","resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":-4}}]}`, `agent uses invalid resources: invalid resources: resource 0, "cpus", is invalid: value -4 <= 0, or too small or too large`},
		{`{"hostname":"h","resources":[` + persistent("a", "id") + `,` + persistent("a", "id") + `]}`, "agent uses duplicate persistence ID: persistence ID 'id' is not unique"},
		{`{"hostname":"h","resources":[` + persistent("a", "id") + `,` + persistent("b", "id") + `]}`, ""},
		{`{"hostname":"h","attributes":[{"name":"rack","type":"TEXT"}]}`, "attribute 0 of the agent is invalid: "},
	} {
		t.Run(row.info, func(t *testing.T) {
			info := &mesosv1.AgentInfo{}
			require.NoError(t, mesosjson.Unmarshal([]byte(row.info), info))
			err := validate.AgentInfo(info)
			if strings.HasSuffix(row.want, ": ") {
				require.ErrorContains(t, err, row.want)
				return
			}
			wants(t, row.want, err)
		})
	}
}

func TestWeights(t *testing.T) {
	weight := func(role string, w float64) []*mesosv1.WeightInfo {
		return []*mesosv1.WeightInfo{{Role: &role, Weight: &w}}
	}
	require.NoError(t, validate.Weights(nil))
	require.NoError(t, validate.Weights(weight("a/b", 0.5)))
	require.EqualError(t, validate.Weights(weight("", 1)), "Invalid role in a weight: the name of a role must not be empty")
	require.EqualError(t, validate.Weights(weight("a", 0)), "Invalid weight '0' of role 'a': weights must be positive")
	require.Error(t, validate.Weights(weight("a", -1)))
	require.Error(t, validate.Weights(weight("a", math.NaN())))
	require.Error(t, validate.Weights(weight("a", math.Inf(1))))
}

func TestQuotaConfigs(t *testing.T) {
	for _, row := range []struct{ configs, want string }{
		{`[{"role":"a","guarantees":{"cpus":{"value":1}},"limits":{"cpus":{"value":2},"mem":{"value":1}}}]`, ""},
		{`[{"role":"a"}]`, ""},
		{`[{"role":""}]`, "Invalid 'QuotaConfig': the name of a role must not be empty"},
		{`[{"role":"*"}]`, "Invalid 'QuotaConfig': the default role '*' cannot have a quota"},
		{`[{"role":"a/b"}]`, "Invalid 'QuotaConfig': quota of the nested role 'a/b' is not supported"},
		{`[{"role":"a"},{"role":"a"}]`, "Invalid 'QuotaConfig': role 'a' comes twice"},
		{`[{"role":"a","guarantees":{"cpus":{"value":-1}}}]`, "Invalid 'QuotaConfig' of role 'a': 'guarantees': invalid resource quantity for 'cpus': negative values are not supported"},
		{`[{"role":"a","limits":{"cpus":{"value":"Infinity"}}}]`, "Invalid 'QuotaConfig' of role 'a': 'limits': invalid resource quantity for 'cpus': only finite values are supported"},
		{`[{"role":"a","guarantees":{"cpus":{"value":1e300}}}]`, "Invalid 'QuotaConfig' of role 'a': 'guarantees': quantity \"cpus\": 1e+300 does not fit"},
		{`[{"role":"a","limits":{"cpus":{"value":1e300}}}]`, "Invalid 'QuotaConfig' of role 'a': 'limits': quantity \"cpus\": 1e+300 does not fit"},
		{`[{"role":"a","guarantees":{"cpus":{"value":3}},"limits":{"cpus":{"value":2}}}]`, "Invalid 'QuotaConfig' of role 'a': guarantees cpus:3 are above limits cpus:2"},
	} {
		t.Run(row.configs, func(t *testing.T) {
			configs, err := mesosjson.UnmarshalArray[quota.QuotaConfig]([]byte(row.configs))
			require.NoError(t, err)
			wants(t, row.want, validate.QuotaConfigs(configs))
		})
	}
}
