package core_test

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// line is an effect in one line, without ids that chance has made.
func line(e core.Effect) string {
	switch e := e.(type) {
	case core.Write:
		return "write " + saved(e.Checkpoint)
	case core.ToMaster:
		return "to " + e.To.Name + ": " + said(e.Message)
	case core.Answer:
		return strings.TrimSpace(fmt.Sprintf("answer %d %s", e.Status, e.Text))
	case core.Send:
		return "send " + event(e.Event)
	case core.LaunchContainer:
		return "launch " + e.Config.GetExecutorInfo().GetExecutorId().GetValue() + " as " + e.Config.GetUser()
	case core.UpdateContainer:
		all, _ := resources.New(e.Requests)
		return "update container to " + all.String()
	case core.Collect:
		return "collect " + tail(e.Path)
	case core.Keep:
		return "keep " + tail(e.Path)
	case core.CallHooks:
		return "hooks " + e.Name
	case core.Log:
		return "log " + e.Text
	case core.Exit:
		return fmt.Sprintf("exit failed=%v: %s", e.Failed, e.Reason)
	case core.Link:
		return "link " + e.PID.Name
	case core.Authenticate:
		return fmt.Sprintf("authenticate within %v", e.Limit > 0)
	case core.Attach:
		return "attach " + e.Executor.GetExecutorId().GetValue()
	default:
		return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", e), "core."))
	}
}

// tail is a path below the work folder, without the name of a run.
func tail(path string) string {
	root := "slaves/"
	if strings.Contains(path, "/meta/") {
		root = "meta/slaves/"
	}
	_, rest, _ := strings.Cut(path, "/slaves/")
	if before, _, is := strings.Cut(rest, "/runs/"); is {
		rest = before + "/runs/*"
	}
	return root + rest
}

func saved(c core.Checkpoint) string {
	switch c := c.(type) {
	case core.SaveAgent:
		return "agent " + c.Info.GetId().GetValue()
	case core.SaveFramework:
		return "framework " + c.Info.GetId().GetValue()
	case core.SaveExecutor:
		return "executor " + c.Info.GetExecutorId().GetValue()
	case core.SaveTask:
		return "task " + c.Task.GetTaskId().GetValue()
	case core.SaveUpdate:
		if c.Record.GetType() == wire.StatusUpdateRecord_ACK {
			return "acknowledgement of " + c.Task.GetValue()
		}
		return "update " + status(c.Record.GetUpdate().GetStatus())
	case core.SaveMarker:
		return "marker of " + c.At.Executor.GetValue()
	case core.SaveSentinel:
		return "sentinel of " + c.At.Executor.GetValue()
	default:
		return strings.TrimPrefix(fmt.Sprintf("%T", c), "core.")
	}
}

func status(s *mesosv1.TaskStatus) string {
	text := s.GetTaskId().GetValue() + " " + strings.TrimPrefix(s.GetState().String(), "TASK_")
	if s.Reason != nil {
		text += " " + strings.TrimPrefix(s.GetReason().String(), "REASON_")
	}
	if s.GetMessage() != "" {
		text += " (" + s.GetMessage() + ")"
	}
	return text
}

func said(m proto.Message) string {
	name := strings.TrimSuffix(string(m.ProtoReflect().Descriptor().Name()), "Message")
	switch m := m.(type) {
	case *wire.StatusUpdateMessage:
		text := name + " " + status(m.GetUpdate().GetStatus())
		if latest := m.GetUpdate().GetLatestState(); latest != m.GetUpdate().GetStatus().GetState() {
			text += ", by now " + strings.TrimPrefix(latest.String(), "TASK_")
		}
		return text
	case *wire.ExitedExecutorMessage:
		return fmt.Sprintf("%s %s %d", name, m.GetExecutorId().GetValue(), m.GetStatus())
	case *wire.ExecutorToFrameworkMessage:
		return name + " " + string(m.GetData())
	case *wire.ReregisterSlaveMessage:
		return fmt.Sprintf("%s with %d tasks, %d executors, %d frameworks, %d completed", name,
			len(m.GetTasks()), len(m.GetExecutorInfos()), len(m.GetFrameworks()), len(m.GetCompletedFrameworks()))
	default:
		return name
	}
}

func event(e *executor.Event) string {
	switch e.GetType() {
	case executor.Event_LAUNCH:
		return "LAUNCH " + e.GetLaunch().GetTask().GetTaskId().GetValue()
	case executor.Event_LAUNCH_GROUP:
		var all []string
		for _, t := range e.GetLaunchGroup().GetTaskGroup().GetTasks() {
			all = append(all, t.GetTaskId().GetValue())
		}
		return "LAUNCH_GROUP " + strings.Join(all, " ")
	case executor.Event_KILL:
		return "KILL " + e.GetKill().GetTaskId().GetValue()
	case executor.Event_ACKNOWLEDGED:
		return "ACKNOWLEDGED " + strings.TrimRight(string(e.GetAcknowledged().GetUuid()), "\x00")
	case executor.Event_MESSAGE:
		return "MESSAGE " + string(e.GetMessage().GetData())
	default:
		return e.GetType().String()
	}
}
