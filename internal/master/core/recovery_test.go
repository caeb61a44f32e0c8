package core

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/wire"
)

func TestElection(t *testing.T) {
	t.Run("what a former master promised is kept", func(t *testing.T) {
		w := standbyWorld(t)
		assert.True(t, w.core.View().Elected.IsZero())
		w.do(Elected{})
		w.do(Elected{})
		assert.Equal(t, []string{"recover registry"}, w.look(), "once")
		assert.True(t, w.core.View().Recovering)
		registry := registryOf(1, 2)
		registry.Weights = []*wire.Registry_Weight{{Info: &mesosv1.WeightInfo{Role: proto.String("web"), Weight: proto.Float64(3)}}}
		registry.QuotaConfigs = []*quota.QuotaConfig{{Role: proto.String("batch"), Limits: amounts("cpus:1")}}
		w.do(RegistryRecovered{Registry: registry})
		assert.Equal(t, []string{"allocator Recover 2 agents, 1 quotas", "allocator UpdateWeights 1"}, w.look())
		view := w.core.View()
		assert.False(t, view.Recovering)
		assert.Equal(t, begin, view.Elected)
		assert.Equal(t, "M", view.Leader.GetId())
		assert.Len(t, view.Recovered, 2)
		require.Len(t, view.Roles, 2)
		assert.Equal(t, "batch", view.Roles[0].Name)
		assert.NotNil(t, view.Roles[0].Quota)
		assert.InDelta(t, 3, view.Roles[1].Weight, 0)
	})

	t.Run("a registry that cannot be read, or another leader, ends the master", func(t *testing.T) {
		w := standbyWorld(t)
		w.do(LeaderDetected{Leader: &mesosv1.MasterInfo{Id: proto.String("other")}})
		assert.Empty(t, w.look(), "who does not lead goes on waiting")
		assert.Equal(t, "other", w.core.View().Leader.GetId())
		w.do(Elected{})
		w.do(LeaderDetected{Leader: testConfig().Info})
		w.do(RegistryRecovered{Err: errors.New("damaged")})
		assert.Contains(t, w.look()[1], "exit: the registry cannot be recovered: damaged")

		w = newWorld(t)
		w.do(LeaderDetected{})
		assert.Equal(t, []string{"exit: the leadership is lost"}, w.look())
	})
}

func TestRecoveredAgents(t *testing.T) {
	t.Run("those that do not come back are unreachable, and frameworks told", func(t *testing.T) {
		w := recoveredWorld(t, []int{1, 2, 3})
		w.subscribe("s")
		w.answerPings = true
		w.reregister(2, "L-S2")
		w.look()
		w.wait(10*time.Minute - time.Second)
		assert.Len(t, w.core.View().Recovered, 2)
		w.look()
		w.wait(time.Second)
		assert.Empty(t, w.core.View().Recovered)
		assert.Len(t, w.core.View().Unreachable, 2)
		assert.Equal(t, []string{"FAILURE", "FAILURE", "HEARTBEAT"}, w.types("s"))
		assert.InDelta(t, 2, w.core.counts["recovery_slave_removals"], 0)
		w.sound()
	})

	t.Run("too many of them and the master ends", func(t *testing.T) {
		w := recoveredWorld(t, []int{1, 2, 3}, func(c *Config) { c.RecoveryAgentRemovalLimit = 50 })
		w.look()
		w.wait(10 * time.Minute)
		lines := w.look()
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0], "exit: 3 of 3 agents (100.0%) did not re-register")
	})

	t.Run("one that comes back while its turn has not come stays", func(t *testing.T) {
		w := recoveredWorld(t, []int{1, 2}, func(c *Config) { c.AgentRemovalRate = Rate{N: 1, Per: time.Hour} })
		w.wait(10 * time.Minute)
		assert.Len(t, w.core.View().Unreachable, 1)
		w.reregister(2, "L-S2")
		assert.Equal(t, 1, w.core.agents.len())
		assert.InDelta(t, 1, w.core.counts["slave_unreachable_canceled"], 0)
		w.answerPings = true
		w.wait(time.Hour)
		assert.Equal(t, 1, w.core.agents.len())
	})

	t.Run("one that is just coming back is not given up", func(t *testing.T) {
		w := recoveredWorld(t, []int{1})
		w.answerStores = false
		w.reregister(1, "L-S1", func(m *wire.ReregisterSlaveMessage) { m.Slave.Resources = res("cpus:1") })
		w.wait(10 * time.Minute)
		require.Len(t, w.stores, 1)
		w.do(RegistryStored{Ticket: w.stores[0]})
		assert.Equal(t, 1, w.core.agents.len())
		w.sound()
	})
}

