package core_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// working is a world in which T runs at executor E, its first update unacknowledged.
func working(t *testing.T, change ...func(*world)) *world {
	w := registered(t, change...)
	w.from(run(custom("T", "E")))
	w.subscribe("E")
	w.call("E", update("T", "u1", mesosv1.TaskState_TASK_RUNNING))
	w.look()
	return w
}

func TestRecovery(t *testing.T) {
	t.Run("executors come back, then the agent does", func(t *testing.T) {
		w := working(t)
		w.begin()
		w.do(leads(masterPID))
		w.wants("attach E", "watchcontainer")
		w.pass(time.Second)
		w.wants() // not before recovery is done
		w.call("E", update("T", "u2", mesosv1.TaskState_TASK_RUNNING))
		w.wants("answer 503 Agent has not finished recovery")
		w.call("E", &executor.Call{Type: executor.Call_HEARTBEAT.Enum()})
		w.wants("answer 202")
		w.subscribe("E", custom("T", "E"))
		w.wants("openstream", "write marker of E", "send SUBSCRIBED", "update container to cpus:1.5; mem:96")
		w.pass(2 * time.Second)
		lines := w.look()
		assert.Contains(t, lines, "to master: ReregisterSlave with 1 tasks, 1 executors, 1 frameworks, 0 completed")
		w.from(&wire.SlaveReregisteredMessage{SlaveId: agentID})
		w.wants("to master: UpdateSlave", "to master: StatusUpdate T RUNNING")
	})
	t.Run("one that stays away is destroyed, and its task lost", func(t *testing.T) {
		w := working(t)
		w.begin()
		w.look()
		w.pass(2 * time.Second)
		w.wants("destroycontainer")
		w.ended("E", nil)
		w.join()
		assert.Contains(t, w.look(), "to master: StatusUpdate T RUNNING, by now LOST")
		w.acknowledge("T", "u1")
		w.wants("write acknowledgement of T",
			"to master: StatusUpdate T LOST EXECUTOR_REREGISTRATION_TIMEOUT (Executor did not reregister within 2secs)")
	})
	t.Run("one that ended meanwhile has failed its tasks", func(t *testing.T) {
		w := working(t)
		clear(w.alive)
		w.begin()
		w.wants("write update T FAILED EXECUTOR_TERMINATED (Executor terminated)")
		w.join()
		assert.Contains(t, w.look(), "to master: ReregisterSlave with 1 tasks, 0 executors, 1 frameworks, 0 completed")
	})
	t.Run("a reboot ends everything", func(t *testing.T) {
		w := working(t)
		state, err := w.store.Recover(true)
		require.NoError(t, err)
		state.Rebooted = true
		state.Frameworks[0].Executors[0].Alive = true // a process of the same number
		w.core = core.New(w.cfg)
		w.look()
		w.do(core.Recovered{State: state})
		w.wants("write update T FAILED EXECUTOR_TERMINATED (Executor terminated)")
		assert.Equal(t, "A", w.core.View().Info.GetId().GetValue(), "the id is kept")
	})
	t.Run("cleanup ends all executors, then the agent, and the next begins anew", func(t *testing.T) {
		w := working(t)
		w.cfg.Cleanup = true
		w.begin()
		w.wants("attach E", "watchcontainer", "destroycontainer")
		w.ended("E", nil)
		assert.Contains(t, w.look(), "exit failed=false: everything that ran here has ended")
		state, err := w.store.Recover(true)
		require.NoError(t, err)
		assert.Nil(t, state)
	})
	t.Run("an agent that is another than it was does not start", func(t *testing.T) {
		for _, c := range []struct {
			name, policy string
			change       func(*mesosv1.AgentInfo)
			want         string
		}{
			{"fewer resources", "equal", func(i *mesosv1.AgentInfo) { i.Resources = parse("cpus:4;mem:8192;ports:[31000-32000]") }, "its resources were"},
			{"more resources", "equal", func(i *mesosv1.AgentInfo) { i.Resources = parse("cpus:9;mem:8192;ports:[31000-32000]") }, "its resources were"},
			{"more resources where it may grow", "additive", func(i *mesosv1.AgentInfo) { i.Resources = parse("cpus:9;mem:8192;ports:[31000-32000]") }, ""},
			{"fewer where it may grow", "additive", func(i *mesosv1.AgentInfo) { i.Resources = parse("cpus:7;mem:8192;ports:[31000-32000]") }, "its resources were"},
			{"another host", "additive", func(i *mesosv1.AgentInfo) { i.Hostname = proto.String("other") }, "its host name was host and is other"},
			{"an attribute more", "equal", func(i *mesosv1.AgentInfo) {
				i.Attributes = []*mesosv1.Attribute{{Name: proto.String("rack"), Type: mesosv1.Value_TEXT.Enum(), Text: &mesosv1.Value_Text{Value: proto.String("r1")}}}
			}, "its attributes were"},
			{"an attribute more where it may grow", "additive", func(i *mesosv1.AgentInfo) {
				i.Attributes = []*mesosv1.Attribute{{Name: proto.String("rack"), Type: mesosv1.Value_TEXT.Enum(), Text: &mesosv1.Value_Text{Value: proto.String("r1")}}}
			}, ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := working(t)
				w.cfg.Reconfiguration = c.policy
				w.cfg.Info = proto.CloneOf(w.cfg.Info)
				c.change(w.cfg.Info)
				w.begin()
				if c.want == "" {
					assert.NotContains(t, strings.Join(w.look(), "\n"), "exit")
					return
				}
				assert.Contains(t, only[core.Exit](w).Reason, c.want)
			})
		}
	})
	t.Run("what was acknowledged is not sent again", func(t *testing.T) {
		w := working(t)
		w.acknowledge("T", "u1")
		w.begin()
		w.subscribe("E", custom("T", "E"))
		w.pass(2 * time.Second)
		w.join()
		assert.Empty(t, told[*wire.StatusUpdateMessage](w))
	})
	t.Run("a finished run is garbage, and remembered", func(t *testing.T) {
		w := working(t)
		w.from(run(custom("T2", "E2"))) // keeps the framework
		w.acknowledge("T", "u1")
		w.call("E", update("T", "u2", mesosv1.TaskState_TASK_FINISHED))
		w.acknowledge("T", "u2")
		w.ended("E", nil)
		w.look()
		w.begin()
		assert.Contains(t, w.look(), "collect slaves/A/frameworks/F/executors/E/runs/*")
		f := w.core.View().Frameworks[0]
		require.Len(t, f.Completed, 1)
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, f.Completed[0].Completed[0].GetState())
	})
}

