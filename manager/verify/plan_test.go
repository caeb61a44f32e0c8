package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

// slave has a module of every fate.
func slave() verify.Input {
	in := master()
	in.Daemon = roles.Slave
	in.Libraries = []verify.Library{
		library("/opt/libmany.so", module("org_example_anonymous", "Anonymous"), module("org_example_isolator", "Isolator"),
			module("org_example_me", "Authenticatee"), module("org_example_vault", "TestModule"), module("org_example_spare", "Calculator")),
		library("/opt/libbase.so", vehicle.Module{Name: "org_example_base", Role: "Calculator", Version: "2.0.0", Compatible: true,
			HasSchema:  true,
			Parameters: []facade.ParameterSpec{{Key: "host", Type: "string", Repeated: true}, {Key: "seal", Type: "secret", Secret: true}, {Key: "password", Type: "string"}}}),
	}
	modules := in.Libraries[0].Description.Modules
	modules[1].Requires = []facade.Requirement{requires("org_example_base", ">=2"), {Role: "Calculator"}}
	modules[2].Requires = []facade.Requirement{requires("org_example_vault", "")}
	in.Libraries[1].ShipsWithMesos = true
	in.Libraries[1].Named[0].Parameters = parameters("host", "a", "seal", "hush", "password", "whisper", "host", "http://u:quiet@b")
	in.Bindings = []verify.Binding{bind("isolation", "org_example_isolator"), bind("auth", "org_example_me")}
	return in
}

func TestPlan(t *testing.T) {
	plan := requireNone(t, verify.Check(slave()))

	t.Run("who is required comes before who requires", func(t *testing.T) {
		var order []string
		for _, m := range plan.Modules {
			order = append(order, m.Name)
		}
		assert.Equal(t, []string{"org_example_anonymous", "org_example_base", "org_example_spare", "org_example_isolator", "org_example_vault",
			"org_example_me"}, order)
	})
	t.Run("an instance is made for sites of one and many, for requirements, and for every Anonymous", func(t *testing.T) {
		assert.Equal(t, []string{"org_example_anonymous", "org_example_base", "org_example_spare", "org_example_isolator", "org_example_vault"}, plan.Needed)
	})
	t.Run("a site that makes instances as it goes has none made for it, and is no idler", func(t *testing.T) {
		assert.NotContains(t, plan.Needed, "org_example_me")
		assert.NotContains(t, plan.Unused, "org_example_me")
	})
	t.Run("requirements by role and name are resolved, each once", func(t *testing.T) {
		m, ok := plan.Module("org_example_isolator")
		require.True(t, ok)
		assert.Equal(t, []string{"org_example_base", "org_example_spare"}, m.Requires)
	})
	t.Run("sites come in the order of the table, those without a caller left out", func(t *testing.T) {
		assert.Equal(t, []verify.Site{
			{Role: "Anonymous", Takes: "all", Modules: []string{"org_example_anonymous"}},
			{Role: "Authenticatee", Flag: "authenticatee", Takes: "each", Modules: []string{"org_example_me"}},
			{Role: "Calculator", Flag: "calculator", Takes: "list", Modules: []string{}},
			{Role: "Isolator", Flag: "isolation", Takes: "list", Modules: []string{"org_example_isolator"}},
			{Role: "TestModule", Flag: "test_module", Takes: "one", Modules: []string{}},
		}, plan.Sites)
	})
	t.Run("secret values are hidden, declared or not", func(t *testing.T) {
		m, _ := plan.Module("org_example_base")
		assert.Equal(t, []verify.Parameter{{Key: "host", Value: "a"}, {Key: "seal", Value: "(hidden)"}, {Key: "password", Value: "(hidden)"}, {Key: "host", Value: "http://(hidden)@b"}},
			m.Parameters)
		assert.NotContains(t, fmt.Sprintf("%+v", plan), "hush")
	})
	t.Run("it holds the graph, for drawing", func(t *testing.T) {
		assert.Equal(t, 6, plan.Graph.Len())
		assert.Equal(t, []string{"--isolation", "org_example_isolator", "org_example_base"}, plan.Path("org_example_base"))
		assert.Nil(t, plan.Path("org_example_unknown"))
	})
	t.Run("a list keeps the order of its flag", func(t *testing.T) {
		in := master()
		in.Libraries = []verify.Library{library("/opt/two.so", module("org_example_a", "Calculator"), module("org_example_b", "Calculator"))}
		in.Bindings = []verify.Binding{bind("calculator", "org_example_b", "org_example_a")}
		plan := requireNone(t, verify.Check(in))
		assert.Contains(t, plan.Sites, verify.Site{Role: "Calculator", Flag: "calculator", Takes: "list", Modules: []string{"org_example_b", "org_example_a"}})
	})
}

func TestNotices(t *testing.T) {
	t.Run("a name that breaks the naming rule", func(t *testing.T) {
		for name, fits := range map[string]bool{"org_apache_mesos_TestModule": true, "org_example_calculator": true, "com_example_x9_y": true,
			"example": false, "org_example": false, "Org_example_x": false, "org__example_x": false, "org.example.x": false, "org_example_x-y": false, "posix/cpu": false} {
			in := master()
			in.Libraries = []verify.Library{library("/opt/x.so", module(name, "Calculator"))}
			in.Bindings = []verify.Binding{bind("calculator", name)}
			result := verify.Check(in)
			requireNone(t, result)
			if fits {
				assert.Empty(t, result.Notices, name)
				continue
			}
			require.Len(t, result.Notices, 1, name)
			assert.Equal(t, verify.Naming, result.Notices[0].ID, name)
		}
	})
	t.Run("a module that is loaded and used by nothing", func(t *testing.T) {
		in := master()
		in.Bindings = nil
		result := verify.Check(in)
		assert.Equal(t, []string{"org_example_calculator"}, requireNone(t, result).Unused)
		require.Len(t, result.Notices, 1)
		assert.Equal(t, verify.Unused, result.Notices[0].ID)
	})
	t.Run("while a finding stands nobody is called unused", func(t *testing.T) {
		in := master()
		in.Bindings = []verify.Binding{bind("calculator", "org_example_calculater")}
		assert.Empty(t, verify.Check(in).Notices)
	})
}

