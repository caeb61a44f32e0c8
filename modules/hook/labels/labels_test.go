package labels_test

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
	"github.com/mesos-modules/mms/modules/hook/labels"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/hook"
)

// options reads "set=a=b default=c=d": parameters of the module, each a key, a = and a
// value.
func options(text string) []moduletest.Option {
	var all []moduletest.Option
	for field := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(field, "=")
		all = append(all, moduletest.Parameter(labels.Name, key, value))
	}
	return all
}

// task has labels like "a=1 b": one with a value and one without.
func task(text string) *mesosv1.TaskInfo {
	t := &mesosv1.TaskInfo{Name: proto.String("t"), Resources: []*mesosv1.Resource{
		{Name: proto.String("cpus"), AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: proto.String("web/a")}},
	}}
	for field := range strings.FieldsSeq(text) {
		l := &mesosv1.Label{}
		key, value, has := strings.Cut(field, "=")
		if l.Key = &key; has {
			l.Value = &value
		}
		if t.Labels == nil {
			t.Labels = &mesosv1.Labels{}
		}
		t.Labels.Labels = append(t.Labels.Labels, l)
	}
	return t
}

// written is the opposite; "-" if the hook says nothing.
func written(l *mesosv1.Labels) string {
	if l == nil {
		return "-"
	}
	var all []string
	for _, one := range l.Labels {
		text := one.GetKey()
		if one.Value != nil {
			text += "=" + one.GetValue()
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestConformance(t *testing.T) {
	for name, daemon := range map[string]roles.Daemon{"on the master": roles.Master, "on an agent": roles.Slave} {
		t.Run(name, func(t *testing.T) {
			moduletest.Conformance(t, labels.Library, labels.Name, append(options("set=a=1 default=b=2 remove=c"), moduletest.On(daemon))...)
		})
	}
}

func TestDecorate(t *testing.T) {
	framework := &mesosv1.FrameworkInfo{Name: proto.String("marathon")}
	for _, c := range []struct{ name, parameters, given, want string }{
		{"set adds what is not there, at the end", "set=c=3", "a=1 b", "a=1 b c=3"},
		{"set replaces in place and takes the others of the key", "set=a=9", "a=1 b a=2", "a=9 b"},
		{"set says nothing if all is so", "set=a=1", "a=1 b", "-"},
		{"set still takes the others of the key", "set=a=1", "a=1 b a=2", "a=1 b"},
		{"set keeps the order of the manifest", "set=y=1 set=x=2", "", "y=1 x=2"},
		{"a value may be empty, and have =", "set=x= set=y=1=2", "", "x= y=1=2"},
		{"a label without a value has an empty one", "set=b=", "b", "-"},
		{"default adds what is not there", "default=c=3", "a=1", "a=1 c=3"},
		{"default leaves what is there", "default=a=3", "a=1 a=2", "-"},
		{"remove takes all of a key", "remove=a", "a=1 b a=2", "b"},
		{"remove may leave nothing", "remove=a", "a=1", ""},
		{"remove says nothing if there is none", "remove=x", "a=1", "-"},
		{"remove comes first, default last", "default=d=1 set=s=2 remove=r", "r=0 a", "a s=2 d=1"},
		{"keys have case", "remove=A", "a=1", "-"},
		{"a task without labels gets them", "set=a=1", "", "a=1"},
		{"a framework of another name is passed over", "set=x=1 framework=chronos", "a=1", "-"},
		{"of conditions of one key one is enough", "set=x=1 framework=chronos framework=mara*", "", "x=1"},
		{"of conditions of two keys both have to hold", "set=x=1 framework=mara* role=db", "", "-"},
		{"the role is that of the resources", "set=x=1 role=web/* task=t", "", "x=1"},
		{"the task's name counts", "set=x=1 task=u", "", "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kit := moduletest.New(t, labels.Library, options(c.parameters)...)
			h := moduletest.Load[hook.Hook](kit, labels.Name)
			given := task(c.given)
			before := proto.CloneOf(given)
			master, err := h.MasterLaunchTaskLabelDecorator(t.Context(), given, framework, nil)
			require.NoError(t, err)
			slave, err := h.SlaveRunTaskLabelDecorator(t.Context(), given, nil, framework, nil)
			require.NoError(t, err)
			assert.Equal(t, c.want, written(master))
			assert.Equal(t, c.want, written(slave), "the agent's hook does the same")
			assert.True(t, proto.Equal(before, given), "what is handed in is not changed")
		})
	}
}

func TestWrongParameters(t *testing.T) {
	for _, c := range []struct {
		name, parameters string
		want             []string
	}{
		{"nothing to do", "framework=a", []string{"at least one of the parameters set, default and remove"}},
		{"no =", "set=a default=b", []string{`parameter set: "a": there is no = in it`, `parameter default: "b"`}},
		{"no key", "set==a", []string{"there is no key before the ="}},
		{"an empty key to remove", "remove=", []string{"parameter remove is empty"}},
		{"a key twice", "set=a=1 remove=a", []string{`"a" is named more than once`}},
		{"a condition without a name", "set=a=1 framework= role= task=", []string{"parameter framework is empty", "parameter role is empty", "parameter task is empty"}},
		{"a key nobody knows", "ste=a=1", []string{`no parameter ste`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := moduletest.TryLoad[hook.Hook](moduletest.New(t, labels.Library, options(c.parameters)...), labels.Name)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func Example() {
	instance, _ := labels.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{
		{Key: "set", Value: "cluster=east"}, {Key: "default", Value: "tier=batch"}, {Key: "remove", Value: "internal"},
	})
	made, _ := instance.(hook.Hook).MasterLaunchTaskLabelDecorator(context.Background(), task("internal=1 tier=web"), nil, nil)
	fmt.Println(written(made))
	// Output: tier=web cluster=east
}
