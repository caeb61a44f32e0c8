package core_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

func leads(pid libprocess.PID) core.MasterDetected {
	return core.MasterDetected{Leader: &mesosv1.MasterInfo{Id: proto.String("M"), Ip: proto.Uint32(0), Port: proto.Uint32(5050)}, PID: pid}
}

func TestRegistration(t *testing.T) {
	t.Run("waits, links, registers, writes its id down, tells of itself", func(t *testing.T) {
		w := newWorld(t)
		w.begin()
		w.look()
		w.do(leads(masterPID))
		w.wants()
		w.pass(time.Second)
		lines := w.look()
		assert.Contains(t, lines, "link master")
		assert.Equal(t, "to master: RegisterSlave", lines[2])
		w.from(&wire.SlaveRegisteredMessage{SlaveId: agentID})
		w.wants("write agent A", "to master: UpdateSlave")
		assert.True(t, w.core.View().Registered)
		w.pass(time.Minute)
		w.wants() // nothing is repeated
	})
	t.Run("says what a master of Mesos wants to hear", func(t *testing.T) {
		w := newWorld(t)
		w.begin()
		w.do(leads(masterPID))
		w.pass(time.Second)
		m := told[*wire.RegisterSlaveMessage](w)[0]
		assert.Equal(t, "1.12.0", m.GetVersion())
		assert.Len(t, m.GetResourceVersionUuid().GetValue(), 16)
		assert.Equal(t, []byte{7 << 3, 1}, []byte(m.GetSlave().ProtoReflect().GetUnknown()), "checkpoint is true")
		assert.Equal(t, "*", m.GetSlave().GetResources()[0].GetRole(), "the shape of before reservations were refined")
	})
	t.Run("tries again, later and later, up to a minute", func(t *testing.T) {
		w := newWorld(t)
		w.begin()
		w.do(leads(masterPID))
		w.look()
		var times []time.Time
		for w.now.Before(start.Add(20 * time.Minute)) {
			w.now = w.core.Next()
			w.do(core.Tick{})
			for range told[*wire.RegisterSlaveMessage](w) {
				times = append(times, w.now)
			}
			w.look()
		}
		require.Greater(t, len(times), 15)
		for i := 1; i < len(times); i++ {
			assert.LessOrEqual(t, times[i].Sub(times[i-1]), time.Minute)
			assert.Less(t, times[i].Sub(times[i-1]), 2*time.Second<<min(i-1, 5), "attempt %d", i)
		}
	})
	t.Run("obeys the leader and nobody else", func(t *testing.T) {
		w := newWorld(t)
		w.begin()
		w.do(leads(masterPID))
		w.pass(time.Second)
		other := libprocess.PID{Name: "master", Addr: agentPID.Addr}
		w.do(core.MasterMessage{From: other, Message: &wire.SlaveRegisteredMessage{SlaveId: agentID}})
		assert.False(t, w.core.View().Registered)
	})
	t.Run("another id is the end", func(t *testing.T) {
		w := registered(t)
		w.from(&wire.SlaveRegisteredMessage{SlaveId: &mesosv1.AgentID{Value: proto.String("B")}})
		assert.True(t, only[core.Exit](w).Failed)
	})
}