func TestOwnChecks(t *testing.T) {
	result := verify.Check(slave())
	t.Run("a module that admits changes nothing", func(t *testing.T) {
		assert.Equal(t, result, result.WithOwnChecks([]verify.OwnCheck{{Module: "org_example_base"}}))
	})
	t.Run("a module that refuses has the last word", func(t *testing.T) {
		refused := result.WithOwnChecks([]verify.OwnCheck{{Module: "org_example_base", Err: errors.New("needs\nfoo 2")}})
		assert.Equal(t, finding.Finding{Rule: finding.OwnCheck, Module: "org_example_base", Library: "/opt/libbase.so",
			Path:    []string{"--isolation", "org_example_isolator", "org_example_base"},
			Problem: "the module's own check refuses: needs foo 2",
			Mend:    "mend what the module names, or leave it out: it has the last word"}, requireOne(t, refused))
		assert.NotNil(t, result.Plan, "the first result is as it was")
		assert.Empty(t, result.Findings)
	})
	t.Run("a check that hangs is told apart", func(t *testing.T) {
		f := result.Plan.Refused("org_example_base", fmt.Errorf("after %v: %w", time.Second, context.DeadlineExceeded))
		assert.Contains(t, f.Problem, "did not come back in time")
		assert.Contains(t, f.Mend, "check limit")
	})
	t.Run("a module that no flag leads to is found through the manifest", func(t *testing.T) {
		in := slave()
		in.Bindings = nil
		f := verify.Check(in).Plan.Refused("org_example_base", errors.New("no"))
		assert.Equal(t, []string{"--modules: /opt/libbase.so", "org_example_base"}, f.Path)
	})
	t.Run("without a plan there is nothing to refuse", func(t *testing.T) {
		bad := verify.Result{Findings: []finding.Finding{{Rule: finding.Cycle}}}
		assert.Equal(t, bad, bad.WithOwnChecks([]verify.OwnCheck{{Module: "x", Err: errors.New("no")}}))
	})
}

func TestEmpty(t *testing.T) {
	plan := requireNone(t, verify.Check(verify.Input{Daemon: roles.Master, MesosVersion: "1.12.0", MMSVersions: []string{"1"}, Roles: roles.Table()}))
	text, err := json.Marshal(plan)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "null", "lists without entries are empty lists")
}

// The same input gives the same bytes, in whatever order the map of the day iterates; libraries and flags may come in any
// order as long as no two claim one name.
func TestSameInputSameBytes(t *testing.T) {
	bad := func() verify.Input {
		in := slave()
		in.Libraries[0].Description.Modules[0].Role = "Nothing"
		in.Libraries[0].Description.Modules[1].Requires = append(in.Libraries[0].Description.Modules[1].Requires, requires("org_example_gone", ""), requires("org_example_base", "<2"))
		in.Libraries[1].Description.MinMesos = "1.0.0"
		in.Libraries[1].Named[0].Parameters = parameters("hots", "a", "x", "y")
		in.Bindings = append(in.Bindings, bind("test_module", "org_example_base"), bind("allocator", "elsewhere"))
		return in
	}
	for name, make := range map[string]func() verify.Input{"a plan": slave, "findings": bad} {
		t.Run(name, func(t *testing.T) {
			first, err := json.Marshal(verify.Check(make()))
			require.NoError(t, err)
			random := rand.New(rand.NewPCG(1, 2))
			for range 50 {
				in := make()
				random.Shuffle(len(in.Libraries), func(i, j int) { in.Libraries[i], in.Libraries[j] = in.Libraries[j], in.Libraries[i] })
				random.Shuffle(len(in.Bindings), func(i, j int) { in.Bindings[i], in.Bindings[j] = in.Bindings[j], in.Bindings[i] })
				again, err := json.Marshal(verify.Check(in))
				require.NoError(t, err)
				require.Equal(t, string(first), string(again))
			}
		})
	}
}

// Ten thousand modules in a chain give bounded paths, in time that a start does not notice.
func TestLongChain(t *testing.T) {
	const count = 10_000
	in := master()
	var modules []vehicle.Module
	for i := range count {
		m := module(fmt.Sprintf("org_example_m%05d", i), "Calculator")
		m.Requires = []facade.Requirement{requires(fmt.Sprintf("org_example_m%05d", i+1), "")}
		modules = append(modules, m)
	}
	in.Libraries = []verify.Library{library("/opt/libchain.so", modules...)}
	in.Bindings = []verify.Binding{bind("calculator", modules[0].Name)}
	f := requireOne(t, verify.Check(in))
	assert.Equal(t, finding.Requirement, f.Rule)
	assert.LessOrEqual(t, len(f.Path), 66)
	assert.Equal(t, []string{"--calculator", "(9938 modules)"}, f.Path[:2])
}
