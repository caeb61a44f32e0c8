package core

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/wire"
)

var update = flag.Bool("update", false, "write what is compared with")

func taskInfo(name, agent, part string) *mesosv1.TaskInfo {
	return &mesosv1.TaskInfo{
		Name: &name, TaskId: &mesosv1.TaskID{Value: &name}, AgentId: &mesosv1.AgentID{Value: &agent},
		Resources: res(part), Command: &mesosv1.CommandInfo{Value: proto.String("true")},
	}
}

func launch(tasks ...*mesosv1.TaskInfo) *mesosv1.Offer_Operation {
	return &mesosv1.Offer_Operation{
		Type: mesosv1.Offer_Operation_LAUNCH.Enum(), Launch: &mesosv1.Offer_Operation_Launch{TaskInfos: tasks},
	}
}

func accept(offers []*mesosv1.OfferID, operations ...*mesosv1.Offer_Operation) *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
		OfferIds: offers, Operations: operations,
	}}
}

// launch offers part of an agent to a framework and launches a task with all of it.
func (w *world) launch(stream StreamID, agent, name, part string) {
	w.Helper()
	f := w.core.streams[stream].framework
	o := w.offer(f.id, agent, f.roles[0], part)
	w.call(stream, accept([]*mesosv1.OfferID{o}, launch(taskInfo(name, agent, part))))
	require.True(w, f.tasks.has(name), "not launched: %v", w.log)
}

// status sends an update of a task from its agent, with a uuid made of its name and
// state.
func (w *world) status(framework, agent, name string, state mesosv1.TaskState, change ...func(*wire.StatusUpdate)) []byte {
	w.Helper()
	uuid := []byte((name + state.String() + "................")[:16])
	u := &wire.StatusUpdate{
		FrameworkId: &mesosv1.FrameworkID{Value: &framework}, SlaveId: &mesosv1.AgentID{Value: &agent},
		Timestamp: proto.Float64(1), Uuid: uuid, LatestState: state.Enum(),
		Status: &mesosv1.TaskStatus{
			TaskId: &mesosv1.TaskID{Value: &name}, State: state.Enum(), AgentId: &mesosv1.AgentID{Value: &agent},
			Source: mesosv1.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: uuid, Timestamp: proto.Float64(1),
		},
	}
	for _, c := range change {
		c(u)
	}
	w.do(AgentMessage{From: w.core.agentPID(agent), To: "master",
		Message: &wire.StatusUpdateMessage{Update: u, Pid: proto.String("slave(1)@10.0.0.1:5051")}})
	return uuid
}

func (w *world) acknowledge(stream StreamID, agent, name string, uuid []byte) RequestID {
	w.Helper()
	return w.call(stream, &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
		AgentId: &mesosv1.AgentID{Value: &agent}, TaskId: &mesosv1.TaskID{Value: &name}, Uuid: uuid,
	}})
}

func (c *Core) agentPID(id string) (p libprocess.PID) {
	if a, ok := c.agents.get(id); ok {
		return a.pid
	}
	return p
}

// TestLife is the life of a cluster with one agent and one task, from election to
// teardown, as everybody around the master sees it. -update writes the text.
func TestLife(t *testing.T) {
	w := standbyWorld(t)
	var all strings.Builder
	chapter := func(title string) {
		all.WriteString("# " + title + "\n")
		for _, l := range w.look() {
			all.WriteString(l + "\n")
		}
		all.WriteString("\n")
	}
	w.do(Elected{})
	w.do(RegistryRecovered{Registry: &wire.Registry{}})
	chapter("The master is elected.")
	w.call("", &scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum(), FrameworkId: &mesosv1.FrameworkID{Value: proto.String("x")}})
	chapter("Somebody calls whom nobody knows.")
	w.requests++
	w.do(OperatorCall{Request: w.requests, Stream: "operator", Call: &master.Call{Type: master.Call_SUBSCRIBE.Enum()}})
	chapter("An operator watches.")
	agent := w.register(1)
	chapter("An agent registers.")
	w.do(AgentMessage{From: pid(1), To: "slave-observer(1)", Message: &wire.PongSlaveMessage{}})
	chapter("It answers the ping.")
	f := w.subscribe("s1")
	chapter("A framework subscribes.")
	o := w.offer(f, agent, "web", "cpus:4;mem:1024;ports:[31000-31009]")
	chapter("It is offered the agent.")
	w.call("s1", accept([]*mesosv1.OfferID{o}, launch(taskInfo("t1", agent, "cpus:1;mem:32;ports:[31000-31000]"))))
	chapter("It launches a task.")
	uuid := w.status(f, agent, "t1", mesosv1.TaskState_TASK_RUNNING)
	chapter("The task runs.")
	w.acknowledge("s1", agent, "t1", uuid)
	chapter("The framework acknowledges that.")
	w.call("s1", &scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: &scheduler.Call_Reconcile{}})
	chapter("It reconciles.")
	w.wait(15 * time.Second)
	chapter("Fifteen seconds pass.")
	uuid = w.status(f, agent, "t1", mesosv1.TaskState_TASK_FINISHED)
	chapter("The task is finished.")
	w.acknowledge("s1", agent, "t1", uuid)
	chapter("The framework acknowledges that too.")
	w.do(StreamGone{Stream: "s1"})
	chapter("Its stream breaks.")
	w.subscribe("s2", id(f))
	chapter("It comes back.")
	w.subscribe("s3", id(f))
	chapter("It fails over.")
	w.do(AgentExited{PID: pid(1)})
	chapter("The link to the agent breaks.")
	w.reregister(1, agent)
	chapter("The agent comes back.")
	w.call("s3", &scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
	chapter("The framework is torn down.")
	w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.UnregisterSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}}})
	chapter("The agent leaves.")
	w.sound()

	path := filepath.Join("testdata", "life.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(all.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), all.String())
}
