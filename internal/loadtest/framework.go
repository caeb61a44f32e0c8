package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/v1client"
)

// framework runs tasks, each the command true.
type framework struct {
	client *v1client.Scheduler
	stream *v1client.Stream

	launched, ended int
	accepted        map[string]time.Time // when the ACCEPT of a task was sent
	untilRunning    []time.Duration
}

// subscribe makes a framework.
func subscribe(ctx context.Context, master string) (*framework, error) {
	client, err := v1client.NewScheduler(v1client.Config{Endpoint: "http://" + master + "/api/v1/scheduler"})
	if err != nil {
		return nil, err
	}
	f := &framework{client: client, accepted: map[string]time.Time{}}
	f.stream, err = client.Subscribe(ctx, &scheduler.Call_Subscribe{FrameworkInfo: &mesosv1.FrameworkInfo{
		User: proto.String("root"), Name: proto.String("loadtest")}})
	if err != nil {
		return nil, err
	}
	var first scheduler.Event
	if err := f.stream.Next(&first); err != nil {
		return nil, err
	}
	client.SetFrameworkID(first.GetSubscribed().GetFrameworkId())
	return f, nil
}

func (f *framework) close() {
	f.stream.Close()
	f.client.Close()
}

// work runs tasks until so many have ended, with no more than so many at a time.
func (f *framework) work(ctx context.Context, tasks, atOnce int) error {
	for f.ended < tasks {
		var e scheduler.Event
		if err := f.stream.Next(&e); err != nil {
			return err
		}
		switch e.GetType() {
		case scheduler.Event_OFFERS:
			for _, o := range e.GetOffers().GetOffers() {
				if err := f.accept(ctx, o, min(tasks-f.launched, atOnce-(f.launched-f.ended))); err != nil {
					return err
				}
			}
		case scheduler.Event_UPDATE:
			if err := f.update(ctx, e.GetUpdate().GetStatus()); err != nil {
				return err
			}
		case scheduler.Event_ERROR:
			return fmt.Errorf("the master says: %s", e.GetError().GetMessage())
		}
	}
	return nil
}

// accept launches n tasks on an offer, or declines it for a moment.
func (f *framework) accept(ctx context.Context, o *mesosv1.Offer, n int) error {
	soon := &mesosv1.Filters{RefuseSeconds: proto.Float64(0)}
	ids := []*mesosv1.OfferID{o.GetId()}
	wants, err := resources.Parse("cpus:0.1;mem:32", "*")
	if err != nil {
		return err
	}
	free, err := resources.New(o.GetResources())
	if err != nil {
		return err
	}
	var tasks []*mesosv1.TaskInfo
	now := time.Now()
	for len(tasks) < n && free.Contains(wants) { // an offer may be of what one task has left
		free = free.Sub(wants)
		f.launched++
		id := fmt.Sprintf("task-%d", f.launched)
		f.accepted[id] = now
		tasks = append(tasks, &mesosv1.TaskInfo{Name: &id, TaskId: &mesosv1.TaskID{Value: &id}, AgentId: o.GetAgentId(),
			Resources: wants.Messages(), Command: &mesosv1.CommandInfo{Value: proto.String("true")}})
	}
	if len(tasks) == 0 {
		return f.client.Call(ctx, &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{OfferIds: ids, Filters: soon}})
	}
	return f.client.Call(ctx, &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{OfferIds: ids, Filters: soon,
		Operations: []*mesosv1.Offer_Operation{{Type: mesosv1.Offer_Operation_LAUNCH.Enum(), Launch: &mesosv1.Offer_Operation_Launch{TaskInfos: tasks}}}}})
}

func (f *framework) update(ctx context.Context, s *mesosv1.TaskStatus) error {
	id := s.GetTaskId().GetValue()
	switch s.GetState() {
	case mesosv1.TaskState_TASK_STARTING:
	case mesosv1.TaskState_TASK_RUNNING:
		f.untilRunning = append(f.untilRunning, time.Since(f.accepted[id]))
	case mesosv1.TaskState_TASK_FINISHED:
		f.ended++
	default:
		return fmt.Errorf("task %s is %v: %s", id, s.GetState(), s.GetMessage())
	}
	return f.client.Call(ctx, &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
		AgentId: s.GetAgentId(), TaskId: s.GetTaskId(), Uuid: s.GetUuid()}})
}
