package hook_test

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/hook"
)

// owner adds a label to every task and keeps the others. What it leaves out
// panics here; a module gets the defaults by embedding the role's Unimplemented.
type owner struct{ hook.Hook }

func (owner) MasterLaunchTaskLabelDecorator(_ context.Context, task *mesosv1.TaskInfo,
	framework *mesosv1.FrameworkInfo, _ *mesosv1.AgentInfo) (*mesosv1.Labels, error) {
	return &mesosv1.Labels{Labels: append(task.GetLabels().GetLabels(),
		&mesosv1.Label{Key: proto.String("owner"), Value: proto.String(framework.GetUser())})}, nil
}

// A decorator returns the whole of what it decorates.
func Example() {
	var h hook.Hook = owner{}
	task := &mesosv1.TaskInfo{Labels: &mesosv1.Labels{Labels: []*mesosv1.Label{{Key: proto.String("tier"), Value: proto.String("1")}}}}

	labels, _ := h.MasterLaunchTaskLabelDecorator(context.Background(), task, &mesosv1.FrameworkInfo{User: proto.String("ann")}, nil)
	for _, l := range labels.GetLabels() {
		fmt.Println(l.GetKey(), l.GetValue())
	}
	// Output:
	// tier 1
	// owner ann
}
