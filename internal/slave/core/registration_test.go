package core_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/resources"
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
	revocable := func(text string) []*mesosv1.Resource {
		all := parse(text)
		for _, r := range all {
			r.Revocable = &mesosv1.Resource_RevocableInfo{}
		}
		return all
	}
	w := registered(t)
	estimate := func(left []*mesosv1.Resource) []string {
		w.do(core.Oversubscribable{Resources: left})
		var lent []string
		for _, m := range told[*wire.UpdateSlaveMessage](w) {
			require.True(t, m.GetUpdateOversubscribedResources())
			sum, err := resources.New(m.GetOversubscribedResources())
			require.NoError(t, err)
			lent = append(lent, sum.String())
		}
		w.look()
		return lent
	}
	assert.Empty(t, estimate(nil), "nothing was lent, and nothing is")
	assert.Equal(t, []string{"cpus{REV}:2"}, estimate(revocable("cpus:2")))
	assert.Empty(t, estimate(revocable("cpus:2")), "what is told is not told again")
	task := custom("T", "E")
	task.Resources = append(revocable("cpus:1.5"), parse("mem:32")...)
	for _, r := range task.Resources {
		r.AllocationInfo = &mesosv1.Resource_AllocationInfo{Role: proto.String("*")}
	}
	w.from(run(task))
	w.look()
	assert.Empty(t, estimate(revocable("cpus:0.5")), "what is in use was lent out, too")
	assert.Equal(t, []string{"cpus{REV}:3"}, estimate(append(revocable("cpus:1.5"), parse("cpus:1")...)), "what is not revocable is left out")
	assert.Equal(t, []string{"cpus{REV}:1.5"}, estimate(nil))
	assert.Empty(t, estimate([]*mesosv1.Resource{{Name: proto.String("cpus")}}), "what makes no sense changes nothing")
}
