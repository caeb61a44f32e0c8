package slave

import (
	"context"
	"fmt"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// estimate asks the resource estimator, at once and then every so often, what can be
// lent out.
func (s *Slave) estimate() {
	if s.cfg.Estimator == nil {
		return
	}
	s.spawn(func(ctx context.Context) {
		for ok := true; ok; ok = pause(ctx, s.cfg.EstimatorEvery) {
			usage, err := s.Usage(ctx)
			if err != nil {
				continue
			}
			lent, err := s.cfg.Estimator.Oversubscribable(ctx, usage)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				s.cfg.Log.Warn(fmt.Sprintf("the resource estimator failed: %v", err))
			default:
				s.mail.put(core.Oversubscribable{Resources: lent})
			}
		}
	})
}

// leastCorrection bounds how often a controller is asked that never waits.
const leastCorrection = time.Second

// control asks the QoS controller again and again whom to end.
func (s *Slave) control() {
	if s.cfg.QoS == nil {
		return
	}
	s.spawn(func(ctx context.Context) {
		for pause(ctx, max(s.cfg.QoSEvery, leastCorrection)) {
			usage, err := s.Usage(ctx)
			if err != nil {
				continue
			}
			corrections, err := s.cfg.QoS.Corrections(ctx, usage)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				s.cfg.Log.Warn(fmt.Sprintf("the QoS controller failed: %v", err))
			case len(corrections) > 0:
				s.mail.put(core.Corrections{Corrections: corrections})
			}
		}
	})
}

// pause waits; false if the agent ends meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// Usage is what all executors use now, in the order of the view.
func (s *Slave) Usage(ctx context.Context) (*mesosv1.ResourceUsage, error) {
	v, err := s.View(ctx)
	if err != nil {
		return nil, err
	}
	usage := &mesosv1.ResourceUsage{Total: v.Info.GetResources()}
	for _, f := range v.Frameworks {
		for _, e := range f.Executors {
			if e.Phase == core.ExecutorTerminated {
				continue
			}
			one := &mesosv1.ResourceUsage_Executor{ExecutorInfo: e.Info, ContainerId: e.Container, Allocated: e.Resources}
			for _, t := range e.Launched {
				one.Tasks = append(one.Tasks, &mesosv1.ResourceUsage_Executor_Task{
					Name: t.Name, Id: t.TaskId, Resources: t.Resources, Labels: t.Labels,
				})
			}
			if statistics, err := s.cfg.Containers.Usage(ctx, e.Container); err == nil {
				one.Statistics = statistics
			}
			usage.Executors = append(usage.Executors, one)
		}
	}
	return usage, nil
}
