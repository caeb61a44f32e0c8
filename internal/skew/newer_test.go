package skew_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// newerEdits add to the module system what, as it were, 1.13.0 will have: a method of a
// role, a field of a message and a value of an enum, a service of the host, more to say
// about modules, and another version of the connection.
var newerEdits = []edit{
	{"facade/version.go", `MesosVersion = "1.12.0"`, `MesosVersion = "1.13.0"`},
	{"roles/testmodule/testmodule.go", "	Parameters(ctx context.Context) ([]string, error)\n", `	Parameters(ctx context.Context) ([]string, error)

	// Qux returns the answer.
	//
	//mms:since 1.13.0
	//mms:default -7
	Qux(ctx context.Context) (int32, error)
`},
	{"facade/mesos/v1/mesos.proto", "      SECRET = 2;\n    }\n\n    required string name = 1;", "      SECRET = 2;\n      COLOURED = 9;\n    }\n\n    required string name = 1;"},
	{"facade/mesos/v1/mesos.proto", "    optional string value = 2;\n    optional Secret secret = 4;\n", "    optional string value = 2;\n    optional Secret secret = 4;\n    optional string colour = 77;\n"},
	{"manager/vehicle/vehicle.go", "	Compatible bool `json:\"compatible,omitempty\"`\n", "	Compatible bool `json:\"compatible,omitempty\"`\n\n	Colour string `json:\"colour\"`\n"},
	{"manager/vehicle/golib/describe.go", "	m.Flaws = flaws\n", "	m.Flaws, m.Colour = flaws, \"blue\"\n"},
	{"manager/vehicle/process/serve/host.go", "	h.lifetime, h.end = context.WithCancel(background)\n", `	h.lifetime, h.end = context.WithCancel(background)
	if _, err := protocol.Ask[string](background, daemon, "colour", protocol.Nothing{}); err != nil {
		var unknown *wire.UnknownMethodError
		h.logger.Warn("no colour", "unknown", errors.As(err, &unknown), "error", err)
	}
`},
	{"manager/vehicle/process/serve/host.go", "	\"context\"\n", "	\"context\"\n	\"errors\"\n"},
	{"manager/vehicle/process/wire/hello.go", "	HighestVersion = 1", "	HighestVersion = 2"},
}

// newerModules are written for that release. VERSIONS is what the library says of itself.
const newerModules = `package NAME

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func compatible(context.Context, facade.View) error { return nil }

var Library = facade.Library{VERSIONS Modules: []facade.Declared{
	facade.Module[testmodule.TestModule]{
		Name: "org_example_test", Version: "1.0.0", Compatible: compatible,
		Requires: []facade.Requirement{{Module: "org_example_tester"}},
		New: func(_ context.Context, host facade.Host, _ facade.Parameters) (testmodule.TestModule, error) {
			other, err := facade.Required[testmodule.TestModule](host, "org_example_tester")
			return test{other: other}, err
		},
	},
	facade.Module[hook.Hook]{
		Name: "org_example_hook", Version: "1.0.0", Compatible: compatible,
		New: func(context.Context, facade.Host, facade.Parameters) (hook.Hook, error) { return painter{}, nil },
	},
}}

type test struct {
	testmodule.Unimplemented
	other testmodule.TestModule
}

func (t test) Foo(ctx context.Context, _ byte, _ int64) (int32, error) { return t.other.Foo(ctx, 0, 0) }

func (t test) Bar(ctx context.Context, _ float32, _ float64) (int32, error) { return t.other.Qux(ctx) }

func (t test) Qux(context.Context) (int32, error) { return 42, nil }

type painter struct{ hook.Unimplemented }

// What is painted already gets a second variable.
func (painter) SlaveExecutorEnvironmentDecorator(_ context.Context, executor *mesosv1.ExecutorInfo) (*mesosv1.Environment, error) {
	name, value := "COLOUR", "seen"
	all := executor.GetCommand().GetEnvironment().GetVariables()
	for _, v := range all {
		if v.GetColour() == "blue" && v.GetType() == mesosv1.Environment_Variable_COLOURED {
			return &mesosv1.Environment{Variables: append(all, &mesosv1.Environment_Variable{Name: &value, Value: &value})}, nil
		}
	}
	colour := "blue"
	return &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{
		Name: &name, Value: &value, Colour: &colour, Type: mesosv1.Environment_Variable_COLOURED.Enum()}}}, nil
}
`

