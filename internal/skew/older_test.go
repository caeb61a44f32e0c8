package skew_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// olderEdits take from the module system what it has got since, as it were, 1.11.0:
// methods of two roles, a field of a message and a value of an enum, a service of the
// host.
var olderEdits = []edit{
	{"facade/version.go", `MesosVersion = "1.12.0"`, `MesosVersion = "1.11.0"`},
	{"roles/testmodule/testmodule.go", `
	// Baz returns the sum of a and b if the module's parameter "operation" is
	// "sum", and -1 otherwise. The module guide's HelloWorld is older than it.
	//
	//mms:since 1.12.0
	//mms:default -1
	Baz(ctx context.Context, a, b int32) (int32, error)

	// Parameters returns the parameters the instance was made with, each as
	// key=value, in their order.
	//
	//mms:since 1.12.0
	//mms:default nil
	Parameters(ctx context.Context) ([]string, error)
`, ""},
	{"roles/hook/hook.go", `
	// SlaveAttributesDecorator is called once, when the agent starts, and
	// returns its attributes.
	//
	//mms:since 1.12.0
	//mms:default nil
	SlaveAttributesDecorator(ctx context.Context, agent *mesosv1.AgentInfo) ([]*mesosv1.Attribute, error)
`, ""},
	{"facade/mesos/v1/mesos.proto", "      VALUE = 1;\n      SECRET = 2;\n    }\n\n    required string name = 1;", "      VALUE = 1;\n    }\n\n    required string name = 1;"},
	{"facade/mesos/v1/mesos.proto", "    optional string value = 2;\n    optional Secret secret = 4;\n", "    optional string value = 2;\n"},
	{"facade/host.go", `
	// Export returns what the instance of such a module hands over beyond its role;
	// false if it is no Exporter. Use RequiredExport for a typed result.
	Export(module string) (value any, ok bool)
`, ""},
	{"facade/export.go", `	value, ok := host.Export(module)
`, `	value, ok := any(nil), false
`},
}

// olderModules are written for that release. The first asks everything that a host
// answered then.
const olderModules = `package modules

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func compatible(_ context.Context, view facade.View) error {
	if view.MesosVersion() == "1.13.0" {
		return fmt.Errorf("that goes too far")
	}
	return nil
}

var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[testmodule.TestModule]{
		Name: "org_example_test", Version: "1.0.0", Compatible: compatible, New: newTest,
		Requires: []facade.Requirement{{Module: "org_example_base"}, {Role: "TestModule"}},
	},
	facade.Module[hook.Hook]{
		Name: "org_example_hook", Version: "1.0.0", Compatible: compatible,
		New: func(context.Context, facade.Host, facade.Parameters) (hook.Hook, error) { return passing{}, nil },
	},
	facade.Module[calculator.Calculator]{
		Name: "org_example_strict", Version: "1.0.0",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) { return nil, nil },
	},
}}

type test struct {
	testmodule.Unimplemented
	base   calculator.Calculator
	others []testmodule.TestModule
}

func newTest(ctx context.Context, host facade.Host, _ facade.Parameters) (testmodule.TestModule, error) {
	base, err := facade.Required[calculator.Calculator](host, "org_example_base")
	if err != nil {
		return nil, err
	}
	dir, err := host.StateDir()
	if err != nil {
		return nil, err
	}
	host.Logger().Info("made", "daemon", host.MesosVersion(), "facade", facade.MesosVersion, "modules", len(host.Modules()))
	host.Metrics().Counter("made", "How often.").Add(1)
	return &test{base: base, others: facade.RequiredRole[testmodule.TestModule](host)}, os.WriteFile(filepath.Join(dir, "mark"), []byte("here"), 0o600)
}

func (t *test) Foo(ctx context.Context, a byte, b int64) (int32, error) { return t.base.Compute(ctx, a, b) }

func (t *test) Bar(ctx context.Context, _ float32, _ float64) (int32, error) {
	return t.others[0].Foo(ctx, 0, 0)
}

type passing struct{ hook.Unimplemented }

func (passing) SlaveExecutorEnvironmentDecorator(_ context.Context, executor *mesosv1.ExecutorInfo) (*mesosv1.Environment, error) {
	return executor.GetCommand().GetEnvironment(), nil
}
`

