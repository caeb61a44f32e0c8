// Command operator asks every question that mesos-go, a client library of others, can
// ask a master and an agent, and says what kind of answer it could decode. With -watch
// it prints the events of the master instead, until the task named there has ended.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/agent"
	agentcalls "github.com/mesos/mesos-go/api/v1/lib/agent/calls"
	"github.com/mesos/mesos-go/api/v1/lib/encoding"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpagent"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpmaster"
	"github.com/mesos/mesos-go/api/v1/lib/master"
	mastercalls "github.com/mesos/mesos-go/api/v1/lib/master/calls"
)

func main() {
	masterAt := flag.String("master", "", "host:port")
	agentAt := flag.String("agent", "", "host:port")
	codec := flag.String("codec", "protobuf", "protobuf or json")
	watch := flag.String("watch", "", "id of the task to watch to its end")
	flag.Parse()
	c := codecs.ByMediaType[codecs.MediaTypeProtobuf]
	if *codec == "json" {
		c = codecs.ByMediaType[codecs.MediaTypeJSON]
	}
	client := func(address string) *httpcli.Client {
		return httpcli.New(httpcli.Endpoint("http://"+address+"/api/v1"), httpcli.Codec(c),
			httpcli.Do(httpcli.With(httpcli.Timeout(30*time.Second))))
	}
	toMaster := httpmaster.NewSender(client(*masterAt).Send)
	var err error
	if *watch != "" {
		err = follow(toMaster, *watch)
	} else {
		ask(toMaster, httpagent.NewSender(client(*agentAt).Send))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

// ask sends the calls that read.
func ask(toMaster mastercalls.Sender, toAgent agentcalls.Sender) {
	ctx, patience := context.Background(), time.Second
	for _, call := range []*master.Call{
		mastercalls.GetHealth(), mastercalls.GetFlags(), mastercalls.GetVersion(), mastercalls.GetMetrics(&patience),
		mastercalls.GetLoggingLevel(), mastercalls.GetState(), mastercalls.GetAgents(),
		mastercalls.GetFrameworks(), mastercalls.GetExecutors(), mastercalls.GetTasks(), mastercalls.GetRoles(),
		mastercalls.GetWeights(), mastercalls.GetMaster(), mastercalls.GetMaintenanceStatus(),
		mastercalls.GetMaintenanceSchedule(), mastercalls.GetQuota(),
	} {
		response, err := toMaster.Send(ctx, mastercalls.NonStreaming(call))
		if err != nil {
			fmt.Println("master", call.GetType(), err)
			continue
		}
		var answer master.Response
		if err := decode(response, &answer); err != nil {
			fmt.Println("master", call.GetType(), err)
			continue
		}
		fmt.Println("master", call.GetType(), answer.GetType())
	}
	for _, call := range []*agent.Call{
		agentcalls.GetHealth(), agentcalls.GetFlags(), agentcalls.GetVersion(), agentcalls.GetMetrics(&patience),
		agentcalls.GetLoggingLevel(), agentcalls.GetState(), agentcalls.GetContainers(),
		agentcalls.GetFrameworks(), agentcalls.GetExecutors(), agentcalls.GetTasks(), agentcalls.GetAgent(),
	} {
		response, err := toAgent.Send(ctx, agentcalls.NonStreaming(call))
		if err != nil {
			fmt.Println("agent", call.GetType(), err)
			continue
		}
		var answer agent.Response
		if err := decode(response, &answer); err != nil {
			fmt.Println("agent", call.GetType(), err)
			continue
		}
		fmt.Println("agent", call.GetType(), answer.GetType())
	}
}

// decode reads one answer, and closes the response.
func decode(response mesos.Response, into encoding.Unmarshaler) error {
	err := response.Decode(into)
	if cerr := response.Close(); err == nil {
		err = cerr
	}
	return err
}

// follow prints the events of the master up to the end of the task.
func follow(toMaster mastercalls.Sender, task string) error {
	response, err := toMaster.Send(context.Background(), mastercalls.NonStreaming(mastercalls.Subscribe()))
	if err != nil {
		return err
	}
	defer response.Close()
	for {
		var event master.Event
		if err := response.Decode(&event); err != nil {
			return err
		}
		switch event.GetType() {
		case master.Event_SUBSCRIBED:
			fmt.Println("SUBSCRIBED", len(event.GetSubscribed().GetGetState().GetGetAgents().GetAgents()))
		case master.Event_TASK_ADDED:
			fmt.Println("TASK_ADDED", event.GetTaskAdded().Task.TaskID.Value)
		case master.Event_TASK_UPDATED:
			updated := event.GetTaskUpdated()
			fmt.Println("TASK_UPDATED", updated.Status.TaskID.Value, updated.GetState())
			if updated.Status.TaskID.Value == task && updated.GetState() == mesos.TASK_FINISHED {
				return nil
			}
		default:
			fmt.Println(event.GetType())
		}
	}
}
