package nativetest

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/hook/environment"
	"github.com/mesos-modules/mms/modules/hook/labels"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/hook"
)

const (
	labelsSource      = "hook/labels/native/labels.cpp"
	environmentSource = "hook/environment/native/environment.cpp"
)

func parameters(module string, pairs ...string) []moduletest.Option {
	var all []moduletest.Option
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, " ")
		all = append(all, moduletest.Parameter(module, key, value))
	}
	return all
}

func TestLabelsConform(t *testing.T) {
	for name, daemon := range map[string]roles.Daemon{"on the master": roles.Master, "on an agent": roles.Slave} {
		t.Run(name, func(t *testing.T) {
			options := append(parameters(labels.Name, "set a=1", "default b=2", "remove c"), moduletest.On(daemon))
			moduletest.Conformance(t, library(t, labelsSource), labels.Name, options...)
		})
	}
}

func TestEnvironmentConforms(t *testing.T) {
	moduletest.Conformance(t, library(t, environmentSource), environment.Name, parameters(environment.Name, "set A=1", "default B=2")...)
}

// some returns one of the words; a dash is an empty one.
func some(r *rand.Rand, words string) string {
	all := strings.Fields(words)
	return strings.Trim(all[r.IntN(len(all))], "-")
}

// decoration are parameters that are right.
func decoration(r *rand.Rand, conditions string) []string {
	var all []string
	for _, key := range []string{"a", "b", "c", "d"} {
		switch r.IntN(4) {
		case 0:
			all = append(all, "set "+key+"="+some(r, "1 2 - x=y"))
		case 1:
			all = append(all, "default "+key+"="+some(r, "1 2 -"))
		case 2:
			if conditions == "framework role task" {
				all = append(all, "remove "+key)
			}
		}
	}
	all = append(all, "set last=1")
	for range r.IntN(3) {
		all = append(all, some(r, conditions)+" "+some(r, "* web web* *b w*b* x a*a *e*"))
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func resources(r *rand.Rand) []*mesosv1.Resource {
	var all []*mesosv1.Resource
	for range r.IntN(3) {
		one := &mesosv1.Resource{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(1)}}
		if r.IntN(2) == 0 {
			one.AllocationInfo = &mesosv1.Resource_AllocationInfo{Role: proto.String(some(r, "web db web/b -"))}
		}
		all = append(all, one)
	}
	return all
}

func TestLabelsAreThoseOfTheTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	said := 0
	for range 40 {
		options := parameters(labels.Name, decoration(r, "framework role task")...)
		native := moduletest.New(t, library(t, labelsSource), options...)
		twin := moduletest.New(t, labels.Library, options...)
		a, b := moduletest.Load[hook.Hook](native, labels.Name), moduletest.Load[hook.Hook](twin, labels.Name)
		for range 20 {
			task := &mesosv1.TaskInfo{Name: proto.String(some(r, "web task aa -")), TaskId: &mesosv1.TaskID{Value: proto.String("t")},
				AgentId: &mesosv1.AgentID{Value: proto.String("s")}, Resources: resources(r)}
			if r.IntN(4) > 0 {
				task.Labels = &mesosv1.Labels{}
				for range r.IntN(5) {
					l := &mesosv1.Label{Key: proto.String(some(r, "a b c d e"))}
					if r.IntN(4) > 0 {
						l.Value = proto.String(some(r, "1 2 -"))
					}
					task.Labels.Labels = append(task.Labels.Labels, l)
				}
			}
			framework := &mesosv1.FrameworkInfo{Name: proto.String(some(r, "web marathon -")), User: proto.String("root")}
			agent := &mesosv1.AgentInfo{Hostname: proto.String("h")}
			executor := &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")}}
			want, err := b.MasterLaunchTaskLabelDecorator(t.Context(), proto.CloneOf(task), framework, agent)
			require.NoError(t, err)
			got, err := a.MasterLaunchTaskLabelDecorator(t.Context(), task, framework, agent)
			require.NoError(t, err)
			require.True(t, proto.Equal(want, got) && (want == nil) == (got == nil), "%v\nwant %v\ngot  %v", task, want, got)
			got, err = a.SlaveRunTaskLabelDecorator(t.Context(), task, executor, framework, agent)
			require.NoError(t, err)
			require.True(t, proto.Equal(want, got), "on an agent")
			if got != nil {
				said++
			}
		}
		native.Close()
		twin.Close()
	}
	assert.Greater(t, said, 100, "hardly anything was decorated")
}

func TestEnvironmentsAreThoseOfTheTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	said := 0
	for range 40 {
		options := parameters(environment.Name, decoration(r, "framework_id role executor")...)
		native := moduletest.New(t, library(t, environmentSource), options...)
		twin := moduletest.New(t, environment.Library, options...)
		a, b := moduletest.Load[hook.Hook](native, environment.Name), moduletest.Load[hook.Hook](twin, environment.Name)
		for range 20 {
			executor := &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String(some(r, "web e -"))}, Resources: resources(r)}
			if r.IntN(2) == 0 {
				executor.FrameworkId = &mesosv1.FrameworkID{Value: proto.String(some(r, "web f"))}
			}
			if r.IntN(4) > 0 {
				executor.Command = &mesosv1.CommandInfo{Environment: &mesosv1.Environment{}}
				for i := range r.IntN(5) {
					v := &mesosv1.Environment_Variable{Name: proto.String(some(r, "a b c d e")), Value: proto.String(some(r, "1 2 - "+strconv.Itoa(i)))}
					switch r.IntN(6) {
					case 0:
						v.Type = mesosv1.Environment_Variable_SECRET.Enum()
					case 1:
						v.Type = mesosv1.Environment_Variable_VALUE.Enum()
					case 2:
						v.Value = nil
					}
					executor.Command.Environment.Variables = append(executor.Command.Environment.Variables, v)
				}
			}
			want, err := b.SlaveExecutorEnvironmentDecorator(t.Context(), proto.CloneOf(executor))
			require.NoError(t, err)
			got, err := a.SlaveExecutorEnvironmentDecorator(t.Context(), executor)
			require.NoError(t, err)
			require.True(t, proto.Equal(want, got) && (want == nil) == (got == nil), "%v\nwant %v\ngot  %v", executor, want, got)
			if got != nil {
				said++
			}
		}
		native.Close()
		twin.Close()
	}
	assert.Greater(t, said, 100, "hardly anything was decorated")
}

// What is wrong with parameters is found with the same words.
func TestWrongParametersOfHooks(t *testing.T) {
	for _, c := range []struct {
		name  string
		given []string
		want  []string
	}{
		{labels.Name, []string{"framework a"}, []string{"there is nothing to do: give at least one of the parameters set, default and remove"}},
		{labels.Name, []string{"set a", "default b", "set =x"}, []string{
			`parameter set: "a": there is no = in it`, `parameter default: "b": there is no = in it`, `parameter set: "=x": there is no key before the =`}},
		{labels.Name, []string{"remove "}, []string{"parameter remove is empty: write the key of a label"}},
		{labels.Name, []string{"set a=1", "remove a"}, []string{`"a" is named more than once`}},
		{labels.Name, []string{"set a=1", "framework ", "role ", "task "}, []string{"parameter framework is empty", "parameter role is empty", "parameter task is empty"}},
		{labels.Name, []string{"ste a=1"}, []string{"no parameter ste"}},
		{environment.Name, []string{"executor a"}, []string{"there is nothing to do: give at least one of the parameters set and default"}},
		{environment.Name, []string{"set A-B=1", "set 1=x", "set =x", "set Ä=x"}, []string{
			`parameter set: "A-B=1": a name has letters, digits and _ only, and begins with no digit`, `parameter set: "1=x"`, `"=x": there is no name before the =`, `"Ä=x"`}},
		{environment.Name, []string{"set A=1", "default A=2"}, []string{`"A" is named more than once`}},
	} {
		t.Run(strings.Join(append([]string{c.name}, c.given...), ","), func(t *testing.T) {
			source, twin := labelsSource, labels.Library
			if c.name == environment.Name {
				source, twin = environmentSource, environment.Library
			}
			_, native := moduletest.TryLoad[hook.Hook](moduletest.New(t, library(t, source), parameters(c.name, c.given...)...), c.name)
			_, goes := moduletest.TryLoad[hook.Hook](moduletest.New(t, twin, parameters(c.name, c.given...)...), c.name)
			for _, want := range c.want {
				assert.ErrorContains(t, goes, want)
				// One line of the log holds a module's reason, so lines become spaces.
				assert.ErrorContains(t, native, want)
			}
		})
	}
}
