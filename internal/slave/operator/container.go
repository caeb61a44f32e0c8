package operator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// owner is the executor that a container is, or is nested in, with its framework.
type owner struct {
	framework *core.FrameworkView
	executor  *core.ExecutorView
}

// ownerOf finds the executor that a container belongs to; false if it has none that
// lives.
func ownerOf(v *core.View, id *mesosv1.ContainerID) (owner, bool) {
	for _, f := range v.Frameworks {
		for _, e := range f.Executors {
			if e.Phase != core.ExecutorTerminated && e.Container.GetValue() == root(id).GetValue() {
				return owner{f, e}, true
			}
		}
	}
	return owner{}, false
}

// object is what an authorizer is told of a container.
func (w owner) object(id *mesosv1.ContainerID, command *mesosv1.CommandInfo) *authorization.Object {
	object := &authorization.Object{ContainerId: id, CommandInfo: command}
	if w.executor != nil {
		object.ExecutorInfo, object.FrameworkInfo = w.executor.Info, w.framework.Info
	}
	return object
}

// user is whom the executor runs as.
func (w owner) user() string {
	for _, user := range []string{w.executor.User, w.executor.Info.GetCommand().GetUser(), w.framework.Info.GetUser()} {
		if user != "" {
			return user
		}
	}
	return ""
}

// launched is a container that is to be launched, in whichever call it came.
type launched struct {
	id        *mesosv1.ContainerID
	command   *mesosv1.CommandInfo
	container *mesosv1.ContainerInfo
	resources []*mesosv1.Resource
	limits    map[string]*mesosv1.Value_Scalar
	debug     bool // it belongs to a session
}

func launchedBy(call *agent.Call) launched {
	switch call.GetType() {
	case agent.Call_LAUNCH_NESTED_CONTAINER:
		c := call.GetLaunchNestedContainer()
		return launched{id: c.GetContainerId(), command: c.GetCommand(), container: c.GetContainer()}
	case agent.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		c := call.GetLaunchNestedContainerSession()
		return launched{id: c.GetContainerId(), command: c.GetCommand(), container: c.GetContainer(), debug: true}
	default:
		c := call.GetLaunchContainer()
		return launched{id: c.GetContainerId(), command: c.GetCommand(), container: c.GetContainer(),
			resources: c.GetResources(), limits: c.GetLimits()}
	}
}

// launch answers LAUNCH_CONTAINER. A launch that has begun goes on without its client:
// who has lost the answer asks again, and is told that the container is there.
func (o *Operator) launch(q *request) *apihttp.Refusal {
	apihttp.Unhurried(q.w)
	status, refusal := o.launchNow(q, launchedBy(q.call), authorization.Action_LAUNCH_NESTED_CONTAINER)
	if refusal != nil {
		return refusal
	}
	return q.done(status)
}

// launchNow launches a container and returns the status of the answer: 200, or 202 if
// there is one of this id.
func (o *Operator) launchNow(q *request, l launched, action authorization.Action) (int, *apihttp.Refusal) {
	if l.id.GetParent() == nil {
		return 0, apihttp.Refuse(http.StatusNotImplemented, "Container '%s' has no parent: this agent launches no standalone containers", name(l.id))
	}
	v, refusal := o.see(q.r)
	if refusal != nil {
		return 0, refusal
	}
	w, found := ownerOf(v, l.id)
	if !found {
		return 0, apihttp.Refuse(http.StatusBadRequest, "Unable to locate the executor that container '%s' is to be launched in", name(l.id))
	}
	if refusal := o.mayContainer(q.r, action, w, l.id, l.command); refusal != nil {
		return 0, refusal
	}
	user := o.userOf(l, w)
	directory, err := makeSandbox(w.executor.Directory, l.id, user)
	if err != nil {
		return 0, apihttp.Internal(fmt.Errorf("make the sandbox of container '%s': %w", name(l.id), err))
	}
	outcome, err := o.c.Containers.Launch(context.WithoutCancel(q.r.Context()), containers.LaunchRequest{
		ID: l.id, Config: l.config(directory, user),
	})
	switch {
	case err != nil:
		return 0, apihttp.Refuse(http.StatusBadRequest, "Failed to launch container: %v", err)
	case outcome == containers.AlreadyLaunched:
		return http.StatusAccepted, nil
	case outcome == containers.NotSupported:
		return 0, apihttp.Refuse(http.StatusBadRequest, "The provided ContainerInfo is not supported")
	default:
		return http.StatusOK, nil
	}
}