// environmentOf is full of what the older release does not know.
func environmentOf() *mesosv1.Environment {
	return &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{
		{Name: proto.String("PLAIN"), Value: proto.String("text"), Type: mesosv1.Environment_Variable_VALUE.Enum()},
		{Name: proto.String("HIDDEN"), Type: mesosv1.Environment_Variable_SECRET.Enum(),
			Secret: &mesosv1.Secret{Type: mesosv1.Secret_VALUE.Enum(), Value: &mesosv1.Secret_Value{Data: []byte("swordfish")}}},
	}}
}

func executorWith(e *mesosv1.Environment) *mesosv1.ExecutorInfo {
	return &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("x")}, Command: &mesosv1.CommandInfo{Environment: e}}
}

func TestOlderModule(t *testing.T) {
	mms := release(t, olderEdits...)
	file := program(t, author(t, mms, "", map[string]string{"modules": olderModules}), "modules")

	t.Run("does its work in the present daemon", func(t *testing.T) {
		d := running(t, file, "1.11.0", "org_example_test", "org_example_hook")
		m := instance[testmodule.TestModule](t, d, "org_example_test")
		sum, err := m.Foo(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.Equal(t, int32(75), sum, "by the module that it requires by name, in the daemon")
		asked, err := m.Bar(t.Context(), 0, 0)
		require.NoError(t, err)
		assert.Equal(t, int32(40), asked, "by the module of the role that it requires")
		assert.Contains(t, d.log.String(), "daemon=1.12.0 facade=1.11.0")
		marks, err := filepath.Glob(filepath.Join(d.state, "*", "mark"))
		require.NoError(t, err)
		require.Len(t, marks, 1)
		content, err := os.ReadFile(marks[0])
		require.NoError(t, err)
		assert.Equal(t, "here", string(content))

		t.Run("methods that it lacks are answered by their defaults", func(t *testing.T) {
			answer, err := m.Baz(t.Context(), 1, 2)
			require.NoError(t, err)
			assert.Equal(t, int32(-1), answer)
			parameters, err := m.Parameters(t.Context())
			require.NoError(t, err)
			assert.Empty(t, parameters)
			attributes, err := instance[hook.Hook](t, d, "org_example_hook").SlaveAttributesDecorator(t.Context(), &mesosv1.AgentInfo{Hostname: proto.String("here")})
			require.NoError(t, err)
			assert.Empty(t, attributes)
		})
		t.Run("fields and values that it does not know pass through it", func(t *testing.T) {
			sent := environmentOf()
			back, err := instance[hook.Hook](t, d, "org_example_hook").SlaveExecutorEnvironmentDecorator(t.Context(), executorWith(sent))
			require.NoError(t, err)
			assert.True(t, proto.Equal(sent, back), "%v", back)
		})
	})

	t.Run("is refused as the rules say", func(t *testing.T) {
		t.Run("without a compatibility check the versions have to be equal", func(t *testing.T) {
			found := refused(t, file, "1.11.0", "org_example_strict")
			require.Len(t, found, 1)
			assert.Equal(t, finding.EqualVersion, found[0].Rule)
		})
		t.Run("a role that has changed since takes no module of the time before", func(t *testing.T) {
			found := refused(t, file, "1.12.0", "org_example_hook")
			require.Len(t, found, 1)
			assert.Equal(t, finding.RoleVersion, found[0].Rule)
		})
		t.Run("its own check has the last word", func(t *testing.T) {
			found := refusedBy(t, "1.13.0", file, "1.11.0", "org_example_hook")
			require.Len(t, found, 1)
			assert.Equal(t, finding.OwnCheck, found[0].Rule)
			assert.Contains(t, found[0].Problem, "that goes too far")
		})
	})
}

func TestOldestConnection(t *testing.T) {
	mms := release(t, edit{"manager/vehicle/process/wire/hello.go", "LowestVersion  = 1\n	HighestVersion = 1", "LowestVersion  = 0\n	HighestVersion = 0"})
	file := program(t, author(t, mms, "", map[string]string{"modules": olderModules}), "modules")
	found := refused(t, file, "1.11.0", "org_example_test")
	require.NotEmpty(t, found)
	assert.Contains(t, found[0].Problem, "speaks versions 1 to 1 of the connection between daemon and module")
}
