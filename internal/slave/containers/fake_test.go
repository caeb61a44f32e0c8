package containers_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/isolator"
)

// script is what fake modules do, and have done. A step is called "who what", and behind
// that the container if it is not the usual one.
type script struct {
	mu      sync.Mutex
	steps   []string
	fails   map[string]error
	blocks  map[string]chan struct{} // a step waits for it, or for its ctx
	hangs   map[string]bool          // the same, but not for its ctx
	reached chan string              // steps that wait
	infos   map[string]*slave.ContainerLaunchInfo
	engines map[string]*engine
	limits  map[string]func(*slave.ContainerLimitation)
}

var errBroken = errors.New("broken on purpose")

func newScript() *script {
	return &script{fails: map[string]error{}, blocks: map[string]chan struct{}{}, hangs: map[string]bool{}, reached: make(chan string, 16),
		infos: map[string]*slave.ContainerLaunchInfo{}, engines: map[string]*engine{}, limits: map[string]func(*slave.ContainerLimitation){}}
}

// block makes a step wait, and returns what lets it go.
func (s *script) block(step string) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan struct{})
	s.blocks[step] = c
	return sync.OnceFunc(func() { close(c) })
}

func (s *script) fail(step string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails[step] = err
}

func (s *script) do(ctx context.Context, step string, id *mesosv1.ContainerID) error {
	if n := name(id); n != "one" {
		step += " " + n
	}
	s.mu.Lock()
	s.steps = append(s.steps, step)
	wait, hangs, err := s.blocks[step], s.hangs[step], s.fails[step]
	s.mu.Unlock()
	if wait == nil {
		return err
	}
	s.reached <- step
	if hangs {
		<-wait
		return err
	}
	select {
	case <-wait:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// done returns the steps so far. Those that go on at once are sorted.
func (s *script) done() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.steps)
	for i := range all {
		if strings.Contains(all[i], " isolate") {
			j := i
			for j < len(all) && strings.Contains(all[j], " isolate") {
				j++
			}
			slices.Sort(all[i:j])
		}
	}
	return all
}

func (s *script) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = nil
}

// watcher is a fake isolator.
type watcher struct {
	isolator.Unimplemented
	*script
	name    string
	nesting bool
}

func (w *watcher) SupportsNesting(context.Context) (bool, error)    { return w.nesting, nil }
func (w *watcher) SupportsStandalone(context.Context) (bool, error) { return w.nesting, nil }
func (w *watcher) Recover(_ context.Context, states []*slave.ContainerState, orphans []*mesosv1.ContainerID) error {
	step := w.name + " recover"
	for _, s := range states {
		step += " " + name(s.GetContainerId())
	}
	for _, o := range orphans {
		step += " orphan " + name(o)
	}
	return w.do(context.Background(), step, id("one"))
}
func (w *watcher) Prepare(ctx context.Context, c *mesosv1.ContainerID, _ *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	err := w.do(ctx, w.name+" prepare", c)
	return w.infos[w.name], err
}
func (w *watcher) Watch(ctx context.Context, c *mesosv1.ContainerID, sink func(*slave.ContainerLimitation)) error {
	err := w.do(ctx, w.name+" watch", c)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limits[w.name] = sink
	return err
}
func (w *watcher) Isolate(ctx context.Context, c *mesosv1.ContainerID, pid int32) error {
	if pid != 42 {
		return errors.New("another process")
	}
	return w.do(ctx, w.name+" isolate", c)
}
func (w *watcher) Update(ctx context.Context, c *mesosv1.ContainerID, _ []*mesosv1.Resource, _ *mesosv1.OfferFilters_ResourceQuantities) error {
	return w.do(ctx, w.name+" update", c)
}
func (w *watcher) Usage(ctx context.Context, c *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	if err := w.do(ctx, w.name+" usage", c); err != nil {
		return nil, err
	}
	if w.name == "second" {
		return nil, nil
	}
	return &mesosv1.ResourceStatistics{Timestamp: proto.Float64(1), Processes: proto.Uint32(3)}, nil
}
func (w *watcher) Status(ctx context.Context, c *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	return &mesosv1.ContainerStatus{NetworkInfos: []*mesosv1.NetworkInfo{{Name: proto.String(w.name)}}}, w.do(ctx, w.name+" status", c)
}
func (w *watcher) Cleanup(ctx context.Context, c *mesosv1.ContainerID) error {
	return w.do(ctx, w.name+" cleanup", c)
}