// userOf is whom a container runs as: its command's user, or else that of the container
// it is nested in; nobody else than the agent without --switch_user.
func (o *Operator) userOf(l launched, w owner) string {
	if !o.c.SwitchUser {
		return ""
	}
	if user := l.command.GetUser(); user != "" {
		return user
	}
	if user := o.c.Containers.User(l.id.GetParent()); user != "" {
		return user
	}
	return w.user()
}

func (l launched) config(directory, user string) *slave.ContainerConfig {
	config := &slave.ContainerConfig{
		CommandInfo: l.command, ContainerInfo: l.container, Resources: l.resources, Limits: l.limits, Directory: &directory,
	}
	if config.CommandInfo == nil {
		config.CommandInfo = &mesosv1.CommandInfo{}
	}
	if l.debug {
		config.ContainerClass = slave.ContainerClass_DEBUG.Enum()
	}
	if user != "" {
		config.User = &user
	}
	return config
}

// named is a call that only names a container.
func named(call *agent.Call) *mesosv1.ContainerID {
	switch call.GetType() {
	case agent.Call_WAIT_NESTED_CONTAINER:
		return call.GetWaitNestedContainer().GetContainerId()
	case agent.Call_WAIT_CONTAINER:
		return call.GetWaitContainer().GetContainerId()
	case agent.Call_KILL_NESTED_CONTAINER:
		return call.GetKillNestedContainer().GetContainerId()
	case agent.Call_KILL_CONTAINER:
		return call.GetKillContainer().GetContainerId()
	case agent.Call_REMOVE_NESTED_CONTAINER:
		return call.GetRemoveNestedContainer().GetContainerId()
	case agent.Call_REMOVE_CONTAINER:
		return call.GetRemoveContainer().GetContainerId()
	default:
		return nil
	}
}

// mayNested refuses who is not allowed something about a container.
func (o *Operator) mayNested(r *http.Request, action authorization.Action, id *mesosv1.ContainerID) (owner, *apihttp.Refusal) {
	v, refusal := o.see(r)
	if refusal != nil {
		return owner{}, refusal
	}
	w, _ := ownerOf(v, id)
	return w, o.mayContainer(r, action, w, id, nil)
}

// containerClaim is the claim of an executor's token that names its container.
const containerClaim = "cid"

// mayContainer refuses who is not allowed something about a container. An executor may
// do everything to what is nested in its own container, and nothing to any other.
func (o *Operator) mayContainer(r *http.Request, action authorization.Action, w owner, id *mesosv1.ContainerID, command *mesosv1.CommandInfo) *apihttp.Refusal {
	if p := apihttp.PrincipalOf(r); p != nil && p.Value == nil {
		for _, claim := range p.Claims.GetLabels() {
			if claim.GetKey() != containerClaim {
				continue
			}
			if id.GetParent() != nil && claim.GetValue() == root(id).GetValue() {
				return nil
			}
			return &apihttp.Refusal{Status: http.StatusForbidden}
		}
	}
	return o.may(r, action, w.object(id, command))
}

func root(id *mesosv1.ContainerID) *mesosv1.ContainerID {
	for id.GetParent() != nil {
		id = id.GetParent()
	}
	return id
}

func notFound(id *mesosv1.ContainerID) *apihttp.Refusal {
	return apihttp.Refuse(http.StatusNotFound, "Container '%s' cannot be found", name(id))
}

