// Package labels is a hook that decorates the labels of tasks as its parameters say,
// on the master when they are launched, on an agent when they are to run.
package labels

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
const Name = "org_apache_mesos_LabelDecoratorHook"

type parameters struct {
	Set       []string `mms:"set" doc:"key=value: the task has this label, and no other of this key"`
	Default   []string `mms:"default" doc:"key=value: the task has this label if it has none of this key"`
	Remove    []string `mms:"remove" doc:"key: the task has no label of this key"`
	Framework []string `mms:"framework" doc:"only tasks of frameworks whose name is like this; * stands for any characters"`
	Role      []string `mms:"role" doc:"only tasks whose resources are allocated to a role like this"`
	Task      []string `mms:"task" doc:"only tasks whose name is like this"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[hook.Hook]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Adds, replaces and removes labels of tasks.",
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

	set, missing           []condition.Pair
	remove                 []string
	frameworks, roles, all condition.Patterns
}

func newDecorator(p parameters) (*decorator, error) {
	d := &decorator{remove: p.Remove}
	var errs [7]error
	d.set, errs[0] = condition.Pairs("set", p.Set, named)
	d.missing, errs[1] = condition.Pairs("default", p.Default, named)
	d.frameworks, errs[2] = condition.Parse("framework", p.Framework)
	d.roles, errs[3] = condition.Parse("role", p.Role)
	d.all, errs[4] = condition.Parse("task", p.Task)
	keys := slices.Clone(p.Remove)
	for _, pair := range slices.Concat(d.set, d.missing) {
		keys = append(keys, pair.Key)
	}
	errs[5] = condition.Unique(keys)
	if len(p.Set)+len(p.Default)+len(p.Remove) == 0 {
		errs[6] = errors.New("there is nothing to do: give at least one of the parameters set, default and remove")
	} else if slices.Contains(p.Remove, "") {
		errs[6] = errors.New("parameter remove is empty: write the key of a label")
	}
	return d, errors.Join(errs[:]...)
}

func named(key string) error {
	if key == "" {
		return errors.New("there is no key before the =")
	}
	return nil
}

func (d *decorator) MasterLaunchTaskLabelDecorator(_ context.Context, task *mesosv1.TaskInfo, framework *mesosv1.FrameworkInfo,
	_ *mesosv1.AgentInfo) (*mesosv1.Labels, error) {
	return d.decorate(task, framework), nil
}

func (d *decorator) SlaveRunTaskLabelDecorator(_ context.Context, task *mesosv1.TaskInfo, _ *mesosv1.ExecutorInfo,
	framework *mesosv1.FrameworkInfo, _ *mesosv1.AgentInfo) (*mesosv1.Labels, error) {
	return d.decorate(task, framework), nil
}

// decorate returns the task's labels, or nil if they stay as they are.
func (d *decorator) decorate(task *mesosv1.TaskInfo, framework *mesosv1.FrameworkInfo) *mesosv1.Labels {
	if !d.frameworks.Match(framework.GetName()) || !d.roles.MatchRole(task.GetResources()) || !d.all.Match(task.GetName()) {
		return nil
	}
	given := task.GetLabels().GetLabels()
	made := slices.DeleteFunc(slices.Clone(given), func(l *mesosv1.Label) bool { return slices.Contains(d.remove, l.GetKey()) })
	changed := len(made) != len(given)
	for _, want := range d.set {
		var did bool
		made, did = set(made, want)
		changed = changed || did
	}
	for _, want := range d.missing {
		if place(made, want.Key) < 0 {
			made, changed = append(made, label(want)), true
		}
	}
	if !changed {
		return nil
	}
	return &mesosv1.Labels{Labels: made}
}

// set makes one label of those of a key, in the place of the first.
func set(all []*mesosv1.Label, want condition.Pair) (made []*mesosv1.Label, changed bool) {
	at := place(all, want.Key)
	if at < 0 {
		return append(all, label(want)), true
	}
	if all[at].GetValue() != want.Value {
		all[at], changed = label(want), true // the slice is a copy
	}
	rest := slices.DeleteFunc(all[at+1:], func(l *mesosv1.Label) bool { return l.GetKey() == want.Key })
	made = all[:at+1+len(rest)]
	return made, changed || len(made) != len(all)
}

func place(all []*mesosv1.Label, key string) int {
	return slices.IndexFunc(all, func(l *mesosv1.Label) bool { return l.GetKey() == key })
}

func label(p condition.Pair) *mesosv1.Label {
	return &mesosv1.Label{Key: proto.String(p.Key), Value: proto.String(p.Value)}
}
