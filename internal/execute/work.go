package execute

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/resources"
	"google.golang.org/protobuf/proto"
)

// work is what is to be run.
type work struct {
	tasks    []*mesosv1.TaskInfo
	executor *mesosv1.ExecutorInfo // of a group; nil for a single task
	needs    resources.Resources   // of all tasks and the executor
}

// defaultExecutor is what runs groups, and what it takes for itself.
const (
	defaultExecutor          = "default-executor"
	defaultExecutorResources = "cpus:0.1;mem:32;disk:32"
)

// work makes of the flags what is to be run. The error names the flag.
func (f *flagSet) work() (*work, error) {
	w := &work{}
	switch {
	case f.task.IsSet():
		task := &mesosv1.TaskInfo{}
		if err := readTasks(f.task.Get(), task); err != nil {
			return nil, fmt.Errorf("--task: %w", err)
		}
		w.tasks = []*mesosv1.TaskInfo{task}
	case f.taskGroup.IsSet():
		group := &mesosv1.TaskGroupInfo{}
		if err := readTasks(f.taskGroup.Get(), group); err != nil {
			return nil, fmt.Errorf("--task_group: %w", err)
		}
		if len(group.GetTasks()) == 0 {
			return nil, errors.New("--task_group: it has no task")
		}
		own, err := resources.Parse(defaultExecutorResources, "*")
		if err != nil {
			return nil, err
		}
		w.tasks = group.GetTasks()
		w.executor = &mesosv1.ExecutorInfo{
			Type: mesosv1.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesosv1.ExecutorID{Value: proto.String(defaultExecutor)},
			Resources: own.Messages(),
		}
	default:
		task, err := f.commandTask()
		if err != nil {
			return nil, err
		}
		w.tasks = []*mesosv1.TaskInfo{task}
	}
	return w, w.sum()
}

// sum adds up what all of it needs.
func (w *work) sum() error {
	lists := [][]*mesosv1.Resource{w.executor.GetResources()}
	for _, task := range w.tasks {
		lists = append(lists, task.GetResources(), task.GetExecutor().GetResources())
	}
	for _, list := range lists {
		r, err := resources.New(list)
		if err != nil {
			return fmt.Errorf("resources: %w", err)
		}
		w.needs = w.needs.Add(r)
	}
	return nil
}

// readTasks reads a message whose tasks need no agent: which one it is, the offer says.
func readTasks(text json.RawMessage, m proto.Message) error {
	err := mesosjson.Unmarshal(text, m)
	var missing *mesosjson.MissingError
	if !errors.As(err, &missing) || missing.More {
		return err
	}
	for _, path := range missing.Paths {
		if path != "agent_id" && !(strings.HasPrefix(path, "tasks[") && strings.HasSuffix(path, "].agent_id")) {
			return err
		}
	}
	return nil
}

// commandTask is the task of --name and --command.
func (f *flagSet) commandTask() (*mesosv1.TaskInfo, error) {
	if f.name.Get() == "" || f.command.Get() == "" {
		return nil, errors.New("nothing to run: give --name and --command, or --task, or --task_group")
	}
	needs, err := resources.Parse(f.resources.Get(), "*")
	if err != nil {
		return nil, fmt.Errorf("--resources: %w", err)
	}
	command := &mesosv1.CommandInfo{Value: proto.String(f.command.Get()), Shell: proto.Bool(f.shell.Get())}
	if !f.shell.Get() {
		command.Arguments = []string{f.command.Get()}
	}
	if f.env.IsSet() {
		if command.Environment, err = environment(f.env.Get()); err != nil {
			return nil, fmt.Errorf("--env: %w", err)
		}
	}
	container, err := f.container()
	if err != nil {
		return nil, err
	}
	return &mesosv1.TaskInfo{
		Name: proto.String(f.name.Get()), TaskId: &mesosv1.TaskID{Value: proto.String(f.name.Get())},
		Resources: needs.Messages(), Command: command, Container: container,
	}, nil
}

// environment reads an object of names and values; numbers and booleans are taken as they are written.
func environment(text json.RawMessage) (*mesosv1.Environment, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, errors.New("want a JSON object of names and values")
	}
	e := &mesosv1.Environment{}
	for _, name := range sortedKeys(values) {
		value := string(values[name])
		switch value[0] {
		case '"':
			if err := json.Unmarshal(values[name], &value); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		case '{', '[', 'n':
			return nil, fmt.Errorf("%s: want a string, a number or a boolean", name)
		}
		e.Variables = append(e.Variables, &mesosv1.Environment_Variable{Name: proto.String(name), Value: proto.String(value)})
	}
	return e, nil
}

