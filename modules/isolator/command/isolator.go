package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/roles/isolator"
)

// commands is the isolator.
type commands struct {
	isolator.Unimplemented
	programs map[string][]string // by step, as words
	nested   bool
	log      *slog.Logger
	run      *runner

	mu         sync.Mutex
	containers map[string]*container
}

var (
	_ isolator.Isolator = (*commands)(nil)
	_ facade.Closer     = (*commands)(nil)
)

// container is one that the module was asked to prepare, or that Recover named.
type container struct {
	pid   int32 // 0 if it is not known
	watch *watch
}

func newIsolator(programs map[string][]string, nested bool, log *slog.Logger, run *runner) *commands {
	return &commands{programs: programs, nested: nested, log: log, run: run, containers: map[string]*container{}}
}

// SupportsNesting is for the operator to say.
func (c *commands) SupportsNesting(context.Context) (bool, error) { return c.nested, nil }

// SupportsStandalone is true: a program can look at what it is called for.
func (c *commands) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Recover takes up the containers and tells the program of all at once.
func (c *commands) Recover(ctx context.Context, states []*slave.ContainerState, orphans []*mesosv1.ContainerID) error {
	c.mu.Lock()
	for _, s := range states {
		c.containers[key(s.GetContainerId())] = &container{pid: int32(s.GetPid())}
	}
	for _, id := range orphans {
		c.containers[key(id)] = &container{}
	}
	c.mu.Unlock()
	_, err := c.call(ctx, stepRecover, nil, 0, func() []byte { return recoverDocument(states, orphans) })
	return err
}

// Prepare asks what is to be done at the launch.
func (c *commands) Prepare(ctx context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	c.mu.Lock()
	c.containers[key(id)] = &container{}
	c.mu.Unlock()
	return ask(ctx, c, stepPrepare, id, 0, func() []byte { return prepareDocument(id, config) }, &slave.ContainerLaunchInfo{})
}

// Isolate tells the process, and begins to watch it.
func (c *commands) Isolate(ctx context.Context, id *mesosv1.ContainerID, pid int32) error {
	c.mu.Lock()
	if known := c.containers[key(id)]; known != nil {
		known.pid = pid
	}
	c.mu.Unlock()
	if _, err := c.call(ctx, stepIsolate, id, pid, of(stepIsolate, id, pid)); err != nil {
		return err
	}
	return c.begin(id)
}

// Watch notes who is to be told; of a recovered container the program starts at once.
func (c *commands) Watch(ctx context.Context, id *mesosv1.ContainerID, sink func(*slave.ContainerLimitation)) error {
	if c.programs[stepWatch] == nil {
		return nil
	}
	c.mu.Lock()
	known := c.containers[key(id)]
	if known == nil {
		c.mu.Unlock()
		return fmt.Errorf("container %s is not known", key(id))
	}
	known.watch = newWatch(ctx, sink)
	recovered := known.pid != 0
	c.mu.Unlock()
	if recovered {
		return c.begin(id)
	}
	return nil
}

// begin starts the program of watch, where there is one and somebody to be told.
func (c *commands) begin(id *mesosv1.ContainerID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.containers[key(id)]
	if known == nil || known.watch == nil {
		return nil
	}
	return known.watch.begin(c.run, c.programs[stepWatch], variables(stepWatch, id, known.pid), containerDocument(stepWatch, id, known.pid))
}

// Update tells the new resources.
func (c *commands) Update(ctx context.Context, id *mesosv1.ContainerID, requests []*mesosv1.Resource, limits *mesosv1.OfferFilters_ResourceQuantities) error {
	_, err := c.call(ctx, stepUpdate, id, c.pid(id), func() []byte { return updateDocument(id, requests, limits) })
	return err
}

// Usage asks the program. An answer without a time is of now.
func (c *commands) Usage(ctx context.Context, id *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	pid := c.pid(id)
	return ask(ctx, c, stepUsage, id, pid, of(stepUsage, id, pid), &mesosv1.ResourceStatistics{})
}

// Status asks the program.
func (c *commands) Status(ctx context.Context, id *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	pid := c.pid(id)
	return ask(ctx, c, stepStatus, id, pid, of(stepStatus, id, pid), &mesosv1.ContainerStatus{})
}

// Cleanup ends the program of watch and calls the step's own.
func (c *commands) Cleanup(ctx context.Context, id *mesosv1.ContainerID) error {
	c.mu.Lock()
	known := c.containers[key(id)]
	delete(c.containers, key(id))
	c.mu.Unlock()
	if known == nil {
		return nil
	}
	known.watch.stop()
	_, err := c.call(ctx, stepCleanup, id, known.pid, of(stepCleanup, id, 0))
	return err
}

// Close ends the programs that watch. The containers go on; the next agent watches them.
func (c *commands) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, known := range c.containers {
		known.watch.stop()
	}
	clear(c.containers)
	return nil
}

func (c *commands) pid(id *mesosv1.ContainerID) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.containers[key(id)]; known != nil {
		return known.pid
	}
	return 0
}

// call runs a step's program; without one it does nothing.
func (c *commands) call(ctx context.Context, step string, id *mesosv1.ContainerID, pid int32, document func() []byte) ([]byte, error) {
	words := c.programs[step]
	if words == nil {
		return nil, nil
	}
	return c.run.run(ctx, step, words, variables(step, id, pid), document())
}

// ask runs a step's program and reads its answer into out; nil is no answer.
func ask[T proto.Message](ctx context.Context, c *commands, step string, id *mesosv1.ContainerID, pid int32, document func() []byte, out T) (T, error) {
	var none T
	text, err := c.call(ctx, step, id, pid, document)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return none, err
	}
	if err := read(text, out); err != nil {
		c.run.failures.Add(1)
		return none, fmt.Errorf("the program %s of step %s: its answer: %w", c.programs[step][0], step, err)
	}
	return out, nil
}

// read fills in the one field that programs may leave out although it is required.
func read(text []byte, out proto.Message) error {
	err := mesosjson.Unmarshal(text, out)
	var missing *mesosjson.MissingError
	statistics, ok := out.(*mesosv1.ResourceStatistics)
	if !ok || statistics.Timestamp != nil || err != nil && !errors.As(err, &missing) {
		return err
	}
	statistics.Timestamp = proto.Float64(float64(time.Now().UnixNano()) / 1e9)
	return proto.CheckInitialized(statistics)
}

func of(step string, id *mesosv1.ContainerID, pid int32) func() []byte {
	return func() []byte { return containerDocument(step, id, pid) }
}

// variables are what a script can do with that would rather not read JSON.
func variables(step string, id *mesosv1.ContainerID, pid int32) []string {
	all := []string{"MESOS_ISOLATOR_STEP=" + step}
	if id != nil {
		all = append(all, "MESOS_CONTAINER_ID="+key(id))
	}
	if pid != 0 {
		all = append(all, "MESOS_CONTAINER_PID="+strconv.Itoa(int(pid)))
	}
	return all
}

func key(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return key(id.GetParent()) + "/" + id.GetValue()
}
