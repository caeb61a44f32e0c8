package core_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/checkpoint"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// world is an agent without a world: what it wants done is written into a transcript,
// checkpoints go to a real store, and the test plays everybody else.
type world struct {
	t      testing.TB
	cfg    core.Config
	core   *core.Core
	now    time.Time
	store  *checkpoint.Store
	full   func(core.Checkpoint) bool // whether the disk is, for it
	lines  []string
	effect []core.Effect // since the last look
	stream core.StreamID
	ask    core.RequestID
	alive  map[string]bool // containers
	crash  int             // effects until the agent is killed; 0: never
	dead   bool

	// Without answers of its own, the world leaves questions to the test.
	answers bool
}

var (
	masterPID = libprocess.PID{Name: "master", Addr: netip.MustParseAddrPort("10.0.0.1:5050")}
	agentPID  = libprocess.PID{Name: "slave(1)", Addr: netip.MustParseAddrPort("10.0.0.2:5051")}
	start     = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: start, alive: map[string]bool{}, answers: true}
	w.cfg = core.Config{
		Info:    &mesosv1.AgentInfo{Hostname: proto.String("host"), Port: proto.Int32(5051), Resources: parse("cpus:8;mem:8192;ports:[31000-32000]")},
		Version: "1.12.0", PID: agentPID, Random: rand.New(rand.NewPCG(1, 2)), Started: start,
		WorkDir: t.TempDir(), LauncherDir: "/bin/mesos", SandboxIn: "/mnt/mesos/sandbox", SwitchUser: true, DefaultUser: "root",
		RegistrationBackoff: time.Second, ExecutorRegistrationTimeout: time.Minute, ExecutorReregistration: 2 * time.Second,
		ExecutorShutdownGrace: 5 * time.Second, RecoveryTimeout: 15 * time.Minute, Reconfiguration: "equal", Strict: true,
		AuthenticationBackoff: time.Second, AuthenticationTimeoutMin: 5 * time.Second, AuthenticationTimeoutMax: time.Minute,
		MaxCompletedExecutors: 150,
	}
	var err error
	w.store, err = checkpoint.Open(w.cfg.WorkDir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.store.Close()) })
	return w
}

// begin starts an agent on what the one before left.
func (w *world) begin() {
	w.t.Helper()
	state, err := w.store.Recover(true)
	require.NoError(w.t, err)
	if state != nil {
		for _, f := range state.Frameworks {
			for _, e := range f.Executors {
				e.Alive = w.alive[e.Container.GetValue()]
			}
		}
	}
	w.cfg.Random = rand.New(rand.NewPCG(w.cfg.Random.Uint64(), 2))
	w.core, w.dead, w.crash = core.New(w.cfg), false, 0
	w.do(core.Recovered{State: state})
}

// registered is a world whose agent has registered as agent A.
func registered(t testing.TB, change ...func(*world)) *world {
	w := newWorld(t)
	for _, c := range change {
		c(w)
	}
	w.begin()
	w.join()
	w.look()
	return w
}

// join has a master lead that lets the agent in.
func (w *world) join() {
	w.t.Helper()
	w.do(core.MasterDetected{Leader: &mesosv1.MasterInfo{Id: proto.String("M"), Ip: proto.Uint32(0), Port: proto.Uint32(5050)}, PID: masterPID})
	w.pass(2 * time.Second)
	w.from(&wire.SlaveRegisteredMessage{SlaveId: agentID})
	w.from(&wire.SlaveReregisteredMessage{SlaveId: agentID})
}

// do gives the agent an event, carries out what follows, and answers its questions.
func (w *world) do(e core.Event) {
	if !w.dead {
		w.carry(w.core.Handle(w.now, e))
	}
}

func (w *world) carry(effects []core.Effect) {
	for _, e := range effects {
		if w.dead {
			return
		}
		if w.crash--; w.crash == 0 {
			w.dead = true
			return
		}
		w.effect = append(w.effect, e)
		w.lines = append(w.lines, line(e))
		if write, ok := e.(core.Write); ok {
			if w.full != nil && w.full(write.Checkpoint) {
				w.do(core.CheckpointFailed{Checkpoint: write.Checkpoint, Err: errors.New("no space left")})
				continue
			}
			require.NoError(w.t, w.store.Write(write.Checkpoint))
			w.carry(write.Then)
		}
		if w.answers {
			w.reply(e)
		}
	}
}

// reply plays containers and hooks, to which all works out.
func (w *world) reply(e core.Effect) {
	switch e := e.(type) {
	case core.LaunchContainer:
		w.alive[e.Container.GetValue()] = true
		w.do(core.Launched{Ticket: e.Ticket})
	case core.UpdateContainer:
		w.do(core.Updated{Ticket: e.Ticket})
	case core.StatusOf:
		w.do(core.ContainerStatus{Ticket: e.Ticket, Status: &mesosv1.ContainerStatus{ExecutorPid: proto.Uint32(42)}})
	case core.CallHooks:
		if e.Ticket != 0 {
			w.do(core.Hooked{Ticket: e.Ticket, Result: e.Do(context.Background(), nil)})
		}
	}
}