func TestForgetting(t *testing.T) {
	registry := func(ages ...time.Duration) *wire.Registry {
		r := &wire.Registry{Unreachable: &wire.Registry_UnreachableSlaves{}, Gone: &wire.Registry_GoneSlaves{}}
		for i, age := range ages {
			r.Unreachable.Slaves = append(r.Unreachable.Slaves, &wire.Registry_UnreachableSlave{
				Id: &mesosv1.AgentID{Value: proto.String(fmt.Sprint("u", i))}, Timestamp: timeInfo(begin.Add(-age))})
			r.Gone.Slaves = append(r.Gone.Slaves, &wire.Registry_GoneSlave{
				Id: &mesosv1.AgentID{Value: proto.String(fmt.Sprint("g", i))}, Timestamp: timeInfo(begin.Add(-age))})
		}
		return r
	}
	for _, c := range []struct {
		name  string
		limit int
		left  int
	}{
		{"what is too old", 100, 2},
		{"the oldest of what is too many", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := standbyWorld(t, func(config *Config) { config.RegistryMaxAgentCount = c.limit })
			w.do(Elected{})
			w.do(RegistryRecovered{Registry: registry(15*24*time.Hour, time.Hour, time.Minute)})
			w.wait(15*time.Minute - time.Second)
			assert.Empty(t, w.changes)
			w.wait(time.Second)
			require.Len(t, w.changes, 1)
			assert.Len(t, w.changes[0].(Prune).IDs, 2*(3-c.left))
			view := w.core.View()
			assert.Len(t, view.Unreachable, c.left)
			assert.Len(t, view.Gone, c.left)
			w.wait(15 * time.Minute)
			assert.Len(t, w.changes, 1, "nothing more to forget")
		})
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxCompletedFrameworks, c.MaxCompletedTasks, c.MaxUnreachableTasks = 2, 3, 2 })
	agent := w.register(1)
	f := w.subscribe("s")
	for i := range 5 {
		name := fmt.Sprint("t", i)
		w.launch("s", agent, name, "cpus:0.1;mem:1")
		w.acknowledge("s", agent, name, w.status(f, agent, name, mesosv1.TaskState_TASK_FINISHED))
	}
	var names []string
	for _, task := range w.core.View().Frameworks[0].Completed {
		names = append(names, task.GetTaskId().GetValue())
	}
	assert.Equal(t, []string{"t2", "t3", "t4"}, names, "the last ones")
	w.launch("s", agent, "t0", "cpus:0.1;mem:1")
	assert.NotNil(t, w.task("t0"), "an id of a completed task may come again")
	for i := range 3 {
		w.launch("s", agent, fmt.Sprint("u", i), "cpus:0.1;mem:1")
	}
	w.wait(75 * time.Second)
	assert.Len(t, w.core.View().Frameworks[0].Unreachable, 2)
	for i := range 3 {
		stream := StreamID(fmt.Sprint("f", i))
		w.subscribe(stream, func(i *mesosv1.FrameworkInfo) { i.FailoverTimeout = nil })
		w.do(StreamGone{Stream: stream})
		w.wait(0)
	}
	completed := w.core.View().Completed
	require.Len(t, completed, 2)
	assert.Equal(t, "M-0002", completed[0].Info.GetId().GetValue())
	w.sound()
}
