package view

import (
	"bytes"
	"fmt"
	"io"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/maintenance"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/legacy"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// Answer is the answer to a reading call of the operator API that is about the
// cluster. It shares messages with the view and must not be changed. known is false
// for calls that are about something else, as GET_FLAGS is, or that change something.
// JSON of it is written by [WriteJSON].
func Answer(v *core.View, kind master.Call_Type, approve Approve) (answer *master.Response, known bool) {
	r := &master.Response{}
	switch kind {
	case master.Call_GET_STATE:
		r.Type, r.GetState = master.Response_GET_STATE.Enum(), state(v, approve)
	case master.Call_GET_AGENTS:
		r.Type, r.GetAgents = master.Response_GET_AGENTS.Enum(), agents(v, approve)
	case master.Call_GET_FRAMEWORKS:
		r.Type, r.GetFrameworks = master.Response_GET_FRAMEWORKS.Enum(), frameworks(v, approve)
	case master.Call_GET_EXECUTORS:
		r.Type, r.GetExecutors = master.Response_GET_EXECUTORS.Enum(), executors(v, approve)
	case master.Call_GET_TASKS:
		r.Type, r.GetTasks = master.Response_GET_TASKS.Enum(), tasks(v, approve)
	case master.Call_GET_OPERATIONS:
		r.Type, r.GetOperations = master.Response_GET_OPERATIONS.Enum(), &master.Response_GetOperations{}
	case master.Call_GET_ROLES:
		r.Type, r.GetRoles = master.Response_GET_ROLES.Enum(), roles(v, approve)
	case master.Call_GET_WEIGHTS:
		r.Type, r.GetWeights = master.Response_GET_WEIGHTS.Enum(), weights(v, approve)
	case master.Call_GET_QUOTA:
		r.Type, r.GetQuota = master.Response_GET_QUOTA.Enum(), &master.Response_GetQuota{Status: quotaStatus(v, approve)}
	case master.Call_GET_MASTER:
		r.Type, r.GetMaster = master.Response_GET_MASTER.Enum(), masterOf(v)
	case master.Call_GET_MAINTENANCE_STATUS:
		r.Type = master.Response_GET_MAINTENANCE_STATUS.Enum()
		r.GetMaintenanceStatus = &master.Response_GetMaintenanceStatus{Status: &maintenance.ClusterStatus{}}
	case master.Call_GET_MAINTENANCE_SCHEDULE:
		r.Type = master.Response_GET_MAINTENANCE_SCHEDULE.Enum()
		r.GetMaintenanceSchedule = &master.Response_GetMaintenanceSchedule{Schedule: &maintenance.Schedule{}}
	default:
		return nil, false
	}
	return r, true
}

// Subscribed is the first event of an operator's stream: the state at the moment of
// the view. JSON of it is made by [JSON].
func Subscribed(v *core.View, approve Approve, heartbeat time.Duration) *master.Event {
	interval := heartbeat.Seconds()
	return &master.Event{
		Type: master.Event_SUBSCRIBED.Enum(),
		Subscribed: &master.Event_Subscribed{
			GetState:                 state(v, approve),
			HeartbeatIntervalSeconds: &interval,
		},
	}
}

// WriteJSON writes an answer as JSON, without ever holding it as a whole.
func WriteJSON(w io.Writer, answer *master.Response) error {
	e := mesosjson.NewEncoder(w)
	e.StoredMessage(answer)
	return e.Close()
}

// JSON is the first event as JSON, which has to be whole: its length comes first. The
// events after it are written by mesosjson as any other message.
func JSON(subscribed *master.Event) ([]byte, error) {
	var b bytes.Buffer
	e := mesosjson.NewEncoder(&b)
	e.StoredMessage(subscribed)
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("the first event of an operator's stream: %w", err)
	}
	return b.Bytes(), nil
}

func state(v *core.View, approve Approve) *master.Response_GetState {
	return &master.Response_GetState{
		GetTasks:      tasks(v, approve),
		GetExecutors:  executors(v, approve),
		GetFrameworks: frameworks(v, approve),
		GetAgents:     agents(v, approve),
	}
}

func tasks(v *core.View, approve Approve) *master.Response_GetTasks {
	r := &master.Response_GetTasks{}
	add := func(to *[]*mesosv1.Task, f *core.FrameworkView, all []*mesosv1.Task) {
		for _, t := range all {
			if approve.task(t, f.Info) {
				*to = append(*to, t)
			}
		}
	}
	for _, f := range v.Frameworks {
		if !approve.framework(f.Info) {
			continue
		}
		for _, info := range f.Pending {
			add(&r.PendingTasks, f, []*mesosv1.Task{legacy.Staging(info, f.Info.GetId())})
		}
		add(&r.Tasks, f, f.Tasks)
		add(&r.UnreachableTasks, f, f.Unreachable)
		add(&r.CompletedTasks, f, f.Completed)
	}
	for _, f := range v.Completed {
		if approve.framework(f.Info) {
			add(&r.UnreachableTasks, f, f.Unreachable)
			add(&r.CompletedTasks, f, f.Completed)
		}
	}
	return r
}

func executors(v *core.View, approve Approve) *master.Response_GetExecutors {
	r := &master.Response_GetExecutors{}
	for _, f := range v.Frameworks {
		if !approve.framework(f.Info) {
			continue
		}
		for _, e := range f.Executors {
			if approve.executor(e.Info, f.Info) {
				r.Executors = append(r.Executors, &master.Response_GetExecutors_Executor{ExecutorInfo: e.Info, AgentId: e.Agent})
			}
		}
	}
	return r
}

func roles(v *core.View, approve Approve) *master.Response_GetRoles {
	r := &master.Response_GetRoles{}
	for _, role := range visibleRoles(v, approve) {
		r.Roles = append(r.Roles, &mesosv1.Role{
			Name:       &role.Name,
			Weight:     &role.Weight,
			Frameworks: role.Frameworks,
			Resources:  role.Allocated.Add(role.Offered).Messages(),
		})
	}
	return r
}

func weights(v *core.View, approve Approve) *master.Response_GetWeights {
	r := &master.Response_GetWeights{}
	for _, role := range visibleRoles(v, approve) {
		if role.Weight != defaultWeight {
			r.WeightInfos = append(r.WeightInfos, &mesosv1.WeightInfo{Role: &role.Name, Weight: &role.Weight})
		}
	}
	return r
}

func masterOf(v *core.View) *master.Response_GetMaster {
	started := legacy.Seconds(v.Started)
	r := &master.Response_GetMaster{MasterInfo: v.Info, StartTime: &started}
	if !v.Elected.IsZero() {
		elected := legacy.Seconds(v.Elected)
		r.ElectedTime = &elected
	}
	return r
}
