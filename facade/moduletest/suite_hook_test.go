package moduletest

import (
	"context"
	"errors"
	"testing"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/hook"
)

// labels is a hook with one point.
type labels struct {
	hook.Unimplemented
	decorate func(ctx context.Context, task *mesosv1.TaskInfo) (*mesosv1.Labels, error)
}

func (l *labels) MasterLaunchTaskLabelDecorator(ctx context.Context, task *mesosv1.TaskInfo, _ *mesosv1.FrameworkInfo, _ *mesosv1.AgentInfo) (*mesosv1.Labels, error) {
	return l.decorate(ctx, task)
}

func hookLibrary(decorate func(context.Context, *mesosv1.TaskInfo) (*mesosv1.Labels, error)) facade.Library {
	return facade.Library{Modules: []facade.Declared{facade.Module[hook.Hook]{Name: "org_example_labels",
		New: func(context.Context, facade.Host, facade.Parameters) (hook.Hook, error) {
			return &labels{decorate: decorate}, nil
		}}}}
}

func TestHooks(t *testing.T) {
	const (
		empty      = "every point may come with messages that say nothing"
		works      = "every point works for a task, its executor and its agent"
		concurrent = "calls about different tasks and executors may come from several goroutines"
		cancelled  = "a cancelled ctx means that the answer is dropped"
		name       = "org_example_labels"
	)
	t.Run("right", func(t *testing.T) {
		Conformance(t, hookLibrary(func(_ context.Context, task *mesosv1.TaskInfo) (*mesosv1.Labels, error) {
			return task.GetLabels(), nil
		}), name)
	})
	t.Run("one that looks into what is absent", func(t *testing.T) {
		requireBroken(t, hookLibrary(func(_ context.Context, task *mesosv1.TaskInfo) (*mesosv1.Labels, error) {
			_ = *task.Name
			return nil, nil
		}), name, map[string]string{empty: "nil pointer dereference"})
	})
	t.Run("one that fails a good task", func(t *testing.T) {
		requireBroken(t, hookLibrary(func(context.Context, *mesosv1.TaskInfo) (*mesosv1.Labels, error) {
			return nil, errBroken
		}), name, map[string]string{works: "MasterLaunchTaskLabelDecorator"})
	})
	t.Run("one that stands one caller only", func(t *testing.T) {
		var inside atomicInt
		requireBroken(t, hookLibrary(func(context.Context, *mesosv1.TaskInfo) (*mesosv1.Labels, error) {
			defer inside.leave()
			if inside.enter() > 1 {
				panic("two at a time")
			}
			inside.linger()
			return nil, nil
		}), name, map[string]string{concurrent: "two at a time"})
	})
	t.Run("one that panics when nobody waits", func(t *testing.T) {
		requireBroken(t, hookLibrary(func(ctx context.Context, _ *mesosv1.TaskInfo) (*mesosv1.Labels, error) {
			if ctx.Err() != nil {
				panic(errors.New("boom"))
			}
			return nil, nil
		}), name, map[string]string{cancelled: "boom"})
	})
}