func TestPings(t *testing.T) {
	observer := libprocess.PID{Name: "slave-observer(1)", Addr: masterPID.Addr}
	ping := func(w *world, connected bool) {
		w.do(core.MasterMessage{From: observer, Message: &wire.PingSlaveMessage{Connected: &connected}})
	}
	t.Run("are answered to who sent them", func(t *testing.T) {
		w := registered(t)
		ping(w, true)
		w.wants("to slave-observer(1): PongSlave")
	})
	t.Run("from a master that does not know the agent: it registers again", func(t *testing.T) {
		w := registered(t)
		ping(w, false)
		w.wants("to slave-observer(1): PongSlave", "to master: ReregisterSlave with 0 tasks, 0 executors, 0 frameworks, 0 completed")
	})
	t.Run("of a former leader are answered, and prove nothing", func(t *testing.T) {
		w := registered(t)
		w.pass(70 * time.Second)
		w.look()
		w.do(core.MasterMessage{From: libprocess.PID{Name: "slave-observer(7)", Addr: agentPID.Addr}, Message: &wire.PingSlaveMessage{Connected: proto.Bool(false)}})
		w.wants("to slave-observer(7): PongSlave")
		w.pass(5 * time.Second)
		w.wants("detect")
	})
	t.Run("that stay away: the leader is looked for anew", func(t *testing.T) {
		w := registered(t)
		w.pass(40 * time.Second)
		ping(w, true)
		w.look()
		w.pass(74 * time.Second)
		w.wants()
		w.pass(time.Second)
		w.wants("detect")
		w.join()
		assert.True(t, w.core.View().Registered)
	})
	t.Run("as long as the master says", func(t *testing.T) {
		w := newWorld(t)
		w.begin()
		w.do(leads(masterPID))
		w.pass(time.Second)
		w.from(&wire.SlaveRegisteredMessage{SlaveId: agentID, Connection: &wire.MasterSlaveConnection{TotalPingTimeoutSeconds: proto.Float64(6)}})
		w.look()
		w.pass(7 * time.Second)
		w.wants("detect")
	})
}

func TestBrokenLink(t *testing.T) {
	t.Run("to a master that comes back at its address: the agent registers again", func(t *testing.T) {
		w := registered(t)
		w.look()
		w.do(core.MasterExited{PID: masterPID})
		assert.False(t, w.core.View().Registered)
		w.pass(time.Second)
		lines := w.look()
		assert.Contains(t, lines, "link master")
		assert.Contains(t, lines, "to master: ReregisterSlave with 0 tasks, 0 executors, 0 frameworks, 0 completed")
		w.from(&wire.SlaveReregisteredMessage{SlaveId: agentID})
		assert.True(t, w.core.View().Registered)
	})
	t.Run("that cannot be made is tried again, later and later", func(t *testing.T) {
		w := registered(t)
		w.look()
		links := 0
		for end := w.now.Add(10 * time.Minute); w.now.Before(end); w.now = w.core.Next() {
			w.do(core.Tick{})
			w.do(core.MasterExited{PID: masterPID})
			for _, line := range w.look() {
				if line == "link master" {
					links++
				}
			}
		}
		assert.Greater(t, links, 10)
		assert.Less(t, links, 60)
	})
	t.Run("that was broken when the master answered is made again", func(t *testing.T) {
		w := registered(t)
		w.do(core.MasterExited{PID: masterPID})
		w.pass(time.Second)
		w.do(core.MasterExited{PID: masterPID}) // the master was not there yet, but is when the message comes
		w.look()
		w.from(&wire.SlaveReregisteredMessage{SlaveId: agentID})
		assert.Contains(t, w.look(), "link master")
		w.from(&wire.SlaveReregisteredMessage{SlaveId: agentID})
		assert.NotContains(t, w.look(), "link master", "it stands")
	})
	t.Run("of a former leader concerns nobody", func(t *testing.T) {
		w := registered(t)
		w.do(core.MasterExited{PID: libprocess.PID{Name: "master", Addr: agentPID.Addr}})
		assert.True(t, w.core.View().Registered)
	})
}

func TestAuthentication(t *testing.T) {
	begin := func(t *testing.T) *world {
		w := newWorld(t)
		w.cfg.Credential = true
		w.begin()
		w.do(leads(masterPID))
		w.look()
		w.pass(time.Second)
		return w
	}
	t.Run("comes before registration", func(t *testing.T) {
		w := begin(t)
		ticket := only[core.Authenticate](w).Ticket
		w.wants("link master", "authenticate within true")
		w.do(core.AuthenticationDone{Ticket: ticket})
		w.wants("to master: RegisterSlave")
	})
	t.Run("refused is the end", func(t *testing.T) {
		w := begin(t)
		w.do(core.AuthenticationDone{Ticket: only[core.Authenticate](w).Ticket, Refused: true})
		assert.True(t, only[core.Exit](w).Failed)
	})
	t.Run("failed is tried again, with more time", func(t *testing.T) {
		w := begin(t)
		for range 10 {
			ticket := only[core.Authenticate](w)
			assert.GreaterOrEqual(t, ticket.Limit, 5*time.Second)
			assert.LessOrEqual(t, ticket.Limit, time.Minute)
			w.look()
			w.do(core.AuthenticationDone{Ticket: ticket.Ticket, Err: errors.New("no answer")})
			w.pass(64 * time.Second)
		}
	})
	t.Run("an answer of a former leader does not count", func(t *testing.T) {
		w := begin(t)
		ticket := only[core.Authenticate](w).Ticket
		w.do(leads(masterPID))
		w.look()
		w.do(core.AuthenticationDone{Ticket: ticket})
		w.wants()
	})
}

