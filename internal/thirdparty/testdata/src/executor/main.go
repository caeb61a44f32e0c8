// Command executor is an executor made with mesos-go, a client library of others: it
// says what each task's data holds, and that the task has finished.
package main

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"net/url"
	"os"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/encoding"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
	"github.com/mesos/mesos-go/api/v1/lib/executor/calls"
	"github.com/mesos/mesos-go/api/v1/lib/executor/config"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpexec"
)

type state struct {
	sender  calls.Sender
	updates map[string]bool // not acknowledged
	agent   mesos.AgentInfo
}

func main() {
	cfg, err := config.FromEnv()
	if err == nil {
		err = run(cfg)
	}
	if err != nil && err != io.EOF {
		fmt.Fprintln(os.Stderr, "executor:", err)
		os.Exit(1)
	}
}

func run(cfg config.Config) error {
	at := url.URL{Scheme: "http", Host: cfg.AgentEndpoint, Path: "/api/v1/executor"}
	http := httpcli.New(httpcli.Endpoint(at.String()), httpcli.Codec(codecs.ByMediaType[codecs.MediaTypeJSON]))
	options := executor.CallOptions{calls.Framework(cfg.FrameworkID), calls.Executor(cfg.ExecutorID)}
	s := &state{updates: map[string]bool{}}
	s.sender = calls.SenderWith(httpexec.NewSender(http.Send), options...)
	subscriber := calls.SenderWith(httpexec.NewSender(http.Send, httpcli.Close(true)), options...)
	response, err := subscriber.Send(context.Background(), calls.NonStreaming(calls.Subscribe(nil, nil)))
	if response != nil {
		defer response.Close()
	}
	if err != nil {
		return err
	}
	return s.listen(response)
}

func (s *state) listen(events encoding.Decoder) error {
	for {
		var e executor.Event
		if err := events.Decode(&e); err != nil {
			return err
		}
		switch e.GetType() {
		case executor.Event_SUBSCRIBED:
			s.agent = e.Subscribed.AgentInfo
			fmt.Println("subscribed to", s.agent.Hostname != "")
		case executor.Event_LAUNCH:
			if err := s.work(e.Launch.Task); err != nil {
				return err
			}
		case executor.Event_ACKNOWLEDGED:
			delete(s.updates, string(e.Acknowledged.UUID))
		case executor.Event_MESSAGE:
			if err := s.send(calls.Message(append([]byte("echo "), e.Message.Data...))); err != nil {
				return err
			}
		case executor.Event_SHUTDOWN:
			return nil
		case executor.Event_ERROR:
			return fmt.Errorf("%s", e.Error.Message)
		}
	}
}

func (s *state) work(task mesos.TaskInfo) error {
	fmt.Printf("%s has %q\n", task.TaskID.Value, task.Data)
	for _, state := range []mesos.TaskState{mesos.TASK_RUNNING, mesos.TASK_FINISHED} {
		uuid := make([]byte, 16)
		rand.New(rand.NewSource(time.Now().UnixNano())).Read(uuid)
		s.updates[string(uuid)] = true
		of, source := state, mesos.SOURCE_EXECUTOR
		status := mesos.TaskStatus{TaskID: task.TaskID, State: &of, Source: &source, UUID: uuid}
		if err := s.send(calls.Update(status)); err != nil {
			return err
		}
	}
	return s.send(calls.Message([]byte("done with " + task.TaskID.Value)))
}

func (s *state) send(call *executor.Call) error {
	response, err := s.sender.Send(context.Background(), calls.NonStreaming(call))
	if response != nil {
		response.Close()
	}
	return err
}