func TestAFullDisk(t *testing.T) {
	full := func(match func(core.Checkpoint) bool) func(*world) { return func(w *world) { w.full = match } }
	t.Run("a task that cannot be written down fails, and the agent lives", func(t *testing.T) {
		for _, what := range []string{"framework F", "executor T", "task T"} {
			t.Run(what, func(t *testing.T) {
				w := registered(t)
				full(func(c core.Checkpoint) bool { return saved(c) == what })(w)
				w.from(run(command("T")))
				lines := strings.Join(w.look(), "\n")
				assert.NotContains(t, lines, "\nlaunch")
				assert.Contains(t, lines, "to master: StatusUpdate T FAILED CONTAINER_LAUNCH_FAILED (Failed to launch container: no space left)")
				assert.NotContains(t, lines, "exit")
			})
		}
	})
	t.Run("a further task fails alone", func(t *testing.T) {
		w := working(t)
		full(func(c core.Checkpoint) bool { return saved(c) == "task T2" })(w)
		w.from(run(custom("T2", "E")))
		lines := strings.Join(w.look(), "\n")
		assert.Contains(t, lines, "to master: StatusUpdate T2 FAILED CONTAINER_LAUNCH_FAILED (Failed to write down the task: no space left)")
		assert.NotContains(t, lines, "LAUNCH T2")
		w.call("E", update("T", "u2", mesosv1.TaskState_TASK_RUNNING))
		assert.Contains(t, w.look(), "send ACKNOWLEDGED u2")
	})
	t.Run("an update that is not stored is not acknowledged, and still told", func(t *testing.T) {
		w := working(t)
		w.acknowledge("T", "u1")
		full(func(core.Checkpoint) bool { return true })(w)
		w.look()
		w.call("E", update("T", "u2", mesosv1.TaskState_TASK_FINISHED))
		lines := w.look()
		assert.NotContains(t, lines, "send ACKNOWLEDGED u2")
		assert.Contains(t, lines, "to master: StatusUpdate T FINISHED")
	})
	t.Run("an id that could not be written down is written before the next task", func(t *testing.T) {
		w := newWorld(t)
		w.full = func(core.Checkpoint) bool { return true }
		w.begin()
		w.join()
		w.full = nil
		w.look()
		w.from(run(command("T")))
		lines := w.look()
		assert.Less(t, slices.Index(lines, "write agent A"), slices.Index(lines, "write framework F"))
		assert.GreaterOrEqual(t, slices.Index(lines, "write agent A"), 0)
	})
}

// life is what an executor and a scheduler remember while the agent is killed again
// and again.
type life struct {
	*world
	random *rand.Rand

	launched  bool            // it has got its task
	over      bool            // the agent was killed before it sent the task, and says so
	sent      int             // updates it has made
	unstored  map[int]bool    // sent and not ACKNOWLEDGED
	connected bool            // has a stream with this agent
	received  []string        // uuids at the scheduler, as they first came
	seen      map[string]bool // at the scheduler
	written   map[string]bool // acknowledgements that the agent has written down
}