func TestReregistration(t *testing.T) {
	w := registered(t)
	w.from(run(custom("T1", "E")))
	w.subscribe("E")
	w.call("E", update("T1", "u1", mesosv1.TaskState_TASK_RUNNING))
	w.from(run(custom("T2", "E")))
	w.from(run(command("C")))
	w.look()

	w.do(leads(masterPID))
	w.call("E", update("T1", "u2", mesosv1.TaskState_TASK_FINISHED))
	for _, l := range w.look() {
		assert.NotContains(t, l, "to master", "nobody would receive it")
	}
	w.pass(time.Second)
	m := told[*wire.ReregisterSlaveMessage](w)[0]
	assert.Equal(t, "A", m.GetSlave().GetId().GetValue())
	states := map[string]string{}
	for _, task := range m.GetTasks() {
		states[task.GetTaskId().GetValue()] = task.GetState().String() + " at " + task.GetExecutorId().GetValue()
	}
	assert.Equal(t, map[string]string{"T1": "TASK_FINISHED at E", "T2": "TASK_STAGING at E", "C": "TASK_STAGING at "}, states)
	require.Len(t, m.GetExecutorInfos(), 1, "those of command tasks are not the master's")
	assert.Equal(t, "F", m.GetExecutorInfos()[0].GetFrameworkId().GetValue())
	w.look()

	w.from(&wire.SlaveReregisteredMessage{SlaveId: agentID, Reconciliations: []*wire.ReconcileTasksMessage{{
		FrameworkId: frameworkID, Statuses: []*mesosv1.TaskStatus{
			{TaskId: taskID("T1"), State: mesosv1.TaskState_TASK_RUNNING.Enum()}, {TaskId: taskID("gone"), State: mesosv1.TaskState_TASK_RUNNING.Enum()},
		},
	}}})
	w.wants("to master: UpdateSlave", "to master: StatusUpdate T1 RUNNING, by now FINISHED",
		"to master: StatusUpdate gone LOST RECONCILIATION (Reconciliation: task unknown to the agent)")
}

func TestWhatIsLentOut(t *testing.T) {
	w := registered(t)
	w.do(core.Oversubscribable{Resources: parse("cpus:2")})
	m := told[*wire.UpdateSlaveMessage](w)
	require.Len(t, m, 1)
	assert.True(t, m[0].GetUpdateOversubscribedResources())
	assert.Len(t, m[0].GetOversubscribedResources(), 1)
}