// pass lets time pass, with a tick whenever the agent wants one.
func (w *world) pass(d time.Duration) {
	end := w.now.Add(d)
	for !w.dead {
		next := w.core.Next()
		if next.IsZero() || next.After(end) {
			break
		}
		w.now = next
		w.do(core.Tick{})
	}
	w.now = end
	w.do(core.Tick{})
}

// look returns the transcript since the last look.
func (w *world) look() []string {
	lines := w.lines
	w.lines, w.effect = nil, nil
	return lines
}

// wants asserts the transcript since the last look, without what is for the log.
func (w *world) wants(want ...string) {
	w.t.Helper()
	var got []string
	for _, l := range w.look() {
		if !strings.HasPrefix(l, "log ") {
			got = append(got, l)
		}
	}
	assert.Equal(w.t, want, got)
}

func (w *world) from(m proto.Message) { w.do(core.MasterMessage{From: masterPID, Message: m}) }

// the only effect of a type since the last look.
func only[E core.Effect](w *world) E {
	w.t.Helper()
	var found []E
	for _, e := range w.effect { // carry has taken Then apart
		if one, ok := e.(E); ok {
			found = append(found, one)
		}
	}
	require.Len(w.t, found, 1, "%T", *new(E))
	return found[0]
}

// call is a call of the executor of a task; stream names the one that SUBSCRIBE opens.
func (w *world) call(id string, c *executor.Call) {
	w.ask++
	w.stream++
	c.FrameworkId, c.ExecutorId = frameworkID, &mesosv1.ExecutorID{Value: &id}
	w.do(core.ExecutorCall{Request: w.ask, Stream: w.stream, Call: c})
}

func (w *world) subscribe(id string, unacknowledged ...*mesosv1.TaskInfo) {
	w.call(id, &executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: &executor.Call_Subscribe{UnacknowledgedTasks: unacknowledged}})
}

// update is a status of a task whose uuid is made of name.
func update(task, name string, state mesosv1.TaskState) *executor.Call {
	uuid := make([]byte, 16)
	copy(uuid, name)
	return &executor.Call{Type: executor.Call_UPDATE.Enum(), Update: &executor.Call_Update{Status: &mesosv1.TaskStatus{
		TaskId: taskID(task), State: state.Enum(), Source: mesosv1.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: uuid,
		Timestamp: proto.Float64(7),
	}}}
}

func (w *world) acknowledge(task, name string) {
	uuid := make([]byte, 16)
	copy(uuid, name)
	w.from(&wire.StatusUpdateAcknowledgementMessage{SlaveId: agentID, FrameworkId: frameworkID, TaskId: taskID(task), Uuid: uuid})
}

var (
	agentID     = &mesosv1.AgentID{Value: proto.String("A")}
	frameworkID = &mesosv1.FrameworkID{Value: proto.String("F")}
)

func taskID(id string) *mesosv1.TaskID { return &mesosv1.TaskID{Value: &id} }

func parse(text string) []*mesosv1.Resource {
	all, err := resources.Parse(text, "*")
	if err != nil {
		panic(err)
	}
	return all.Messages()
}

func framework(change ...func(*mesosv1.FrameworkInfo)) *mesosv1.FrameworkInfo {
	f := &mesosv1.FrameworkInfo{Id: frameworkID, Name: proto.String("f"), User: proto.String("ann"), Checkpoint: proto.Bool(true)}
	for _, c := range change {
		c(f)
	}
	return f
}

func partitionAware(f *mesosv1.FrameworkInfo) {
	f.Capabilities = []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_PARTITION_AWARE.Enum()}}
}

func forgetful(f *mesosv1.FrameworkInfo) { f.Checkpoint = proto.Bool(false) }

// command is a task that is a command.
func command(id string) *mesosv1.TaskInfo {
	return &mesosv1.TaskInfo{Name: proto.String(id), TaskId: taskID(id), AgentId: agentID,
		Resources: parse("cpus:1;mem:64"), Command: &mesosv1.CommandInfo{Value: proto.String("true")}}
}

// custom is a task of an executor.
func custom(id, of string) *mesosv1.TaskInfo {
	t := command(id)
	t.Command = nil
	t.Executor = &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: &of}, Resources: parse("cpus:0.5;mem:32"),
		Command: &mesosv1.CommandInfo{Value: proto.String("./executor")}}
	return t
}

func run(t *mesosv1.TaskInfo, change ...func(*wire.RunTaskMessage)) *wire.RunTaskMessage {
	m := &wire.RunTaskMessage{Framework: framework(), Task: t}
	for _, c := range change {
		c(m)
	}
	return m
}

// ended says that the container of an executor has ended.
func (w *world) ended(executor string, t *slave.ContainerTermination) {
	w.t.Helper()
	for _, f := range w.core.View().Frameworks {
		for _, e := range f.Executors {
			if e.Info.GetExecutorId().GetValue() == executor {
				delete(w.alive, e.Container.GetValue())
				w.do(core.Terminated{Container: e.Container, Termination: t})
				return
			}
		}
	}
	require.FailNow(w.t, "no such executor", executor)
}
