package slave

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/qoscontroller"
	"github.com/mesos-modules/mms/roles/resourceestimator"
)

// estimating fails first and then lends two cpus.
type estimating struct {
	resourceestimator.Unimplemented
	asked atomic.Int32
}

func (e *estimating) Oversubscribable(context.Context, *mesosv1.ResourceUsage) ([]*mesosv1.Resource, error) {
	if e.asked.Add(1) == 1 {
		return nil, errors.New("the meter is broken")
	}
	all, err := resources.Parse("cpus:2", "*")
	lent := all.Messages()
	lent[0].Revocable = &mesosv1.Resource_RevocableInfo{}
	return lent, err
}

// correcting fails first, waits until it is told to, and then wants every executor ended,
// and one that is not here.
type correcting struct {
	qoscontroller.Unimplemented
	asked atomic.Int32
	wait  chan struct{}
}

func (c *correcting) Corrections(ctx context.Context, usage *mesosv1.ResourceUsage) ([]*slave.QoSCorrection, error) {
	if c.asked.Add(1) == 1 {
		return nil, errors.New("the meter is broken")
	}
	select {
	case <-c.wait:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	all := []*slave.QoSCorrection{{Type: slave.QoSCorrection_KILL.Enum(), Kill: &slave.QoSCorrection_Kill{
		FrameworkId: frameworkID, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("elsewhere")},
	}}}
	for _, e := range usage.GetExecutors() {
		all = append(all, &slave.QoSCorrection{Type: slave.QoSCorrection_KILL.Enum(), Kill: &slave.QoSCorrection_Kill{
			FrameworkId: e.GetExecutorInfo().GetFrameworkId(), ExecutorId: e.GetExecutorInfo().GetExecutorId(), ContainerId: e.GetContainerId(),
		}})
	}
	return all, nil
}

func TestAnEstimatorThatFailsIsAskedAgain(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	f.start(t, m, func(c *Config) { c.Estimator, c.EstimatorEvery = &estimating{}, 10*time.Millisecond })
	_, from := next[*wire.RegisterSlaveMessage](m)
	m.agent = from.from
	m.send(&wire.SlaveRegisteredMessage{SlaveId: agentID})
	for {
		update, _ := next[*wire.UpdateSlaveMessage](m)
		if !update.GetUpdateOversubscribedResources() {
			continue // it comes with the registration
		}
		lent, err := resources.New(update.GetOversubscribedResources())
		require.NoError(t, err)
		assert.Equal(t, "cpus{REV}:2", lent.String())
		return
	}
}

func TestAControllerThatFailsIsAskedAgain(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	q := &correcting{wait: make(chan struct{})}
	f.start(t, m, func(c *Config) { c.QoS, c.QoSEvery = q, 0 })
	m.admit()
	m.run(shell("T", "sleep 1000"))
	for m.status().GetState() != mesosv1.TaskState_TASK_RUNNING {
	}
	close(q.wait)
	s := m.status()
	assert.Equal(t, mesosv1.TaskState_TASK_GONE, s.GetState())
	assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_PREEMPTED, s.GetReason())
}
