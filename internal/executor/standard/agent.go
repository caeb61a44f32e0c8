package standard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/v1client"
)

// retryEvery is how often an agent that does not answer is asked again.
const retryEvery = 100 * time.Millisecond

// agent makes the calls that concern containers.
type agent struct{ client *v1client.Client }

// persist makes a call until there is an answer, which is the error otherwise, or ctx ends. The calls that are made so
// may be repeated: a container that is there already is not made again.
func (a *agent) persist(ctx context.Context, call *agentv1.Call) (*agentv1.Response, error) {
	for {
		answer := &agentv1.Response{}
		err := a.client.Call(ctx, call, answer, nil)
		if !v1client.IsTemporary(err) {
			return answer, err
		}
		timer := time.NewTimer(retryEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

func (a *agent) launch(ctx context.Context, container *agentv1.Call_LaunchContainer) error {
	_, err := a.persist(ctx, &agentv1.Call{Type: agentv1.Call_LAUNCH_CONTAINER.Enum(), LaunchContainer: container})
	return err
}

// wait returns when a container has ended; nil if there is no such container.
func (a *agent) wait(ctx context.Context, id *mesosv1.ContainerID) (*agentv1.Response_WaitContainer, error) {
	answer, err := a.persist(ctx, &agentv1.Call{Type: agentv1.Call_WAIT_CONTAINER.Enum(), WaitContainer: &agentv1.Call_WaitContainer{ContainerId: id}})
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if answer.GetWaitContainer() == nil { // what has nothing to say may be left out
		return &agentv1.Response_WaitContainer{}, nil
	}
	return answer.GetWaitContainer(), nil
}

// kill sends a signal; a container that is gone is as good.
func (a *agent) kill(ctx context.Context, id *mesosv1.ContainerID, signal syscall.Signal) error {
	_, err := a.persist(ctx, &agentv1.Call{Type: agentv1.Call_KILL_CONTAINER.Enum(), KillContainer: &agentv1.Call_KillContainer{
		ContainerId: id, Signal: proto.Int32(int32(signal)),
	}})
	if isStatus(err, http.StatusNotFound) {
		return nil
	}
	return err
}

func isStatus(err error, code int) bool {
	var status *v1client.StatusError
	return errors.As(err, &status) && status.Code == code
}

// cleanUp is how long the rest of an attempt to run a command beside a task may take.
const cleanUp = 5 * time.Second

// run runs a command beside a container and returns its wait status. When ctx ends, so does the command.
func (a *agent) run(ctx context.Context, id *mesosv1.ContainerID, command *mesosv1.CommandInfo) (syscall.WaitStatus, error) {
	stream, err := a.client.Attach(ctx, &agentv1.Call{
		Type:                         agentv1.Call_LAUNCH_NESTED_CONTAINER_SESSION.Enum(),
		LaunchNestedContainerSession: &agentv1.Call_LaunchNestedContainerSession{ContainerId: id, Command: command},
	}, nil)
	if err != nil {
		return 0, err
	}
	for err == nil { // what it writes is nobody's concern
		err = stream.Next(&agentv1.ProcessIO{})
	}
	stream.Close()
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	ended, waitErr := a.wait(clean, id)
	a.remove(clean, id)
	switch {
	case !errors.Is(err, io.EOF):
		return 0, err
	case waitErr != nil:
		return 0, waitErr
	case ended == nil || ended.ExitStatus == nil:
		return 0, fmt.Errorf("how the command ended is not known")
	default:
		return syscall.WaitStatus(ended.GetExitStatus()), nil
	}
}

// remove has a container that has ended forgotten. It is tried once: at worst it is forgotten with its parent.
func (a *agent) remove(ctx context.Context, id *mesosv1.ContainerID) {
	_ = a.client.Call(ctx, &agentv1.Call{
		Type: agentv1.Call_REMOVE_CONTAINER.Enum(), RemoveContainer: &agentv1.Call_RemoveContainer{ContainerId: id},
	}, nil, nil)
}