// engine is a fake containerizer, with its logger.
type engine struct {
	containerizer.Unimplemented
	*script
	name    string
	refuses bool
	silent  bool                    // no output comes
	states  []*slave.ContainerState // to be recovered
	orphans []*mesosv1.ContainerID
	launch  *slave.ContainerLaunchInfo // the last
	sinks   map[string]func(*slave.ContainerTermination)
	ended   map[string]*slave.ContainerTermination // by End
}

func (e *engine) Recover(context.Context, []*slave.ContainerState) (*slave.ContainerRecoverInfo, error) {
	err := e.do(context.Background(), e.name+" recover", id("one"))
	return &slave.ContainerRecoverInfo{CheckpointedContainerStates: e.states, OrphanContainerIds: e.orphans}, err
}
func (e *engine) Supports(ctx context.Context, c *mesosv1.ContainerID, _ *slave.ContainerConfig) (bool, error) {
	return !e.refuses, e.do(ctx, e.name+" supports", c)
}
func (e *engine) Launch(ctx context.Context, c *mesosv1.ContainerID, _ *slave.ContainerConfig, launch *slave.ContainerLaunchInfo,
	_ *slave.ContainerIO) (int32, error) {
	e.launch = launch
	return 42, e.do(ctx, e.name+" launch", c)
}
func (e *engine) Watch(ctx context.Context, c *mesosv1.ContainerID, sink func(*slave.ContainerTermination)) error {
	e.mu.Lock()
	e.sinks[name(c)] = sink
	e.mu.Unlock()
	return e.do(ctx, e.name+" watch", c)
}
func (e *engine) Start(ctx context.Context, c *mesosv1.ContainerID) error {
	return e.do(ctx, e.name+" start", c)
}
func (e *engine) Update(ctx context.Context, c *mesosv1.ContainerID, _ []*mesosv1.Resource, limits *mesosv1.OfferFilters_ResourceQuantities) error {
	step := e.name + " update"
	for _, key := range slices.Sorted(maps.Keys(limits.GetQuantities())) {
		step += " " + key
	}
	return e.do(ctx, step, c)
}
func (e *engine) Usage(ctx context.Context, c *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	return &mesosv1.ResourceStatistics{Timestamp: proto.Float64(1), Processes: proto.Uint32(1), Threads: proto.Uint32(5)}, e.do(ctx, e.name+" usage", c)
}
func (e *engine) Status(ctx context.Context, c *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	return &mesosv1.ContainerStatus{ExecutorPid: proto.Uint32(42)}, e.do(ctx, e.name+" status", c)
}
func (e *engine) Kill(ctx context.Context, c *mesosv1.ContainerID, signal int32) (bool, error) {
	return signal == 15, e.do(ctx, e.name+" kill", c)
}
func (e *engine) Destroy(ctx context.Context, c *mesosv1.ContainerID) error {
	if err := e.do(ctx, e.name+" destroy", c); err != nil {
		return err
	}
	e.exit(c, 9)
	return nil
}
func (e *engine) End(ctx context.Context, c *mesosv1.ContainerID, t *slave.ContainerTermination) error {
	e.mu.Lock()
	e.ended[name(c)] = t
	e.mu.Unlock()
	return e.do(ctx, e.name+" end", c)
}
func (e *engine) Remove(ctx context.Context, c *mesosv1.ContainerID) error {
	return e.do(ctx, e.name+" remove", c)
}
func (e *engine) AttachInput(ctx context.Context, c *mesosv1.ContainerID, record *agent.ProcessIO) error {
	return e.do(ctx, e.name+" input "+string(record.GetData().GetData()), c)
}
func (e *engine) AttachOutput(ctx context.Context, c *mesosv1.ContainerID, sink func(*agent.ProcessIO)) error {
	if !e.silent {
		sink(nil)
	}
	return e.do(ctx, e.name+" output", c)
}
func (e *engine) PruneImages(ctx context.Context, _ []*mesosv1.Image) error {
	return e.do(ctx, e.name+" prune", id("one"))
}