func newer(name, versions string) string {
	return strings.NewReplacer("NAME", name, "VERSIONS", versions).Replace(newerModules)
}

func TestNewerModule(t *testing.T) {
	mms := release(t, newerEdits...)
	dir := author(t, mms, "", map[string]string{
		"plain": newer("plain", ""), "older": newer("older", `MesosVersion: "1.12.0",`), "handshake": newer("handshake", `MesosVersion: "1.12.0", MMSVersion: 2,`),
	})
	modules := []string{"org_example_test", "org_example_hook"}

	t.Run("that is baked for a later release is refused", func(t *testing.T) {
		found := refused(t, program(t, dir, "plain"), "1.12.0", modules...)
		require.Len(t, found, 1)
		assert.Equal(t, finding.LibraryVersion, found[0].Rule)
		assert.Contains(t, found[0].Problem, "a newer Mesos release: 1.13.0, and this daemon is 1.12.0")
	})
	t.Run("with a later handshake is refused", func(t *testing.T) {
		found := refused(t, program(t, dir, "handshake"), "1.12.0", modules...)
		require.NotEmpty(t, found)
		for _, f := range found {
			assert.Equal(t, finding.MMSVersion, f.Rule)
		}
	})

	t.Run("that says that it works with the present one does so, whatever it was built with", func(t *testing.T) {
		d := running(t, program(t, dir, "older"), "1.12.0", modules...)
		m := instance[testmodule.TestModule](t, d, "org_example_test")
		t.Run("a method that the daemon lacks is answered in the module by its default", func(t *testing.T) {
			n, err := m.Foo(t.Context(), 0, 0)
			require.NoError(t, err)
			assert.Equal(t, int32(40), n, "what the daemon's module has is asked there")
			n, err = m.Bar(t.Context(), 0, 0)
			require.NoError(t, err)
			assert.Equal(t, int32(-7), n)
		})
		t.Run("fields and values that the daemon does not know pass through it", func(t *testing.T) {
			h := instance[hook.Hook](t, d, "org_example_hook")
			painted, err := h.SlaveExecutorEnvironmentDecorator(t.Context(), executorWith(nil))
			require.NoError(t, err)
			require.Len(t, painted.GetVariables(), 1)
			assert.EqualValues(t, 9, painted.Variables[0].GetType(), "a value without a name keeps its number")
			assert.NotEmpty(t, painted.Variables[0].ProtoReflect().GetUnknown())
			again, err := h.SlaveExecutorEnvironmentDecorator(t.Context(), executorWith(painted))
			require.NoError(t, err)
			require.Len(t, again.GetVariables(), 2, "the module finds what it has sent")
			assert.True(t, proto.Equal(painted.Variables[0], again.Variables[0]))
		})
		t.Run("a service that the daemon lacks is a typed error for it", func(t *testing.T) {
			assert.Contains(t, d.log.String(), `msg="no colour"`)
			assert.Contains(t, d.log.String(), "unknown=true")
			assert.Contains(t, d.log.String(), "method colour is not known to the other process, which was built for Mesos 1.12.0 (this one for 1.13.0)")
		})
	})
}

func TestNewestConnection(t *testing.T) {
	mms := release(t, edit{"manager/vehicle/process/wire/hello.go", "LowestVersion  = 1\n	HighestVersion = 1", "LowestVersion  = 2\n	HighestVersion = 2"})
	file := program(t, author(t, mms, "", map[string]string{"modules": olderModules}), "modules")
	found := refused(t, file, "1.12.0", "org_example_test")
	require.NotEmpty(t, found)
	assert.Contains(t, found[0].Problem, "speaks versions 1 to 1 of the connection between daemon and module")
	assert.Contains(t, found[0].Problem, "2 to 2; build the older of the two anew")
}
