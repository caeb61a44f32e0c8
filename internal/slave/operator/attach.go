package operator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/slave/containers"
)

// ahead is how many records of output wait for a client that reads slowly. The
// container waits for the others.
const ahead = 16

// attachOutput answers ATTACH_CONTAINER_OUTPUT with the output from now on.
func (o *Operator) attachOutput(q *request) *apihttp.Refusal {
	id := q.call.GetAttachContainerOutput().GetContainerId()
	w, refusal := o.mayNested(q.r, authorization.Action_ATTACH_CONTAINER_OUTPUT, id)
	if refusal != nil {
		return refusal
	}
	if w.executor == nil {
		return notFound(id)
	}
	_, refusal = o.stream(q, id)
	return refusal
}

// stream answers with a container's output, to its end or until the client leaves;
// ended says which.
func (o *Operator) stream(q *request, id *mesosv1.ContainerID) (ended bool, refusal *apihttp.Refusal) {
	ctx, cancel := context.WithCancel(q.r.Context())
	defer cancel()
	stream, turns := apihttp.NewStream(q.form.Answer), make(chan struct{}, ahead)
	err := o.c.Containers.AttachOutput(ctx, id, func(record *agent.ProcessIO) {
		if record == nil {
			stream.Close()
			return
		}
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		stream.SendFunc(len(record.GetData().GetData()), func(dst []byte) ([]byte, error) {
			<-turns
			return stream.Media().Append(dst, record)
		})
	})
	if err != nil {
		return false, attachRefusal(id, err)
	}
	var beats sync.WaitGroup
	defer beats.Wait()
	defer cancel()
	beats.Go(func() { o.beat(ctx, stream) })
	q.form.SetHeaders(q.w.Header())
	return stream.Serve(q.w, q.r, o.c.Stopping) == nil, nil
}

// beat sends heartbeats until ctx ends.
func (o *Operator) beat(ctx context.Context, stream *apihttp.Stream) {
	if o.c.Heartbeat <= 0 {
		return
	}
	heartbeat := &agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum(), Control: &agent.ProcessIO_Control{
		Type: agent.ProcessIO_Control_HEARTBEAT.Enum(), Heartbeat: &agent.ProcessIO_Control_Heartbeat{
			Interval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(o.c.Heartbeat.Nanoseconds())},
		},
	}}
	ticker := time.NewTicker(o.c.Heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			stream.Send(heartbeat)
		case <-ctx.Done():
			return
		}
	}
}

func attachRefusal(id *mesosv1.ContainerID, err error) *apihttp.Refusal {
	switch {
	case errors.Is(err, containers.ErrUnknown):
		return notFound(id)
	case errors.Is(err, containers.ErrInputBusy):
		return apihttp.Refuse(http.StatusConflict, "Somebody is attached to the input of container '%s' already", name(id))
	default:
		return apihttp.Internal(err)
	}
}

// attachInput answers ATTACH_CONTAINER_INPUT when the request, or the container, has
// ended. The end of the request leaves the container's input open.
func (o *Operator) attachInput(q *request) *apihttp.Refusal {
	first := q.call.GetAttachContainerInput()
	if first.GetType() != agent.Call_AttachContainerInput_CONTAINER_ID {
		return apihttp.Refuse(http.StatusBadRequest, "Expecting 'attach_container_input.type' to be CONTAINER_ID in the first record")
	}
	id := first.GetContainerId()
	w, refusal := o.mayNested(q.r, authorization.Action_ATTACH_CONTAINER_INPUT, id)
	if refusal != nil {
		return refusal
	}
	if w.executor == nil {
		return notFound(id)
	}
	input, err := o.c.Containers.AttachInput(q.r.Context(), id)
	if err != nil {
		return attachRefusal(id, err)
	}
	defer input.Close()
	ctx, cancel := context.WithCancelCause(q.r.Context())
	defer cancel(nil)
	defer context.AfterFunc(o.c.Stopping, func() { cancel(errStopping) })()
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel(nil)
	watch.Go(func() {
		if _, err := o.c.Containers.Wait(ctx, id); err == nil {
			cancel(errEnded)
		}
	})
	// A client that says nothing is waited for in Read, which only a deadline ends.
	defer context.AfterFunc(ctx, func() {
		_ = http.NewResponseController(q.w).SetReadDeadline(time.Unix(1, 0))
	})()
	return o.feed(ctx, q, input)
}

var (
	errEnded    = errors.New("the container has ended")
	errStopping = errors.New("the agent stops")
)

// feed hands on records until there are no more.
func (o *Operator) feed(ctx context.Context, q *request, input *containers.Input) *apihttp.Refusal {
	for {
		record, refusal := q.nextInput()
		if refusal == nil && record != nil {
			if err := input.Write(ctx, record); err != nil {
				refusal = apihttp.Internal(err)
			}
		}
		switch {
		case errors.Is(context.Cause(ctx), errStopping):
			return apihttp.Refuse(http.StatusServiceUnavailable, "The agent stops")
		case errors.Is(context.Cause(ctx), errEnded):
			return apihttp.Internal(errEnded)
		case refusal != nil:
			return refusal
		case record == nil:
			return q.done(http.StatusOK)
		}
	}
}

// nextInput reads the next record; nil at the end of the request.
func (q *request) nextInput() (*agent.ProcessIO, *apihttp.Refusal) {
	call := &agent.Call{}
	err := q.records.Next(call)
	refusal := (*apihttp.Refusal)(nil)
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case errors.As(err, &refusal):
		return nil, refusal
	case err != nil:
		return nil, apihttp.Internal(err)
	}
	if err := validate.AgentCall(call); err != nil {
		return nil, apihttp.Invalid("agent::Call", err)
	}
	if kind := call.GetAttachContainerInput().GetType(); kind != agent.Call_AttachContainerInput_PROCESS_IO {
		return nil, apihttp.Refuse(http.StatusBadRequest, "Expecting 'attach_container_input.type' to be PROCESS_IO, not %v", kind)
	}
	return call.GetAttachContainerInput().GetProcessIo(), nil
}
