package environment_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/hook/environment"
	"github.com/mesos-modules/mms/roles/hook"
)

// options reads "set=A=b default=C=d": parameters of the module, each a key, a = and a
// value.
func options(text string) []moduletest.Option {
	var all []moduletest.Option
	for field := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(field, "=")
		all = append(all, moduletest.Parameter(environment.Name, key, value))
	}
	return all
}

// executor has variables like "A=1 B!": one with a value, and a secret.
func executor(text string) *mesosv1.ExecutorInfo {
	e := &mesosv1.ExecutorInfo{
		ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")}, FrameworkId: &mesosv1.FrameworkID{Value: proto.String("f")},
		Resources: []*mesosv1.Resource{{AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: proto.String("web/a")}}},
	}
	for field := range strings.FieldsSeq(text) {
		if e.Command == nil {
			e.Command = &mesosv1.CommandInfo{Environment: &mesosv1.Environment{}}
		}
		v := &mesosv1.Environment_Variable{}
		if name, secret := strings.CutSuffix(field, "!"); secret {
			v.Name, v.Type = &name, mesosv1.Environment_Variable_SECRET.Enum()
		} else {
			name, value, _ := strings.Cut(field, "=")
			v.Name, v.Value = &name, &value
		}
		e.Command.Environment.Variables = append(e.Command.Environment.Variables, v)
	}
	return e
}

// written is the opposite; "-" if the hook says nothing.
func written(e *mesosv1.Environment) string {
	if e == nil {
		return "-"
	}
	var all []string
	for _, v := range e.Variables {
		if v.GetType() == mesosv1.Environment_Variable_SECRET {
			all = append(all, v.GetName()+"!")
			continue
		}
		all = append(all, v.GetName()+"="+v.GetValue())
	}
	return strings.Join(all, " ")
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, environment.Library, environment.Name, options("set=A=1 default=B=2")...)
}

func TestDecorate(t *testing.T) {
	for _, c := range []struct{ name, parameters, given, want string }{
		{"set adds what is not there, at the end", "set=C=3", "A=1 B=2", "A=1 B=2 C=3"},
		{"set replaces in place and takes the others of the name", "set=A=9", "A=1 B=2 A=3", "A=9 B=2"},
		{"set says nothing if all is so", "set=A=1", "A=1", "-"},
		{"set replaces a secret, whatever its value", "set=A=", "A!", "A="},
		{"set keeps the order of the manifest", "set=Y=1 set=X=2", "", "Y=1 X=2"},
		{"a value may be empty, and have =", "set=X= set=_y1=1=2", "", "X= _y1=1=2"},
		{"default adds what is not there", "default=B=2", "A=1", "A=1 B=2"},
		{"default leaves what is there, secrets too", "default=A=2 default=B=3", "A! B=1", "-"},
		{"names have case", "default=a=1", "A=1", "A=1 a=1"},
		{"another framework is passed over", "set=X=1 framework_id=g", "", "-"},
		{"of conditions of one key one is enough", "set=X=1 executor=g executor=*", "", "X=1"},
		{"of conditions of two keys both have to hold", "set=X=1 framework_id=f executor=g", "", "-"},
		{"the role is that of the resources", "set=X=1 role=web/* executor=e framework_id=f", "", "X=1"},
		{"another role is passed over", "set=X=1 role=web", "", "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := moduletest.Load[hook.Hook](moduletest.New(t, environment.Library, options(c.parameters)...), environment.Name)
			given := executor(c.given)
			before := proto.CloneOf(given)
			made, err := h.SlaveExecutorEnvironmentDecorator(t.Context(), given)
			require.NoError(t, err)
			assert.Equal(t, c.want, written(made))
			assert.True(t, proto.Equal(before, given), "what is handed in is not changed")
		})
	}
}

func TestWrongParameters(t *testing.T) {
	for _, c := range []struct {
		name, parameters string
		want             []string
	}{
		{"nothing to do", "role=a", []string{"at least one of the parameters set and default"}},
		{"no =", "set=A default=B", []string{`parameter set: "A": there is no = in it`, `parameter default: "B"`}},
		{"no name", "set==a", []string{"there is no name before the ="}},
		{"a name that is none", "set=1A=x set=Ä=x set=A-B=x", []string{`"1A=x"`, `"Ä=x"`, `"A-B=x"`, "letters, digits and _ only"}},
		{"a name twice", "set=A=1 default=A=2", []string{`"A" is named more than once`}},
		{"a condition without a name", "set=A=1 framework_id= role= executor=", []string{"parameter framework_id is empty", "parameter role is empty", "parameter executor is empty"}},
		{"a key nobody knows", "sets=A=1", []string{`no parameter sets`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := moduletest.TryLoad[hook.Hook](moduletest.New(t, environment.Library, options(c.parameters)...), environment.Name)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func Example() {
	instance, _ := environment.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{
		{Key: "set", Value: "HTTP_PROXY=http://proxy.example:3128"}, {Key: "default", Value: "TZ=UTC"},
	})
	made, _ := instance.(hook.Hook).SlaveExecutorEnvironmentDecorator(context.Background(), executor("TZ=CET"))
	fmt.Println(written(made))
	// Output: TZ=CET HTTP_PROXY=http://proxy.example:3128
}