// container is what the container flags say; nil if they say nothing.
func (f *flagSet) container() (*mesosv1.ContainerInfo, error) {
	c := &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum()}
	var err error
	if f.volumes.IsSet() {
		if c.Volumes, err = mesosjson.UnmarshalArray[mesosv1.Volume](f.volumes.Get()); err != nil {
			return nil, fmt.Errorf("--volumes: %w", err)
		}
	}
	for _, name := range strings.Split(f.networks.Get(), ",") {
		if name = strings.TrimSpace(name); name != "" {
			c.NetworkInfos = append(c.NetworkInfos, &mesosv1.NetworkInfo{Name: proto.String(name)})
		}
	}
	if f.rlimits.IsSet() {
		c.RlimitInfo = &mesosv1.RLimitInfo{}
		if err := mesosjson.Unmarshal(f.rlimits.Get(), c.RlimitInfo); err != nil {
			return nil, fmt.Errorf("--rlimits: %w", err)
		}
	}
	if f.effective.IsSet() || f.bounding.IsSet() {
		c.LinuxInfo = &mesosv1.LinuxInfo{}
	}
	if f.effective.IsSet() {
		c.LinuxInfo.EffectiveCapabilities = &mesosv1.CapabilityInfo{}
		if err := mesosjson.Unmarshal(f.effective.Get(), c.LinuxInfo.EffectiveCapabilities); err != nil {
			return nil, fmt.Errorf("--effective_capabilities: %w", err)
		}
	}
	if f.bounding.IsSet() {
		c.LinuxInfo.BoundingCapabilities = &mesosv1.CapabilityInfo{}
		if err := mesosjson.Unmarshal(f.bounding.Get(), c.LinuxInfo.BoundingCapabilities); err != nil {
			return nil, fmt.Errorf("--bounding_capabilities: %w", err)
		}
	}
	if f.tty.Get() {
		c.TtyInfo = &mesosv1.TTYInfo{}
	}
	if image := f.image(); image != nil {
		c.Mesos = &mesosv1.ContainerInfo_MesosInfo{Image: image}
	}
	if proto.Equal(c, &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum()}) {
		return nil, nil
	}
	return c, nil
}

// image is the image that a flag names; nil if none does.
func (f *flagSet) image() *mesosv1.Image {
	switch {
	case f.dockerImage.IsSet():
		return &mesosv1.Image{Type: mesosv1.Image_DOCKER.Enum(), Docker: &mesosv1.Image_Docker{Name: proto.String(f.dockerImage.Get())}}
	case f.appcImage.IsSet():
		return &mesosv1.Image{Type: mesosv1.Image_APPC.Enum(), Appc: &mesosv1.Image_Appc{Name: proto.String(f.appcImage.Get())}}
	default:
		return nil
	}
}

// ids are the ids of the tasks, in order.
func (w *work) ids() []string {
	ids := make([]string, len(w.tasks))
	for i, task := range w.tasks {
		ids[i] = task.GetTaskId().GetValue()
	}
	return ids
}

// place makes of the work and an offer the operation that launches it, and says whether the offer covers it. The work
// is not changed.
func (w *work) place(offer *mesosv1.Offer, framework *mesosv1.FrameworkID) (*mesosv1.Offer_Operation, bool, error) {
	left, err := resources.New(offer.GetResources())
	if err != nil {
		return nil, false, fmt.Errorf("offer %s: %w", offer.GetId().GetValue(), err)
	}
	left = left.Unallocate()
	take := func(list []*mesosv1.Resource) ([]*mesosv1.Resource, bool, error) {
		wanted, err := resources.New(list)
		if err != nil {
			return nil, false, err
		}
		found, ok := left.Find(wanted)
		if !ok {
			return nil, false, nil
		}
		left = left.Sub(found)
		return found.Messages(), true, nil
	}
	var tasks []*mesosv1.TaskInfo
	for _, template := range w.tasks {
		task := proto.CloneOf(template)
		task.AgentId = offer.GetAgentId()
		var ok bool
		if task.Resources, ok, err = take(task.GetResources()); err != nil || !ok {
			return nil, false, err
		}
		if task.Executor != nil {
			if task.Executor.Resources, ok, err = take(task.Executor.GetResources()); err != nil || !ok {
				return nil, false, err
			}
		}
		tasks = append(tasks, task)
	}
	if w.executor == nil {
		return &mesosv1.Offer_Operation{
			Type: mesosv1.Offer_Operation_LAUNCH.Enum(), Launch: &mesosv1.Offer_Operation_Launch{TaskInfos: tasks},
		}, true, nil
	}
	executor := proto.CloneOf(w.executor)
	executor.FrameworkId = framework
	found, ok, err := take(executor.GetResources())
	if err != nil || !ok {
		return nil, false, err
	}
	executor.Resources = found
	return &mesosv1.Offer_Operation{
		Type: mesosv1.Offer_Operation_LAUNCH_GROUP.Enum(),
		LaunchGroup: &mesosv1.Offer_Operation_LaunchGroup{
			Executor: executor, TaskGroup: &mesosv1.TaskGroupInfo{Tasks: tasks},
		},
	}, true, nil
}
