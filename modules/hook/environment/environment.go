// Package environment is a hook that gives variables to the environment of executors,
// as its parameters say.
package environment

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/hook/condition"
	"github.com/mesos-modules/mms/roles/hook"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_EnvironmentDecoratorHook"

type parameters struct {
	Set         []string `mms:"set" doc:"NAME=value: the executor has this variable"`
	Default     []string `mms:"default" doc:"NAME=value: the executor has this variable if its own environment does not name it"`
	FrameworkID []string `mms:"framework_id" doc:"only executors of frameworks whose id is like this; * stands for any characters"`
	Role        []string `mms:"role" doc:"only executors whose resources are allocated to a role like this"`
	Executor    []string `mms:"executor" doc:"only executors whose id is like this"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[hook.Hook]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Gives variables to the environment of executors.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) (hook.Hook, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return newDecorator(c)
		},
	},
}}

// decorator does not change.
type decorator struct {
	hook.Unimplemented

	set, missing                 []condition.Pair
	frameworks, roles, executors condition.Patterns
}

func newDecorator(p parameters) (*decorator, error) {
	d := &decorator{}
	var errs [7]error
	d.set, errs[0] = condition.Pairs("set", p.Set, identifier)
	d.missing, errs[1] = condition.Pairs("default", p.Default, identifier)
	d.frameworks, errs[2] = condition.Parse("framework_id", p.FrameworkID)
	d.roles, errs[3] = condition.Parse("role", p.Role)
	d.executors, errs[4] = condition.Parse("executor", p.Executor)
	var names []string
	for _, pair := range slices.Concat(d.set, d.missing) {
		names = append(names, pair.Key)
	}
	errs[5] = condition.Unique(names)
	if len(p.Set)+len(p.Default) == 0 {
		errs[6] = errors.New("there is nothing to do: give at least one of the parameters set and default")
	}
	return d, errors.Join(errs[:]...)
}

// identifier is what shells take for the name of a variable.
func identifier(name string) error {
	for i, r := range name {
		switch {
		case r == '_', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', i > 0 && '0' <= r && r <= '9':
		default:
			return errors.New("a name has letters, digits and _ only, and begins with no digit")
		}
	}
	if name == "" {
		return errors.New("there is no name before the =")
	}
	return nil
}

func (d *decorator) SlaveExecutorEnvironmentDecorator(_ context.Context, executor *mesosv1.ExecutorInfo) (*mesosv1.Environment, error) {
	if !d.frameworks.Match(executor.GetFrameworkId().GetValue()) || !d.roles.MatchRole(executor.GetResources()) ||
		!d.executors.Match(executor.GetExecutorId().GetValue()) {
		return nil, nil
	}
	made, changed := slices.Clone(executor.GetCommand().GetEnvironment().GetVariables()), false
	for _, want := range d.set {
		var did bool
		made, did = set(made, want)
		changed = changed || did
	}
	for _, want := range d.missing {
		if place(made, want.Key) < 0 {
			made, changed = append(made, variable(want)), true
		}
	}
	if !changed {
		return nil, nil
	}
	return &mesosv1.Environment{Variables: made}, nil
}

// set makes one variable of those of a name, in the place of the first.
func set(all []*mesosv1.Environment_Variable, want condition.Pair) (made []*mesosv1.Environment_Variable, changed bool) {
	at := place(all, want.Key)
	if at < 0 {
		return append(all, variable(want)), true
	}
	if all[at].GetValue() != want.Value || all[at].GetType() != mesosv1.Environment_Variable_VALUE {
		all[at], changed = variable(want), true // the slice is a copy
	}
	rest := slices.DeleteFunc(all[at+1:], func(v *mesosv1.Environment_Variable) bool { return v.GetName() == want.Key })
	made = all[:at+1+len(rest)]
	return made, changed || len(made) != len(all)
}

func place(all []*mesosv1.Environment_Variable, name string) int {
	return slices.IndexFunc(all, func(v *mesosv1.Environment_Variable) bool { return v.GetName() == name })
}

func variable(p condition.Pair) *mesosv1.Environment_Variable {
	return &mesosv1.Environment_Variable{
		Name: proto.String(p.Key), Value: proto.String(p.Value), Type: mesosv1.Environment_Variable_VALUE.Enum(),
	}
}