// wait answers WAIT_CONTAINER when the container has ended.
func (o *Operator) wait(q *request) *apihttp.Refusal {
	id := named(q.call)
	if _, refusal := o.mayNested(q.r, authorization.Action_WAIT_NESTED_CONTAINER, id); refusal != nil {
		return refusal
	}
	apihttp.Unhurried(q.w)
	ctx, cancel := context.WithCancel(q.r.Context())
	defer cancel()
	defer context.AfterFunc(o.c.Stopping, cancel)()
	t, err := o.c.Containers.Wait(ctx, id)
	switch {
	case errors.Is(err, containers.ErrUnknown):
		return notFound(id)
	case err != nil:
		return apihttp.Refuse(http.StatusServiceUnavailable, "The agent stops: %v", err)
	default:
		return q.say(ended(q.call.GetType(), t))
	}
}

// ended is what a waiting client is told.
func ended(kind agent.Call_Type, t *slave.ContainerTermination) *agent.Response {
	var limitation *mesosv1.TaskResourceLimitation
	if len(t.GetLimitedResources()) > 0 {
		limitation = &mesosv1.TaskResourceLimitation{Resources: t.GetLimitedResources()}
	}
	if kind == agent.Call_WAIT_NESTED_CONTAINER {
		return &agent.Response{Type: agent.Response_WAIT_NESTED_CONTAINER.Enum(), WaitNestedContainer: &agent.Response_WaitNestedContainer{
			ExitStatus: t.Status, State: t.State, Reason: t.Reason, Limitation: limitation, Message: t.Message,
		}}
	}
	return &agent.Response{Type: agent.Response_WAIT_CONTAINER.Enum(), WaitContainer: &agent.Response_WaitContainer{
		ExitStatus: t.Status, State: t.State, Reason: t.Reason, Limitation: limitation, Message: t.Message,
	}}
}

// signalOf is the signal that a call sends.
func signalOf(call *agent.Call) int32 {
	var signal *int32
	if c := call.GetKillContainer(); c != nil {
		signal = c.Signal
	}
	if c := call.GetKillNestedContainer(); c != nil {
		signal = c.Signal
	}
	if signal == nil {
		return int32(syscall.SIGKILL)
	}
	return *signal
}

// kill answers KILL_CONTAINER.
func (o *Operator) kill(q *request) *apihttp.Refusal {
	id := named(q.call)
	if _, refusal := o.mayNested(q.r, authorization.Action_KILL_NESTED_CONTAINER, id); refusal != nil {
		return refusal
	}
	there, err := o.c.Containers.Kill(q.r.Context(), id, signalOf(q.call))
	switch {
	case errors.Is(err, containers.ErrUnknown), err == nil && !there:
		return apihttp.Refuse(http.StatusNotFound, "Container '%s' cannot be found (or is already killed)", name(id))
	case err != nil:
		return apihttp.Internal(err)
	default:
		return q.done(http.StatusOK)
	}
}

// remove answers REMOVE_CONTAINER: nothing is left of a nested container that has ended.
func (o *Operator) remove(q *request) *apihttp.Refusal {
	id := named(q.call)
	if id.GetParent() == nil {
		return apihttp.Refuse(http.StatusBadRequest, "Container '%s' has no parent: only nested containers are removed", name(id))
	}
	w, refusal := o.mayNested(q.r, authorization.Action_REMOVE_NESTED_CONTAINER, id)
	if refusal != nil {
		return refusal
	}
	if err := o.c.Containers.Remove(context.WithoutCancel(q.r.Context()), id); err != nil {
		return apihttp.Internal(err)
	}
	if w.executor != nil {
		if err := removeSandbox(w.executor.Directory, id); err != nil {
			return apihttp.Internal(fmt.Errorf("delete the sandbox of container '%s': %w", name(id), err))
		}
	}
	return q.done(http.StatusOK)
}

// name is how texts call a container.
func name(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return name(id.GetParent()) + "." + id.GetValue()
}