// exit is the end of a container's processes; only the first counts.
func (e *engine) exit(c *mesosv1.ContainerID, status int32) {
	e.mu.Lock()
	sink := e.sinks[name(c)]
	delete(e.sinks, name(c))
	e.mu.Unlock()
	if sink != nil {
		sink(&slave.ContainerTermination{Status: &status})
	}
}

type logger struct{ *engine }

func (l logger) Prepare(ctx context.Context, c *mesosv1.ContainerID, _ *slave.ContainerConfig) (*slave.ContainerIO, error) {
	return &slave.ContainerIO{}, l.do(ctx, "logger prepare", c)
}

type fetched struct {
	hook.Unimplemented
	*script
}

func (f fetched) SlavePostFetchHook(ctx context.Context, c *mesosv1.ContainerID, _ string) error {
	return f.do(ctx, "hook", c)
}

// bench is a Service over fakes: the engines "big", which refuses everything, and "small",
// and the isolators "first" and "second"; the second wants no part in nested containers.
type bench struct {
	*containers.Service
	*script
	t          *testing.T
	big, small *engine
	log        *strings.Builder
}

func newBench(t *testing.T) *bench {
	b := unrecovered(t)
	_, err := b.Recover(t.Context(), nil)
	require.NoError(t, err)
	b.forget()
	return b
}

func unrecovered(t *testing.T) *bench {
	b := &bench{script: newScript(), t: t, log: &strings.Builder{}}
	make := func(name string) *engine {
		return &engine{script: b.script, name: name, sinks: map[string]func(*slave.ContainerTermination){}, ended: map[string]*slave.ContainerTermination{}}
	}
	b.big, b.small = make("big"), make("small")
	b.big.refuses = true
	b.Service = containers.New(containers.Config{
		Engines: []containers.Engine{{Name: "big", Containerizer: b.big, Logger: logger{b.big}}, {Name: "small", Containerizer: b.small, Logger: logger{b.small}}},
		Isolators: []containers.Isolator{{Name: "first", Isolator: &watcher{script: b.script, name: "first", nesting: true}},
			{Name: "second", Isolator: &watcher{script: b.script, name: "second"}}},
		Hooks: []hook.Hook{fetched{script: b.script}},
		Fetch: func(ctx context.Context, r containers.FetchRequest) error {
			return b.do(ctx, "fetch "+r.Command.GetUris()[0].GetValue()+" for "+r.User, r.Container)
		},
		SwitchUser: true, SandboxDirectory: "/mnt/mesos/sandbox",
		Log: slog.New(slog.NewTextHandler(&locked{b: b}, nil)),
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		assert.NoError(t, b.Close(ctx))
	})
	return b
}

// locked writes to the bench's log.
type locked struct{ b *bench }

func (l *locked) Write(data []byte) (int, error) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	return l.b.log.Write(data)
}

func (b *bench) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

func (b *bench) request(values ...string) containers.LaunchRequest {
	folder, err := os.MkdirTemp(b.t.TempDir(), "")
	require.NoError(b.t, err)
	return containers.LaunchRequest{ID: id(values...), Config: &slave.ContainerConfig{
		Directory:    proto.String(folder),
		User:         proto.String("nobody"),
		CommandInfo:  &mesosv1.CommandInfo{Value: proto.String("true"), Uris: []*mesosv1.CommandInfo_URI{{Value: proto.String("file")}}},
		ExecutorInfo: &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")}},
		Resources: []*mesosv1.Resource{{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(2)}},
			{Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(32)}}},
	}}
}

func (b *bench) launched(values ...string) {
	b.t.Helper()
	outcome, err := b.Launch(b.t.Context(), b.request(values...))
	require.NoError(b.t, err)
	require.Equal(b.t, containers.Success, outcome)
}

// launching starts a launch that waits at a step, and returns what Launch returns.
func (b *bench) launching(ctx context.Context, step string) (failed <-chan error, release func()) {
	b.t.Helper()
	release = b.block(step)
	result := make(chan error, 1)
	request := b.request("one")
	go func() {
		_, err := b.Launch(ctx, request)
		result <- err
	}()
	require.Equal(b.t, step, <-b.reached)
	return result, release
}