func TestExecutorCalls(t *testing.T) {
	t.Run("before recovery nobody is answered", func(t *testing.T) {
		w := newWorld(t)
		w.core = core.New(w.cfg)
		w.subscribe("E")
		w.wants("answer 503 Agent has not finished recovery")
	})
	t.Run("a heartbeat is welcome from anybody", func(t *testing.T) {
		w := registered(t)
		w.call("E", &executor.Call{Type: executor.Call_HEARTBEAT.Enum()})
		w.wants("answer 202")
	})
	t.Run("who is unknown is told what is", func(t *testing.T) {
		w := registered(t)
		w.subscribe("E")
		w.wants("answer 400 Framework cannot be found")
		w.from(run(custom("T", "E")))
		w.look()
		w.subscribe("X")
		w.wants("answer 400 Executor cannot be found")
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_RUNNING))
		w.wants("answer 403 Executor is not subscribed")
	})
	t.Run("a second subscription closes the first", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		w.subscribe("E", custom("T", "E"))
		w.wants("closestream", "openstream", "write marker of E", "send SUBSCRIBED", "update container to cpus:1.5; mem:96")
	})
	t.Run("a task that the executor never saw is told as lost", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		w.subscribe("E")
		assert.Contains(t, strings.Join(w.look(), "\n"), "to master: StatusUpdate T LOST AGENT_RESTARTED")
	})
	t.Run("unacknowledged updates are taken, and once", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_STARTING))
		w.look()
		w.call("E", &executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: &executor.Call_Subscribe{
			UnacknowledgedUpdates: []*executor.Call_Update{
				update("T", "u1", mesosv1.TaskState_TASK_STARTING).GetUpdate(), update("T", "u2", mesosv1.TaskState_TASK_RUNNING).GetUpdate(),
			},
		}})
		lines := strings.Join(w.look(), "\n")
		assert.NotContains(t, lines, "write update T STARTING")
		assert.Contains(t, lines, "send ACKNOWLEDGED u1")
		assert.Contains(t, lines, "write update T RUNNING")
		assert.Contains(t, lines, "send ACKNOWLEDGED u2")
	})
	t.Run("an update after the end is acknowledged and dropped", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_FINISHED))
		w.look()
		w.call("E", update("T", "u2", mesosv1.TaskState_TASK_FAILED))
		w.wants("answer 202", "send ACKNOWLEDGED u2")
	})
	t.Run("an update of another agent is left out", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		c := update("T", "u1", mesosv1.TaskState_TASK_RUNNING)
		c.Update.Status.AgentId = &mesosv1.AgentID{Value: proto.String("B")}
		w.call("E", c)
		w.wants("answer 202")
	})
	t.Run("a heartbeat comes after half an hour, not earlier", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.do(core.MasterDetected{}) // no pings are expected
		w.look()
		w.pass(30*time.Minute - time.Second)
		w.wants()
		w.pass(time.Second)
		w.wants("send HEARTBEAT")
		w.pass(30 * time.Minute)
		w.wants("send HEARTBEAT")
	})
	t.Run("with tokens, that of another executor is refused", func(t *testing.T) {
		w := registered(t, func(w *world) { w.cfg.AuthenticateHTTPExecutors = true })
		w.from(run(custom("T", "E")))
		claims := only[core.LaunchContainer](w).Claims
		w.look()
		w.subscribe("E")
		w.wants("answer 403 The token is not that of the executor")
		w.do(core.ExecutorCall{Request: 100, Stream: 100, Claims: claims, Call: &executor.Call{
			FrameworkId: frameworkID, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("E")},
			Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: &executor.Call_Subscribe{},
		}})
		assert.Contains(t, w.look(), "send SUBSCRIBED")
	})
}

func TestWhatAStatusCarries(t *testing.T) {
	w := registered(t)
	w.from(run(custom("T", "E")))
	w.subscribe("E")
	w.look()
	c := update("T", "u1", mesosv1.TaskState_TASK_RUNNING)
	c.Update.Status.Timestamp = nil
	w.call("E", c)
	u := told[*wire.StatusUpdateMessage](w)[0]
	assert.Equal(t, agentPID.String(), u.GetPid())
	s := u.GetUpdate().GetStatus()
	assert.Equal(t, "A", s.GetAgentId().GetValue())
	assert.Equal(t, "E", s.GetExecutorId().GetValue())
	assert.Equal(t, float64(w.now.Unix()), s.GetTimestamp())
	assert.Equal(t, c.Update.Status.Uuid, s.GetUuid())
	assert.Equal(t, c.Update.Status.Uuid, u.GetUpdate().GetUuid())
	assert.NotEmpty(t, s.GetContainerStatus().GetContainerId().GetValue())
	assert.Equal(t, uint32(42), s.GetContainerStatus().GetExecutorPid())
	assert.Equal(t, "10.0.0.2", s.GetContainerStatus().GetNetworkInfos()[0].GetIpAddresses()[0].GetIpAddress())
	assert.Nil(t, s.GetContainerStatus().GetNetworkInfos()[0].GetIpAddresses()[0].Protocol)
	assert.Nil(t, c.Update.Status.AgentId, "what came in is not changed")

	t.Run("unacknowledged it is sent again after 10 seconds, then 20", func(t *testing.T) {
		w.look()
		w.pass(10 * time.Second)
		w.wants("to master: StatusUpdate T RUNNING")
		w.pass(19 * time.Second)
		w.wants()
		w.pass(time.Second)
		w.wants("to master: StatusUpdate T RUNNING")
	})
}