// TestNoUpdateIsLostOrDoubled kills the agent between any two of its effects, with any
// order of events: each update that the executor was told is stored comes to the
// scheduler, in order; and none that is written down as acknowledged comes again.
func TestNoUpdateIsLostOrDoubled(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			l := &life{
				world: registered(t), random: rand.New(rand.NewPCG(seed, 7)),
				unstored: map[int]bool{}, seen: map[string]bool{}, written: map[string]bool{},
			}
			l.cfg.ExecutorReregistration = time.Minute
			l.from(run(custom("T", "E")))
			l.hear()
			for range 150 {
				l.step()
				if l.over {
					return
				}
			}
			l.settle()
			var want []string
			for i := 1; i <= l.sent; i++ {
				if !l.unstored[i] {
					want = append(want, name(i))
				}
			}
			assert.Equal(t, want, l.received)
		})
	}
}

func name(i int) string { return fmt.Sprintf("u%03d", i) }

func (l *life) step() {
	if l.random.IntN(6) == 0 {
		l.crash = 1 + l.random.IntN(6)
	}
	switch l.random.IntN(5) {
	case 0:
		if !l.connected {
			l.reconnect()
		}
	case 1:
		if l.connected && l.launched {
			l.sent++
			l.unstored[l.sent] = true
			l.call("E", update("T", name(l.sent), mesosv1.TaskState_TASK_RUNNING))
		}
	case 2:
		if n := len(l.received); n > 0 {
			l.acknowledge("T", l.received[n-1])
		}
	case 3:
		l.pass(time.Duration(l.random.IntN(15)) * time.Second)
	case 4:
		l.do(core.StreamGone{Stream: l.stream})
		l.connected = false
	}
	l.hear()
	if l.dead {
		l.connected = false
		l.begin()
		l.reconnect()
		l.hear()
		l.pass(time.Minute)
		l.join()
		l.hear()
	}
}

// reconnect is the executor that subscribes, with what it knows of.
func (l *life) reconnect() {
	subscribe := &executor.Call_Subscribe{}
	if l.launched && len(l.unstored) == l.sent { // nothing of the task is acknowledged
		subscribe.UnacknowledgedTasks = []*mesosv1.TaskInfo{custom("T", "E")}
	}
	for i := 1; i <= l.sent; i++ {
		if l.unstored[i] {
			subscribe.UnacknowledgedUpdates = append(subscribe.UnacknowledgedUpdates, update("T", name(i), mesosv1.TaskState_TASK_RUNNING).GetUpdate())
		}
	}
	l.connected = true
	l.call("E", &executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: subscribe})
}

// hear gives everybody what the agent has sent.
func (l *life) hear() {
	for _, e := range l.effect {
		switch e := e.(type) {
		case core.Send:
			switch e.Event.GetType() {
			case executor.Event_LAUNCH:
				l.launched = true
			case executor.Event_ACKNOWLEDGED:
				var i int
				_, err := fmt.Sscanf(string(e.Event.GetAcknowledged().GetUuid()[:4]), "u%03d", &i)
				require.NoError(l.t, err)
				delete(l.unstored, i)
			}
		case core.Write:
			if u, ok := e.Checkpoint.(core.SaveUpdate); ok && u.Record.GetType() == wire.StatusUpdateRecord_ACK {
				l.written[string(u.Record.GetUuid()[:4])] = true
			}
		case core.ToMaster:
			u, ok := e.Message.(*wire.StatusUpdateMessage)
			if !ok {
				continue
			}
			uuid := string(u.GetUpdate().GetUuid()[:4])
			if s := u.GetUpdate().GetStatus(); s.GetState() != mesosv1.TaskState_TASK_RUNNING {
				require.Equal(l.t, mesosv1.TaskStatus_REASON_AGENT_RESTARTED, s.GetReason())
				require.False(l.t, l.launched, "the executor has the task")
				l.over = true
				continue
			}
			assert.False(l.t, l.written[uuid], "%s comes again", uuid)
			if !l.seen[uuid] {
				l.seen[uuid] = true
				l.received = append(l.received, uuid)
			}
		}
	}
	l.look()
}

// settle lets everything come to rest, without further accidents.
func (l *life) settle() {
	l.crash = 0
	if !l.connected {
		l.reconnect()
		l.hear()
	}
	for range l.sent + 2 {
		l.do(leads(masterPID))
		l.join()
		l.hear()
		if n := len(l.received); n > 0 {
			l.acknowledge("T", l.received[n-1])
		}
		l.hear()
	}
}
