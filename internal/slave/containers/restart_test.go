package containers_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
	"github.com/mesos-modules/mms/roles/isolator"
)

// agentVariable makes the test binary an agent that is killed: its value is the folders
// of runtime, sandboxes and programs, and the step at which "held" stays.
const agentVariable = "MMS_TEST_AGENT"

// commands are the containers of that agent.
var commands = map[string]string{
	"lives":  "echo $$ > pid; exec sleep 1000",
	"ends":   "echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; exit 4",
	"orphan": "(setsid sh -c 'echo $$ > pid; exec sleep 1000' &); sleep 1000",
	"held":   "touch ran",
}

// beAgent launches the containers, says "ready" and waits for its end.
func beAgent(value string) {
	word := strings.Split(value, "|")
	runtime, work, program, step := word[0], word[1], word[2], word[3]
	must := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	made, err := mesos.Library.Modules[0].Declare().New(ctx, host{state: runtime}, facade.Parameters{
		{Key: "launcher_dir", Value: program}, {Key: "runtime_dir", Value: runtime}})
	must(err)
	logger, err := sandbox.Library.Modules[0].Declare().New(ctx, host{}, nil)
	must(err)
	s := newScript()
	s.block(step + " held")
	service := containers.New(containers.Config{
		Engines:   []containers.Engine{{Name: "mesos", Containerizer: made.(containerizer.Containerizer), Logger: logger.(containerlogger.ContainerLogger)}},
		Isolators: []containers.Isolator{{Name: "first", Isolator: pausing{&watcher{script: s, name: "first"}}}},
		Log:       slog.New(slog.DiscardHandler),
	})
	_, err = service.Recover(ctx, nil)
	must(err)
	launch := func(container string) error {
		directory := filepath.Join(work, container)
		must(os.MkdirAll(directory, 0o755))
		_, err := service.Launch(ctx, containers.LaunchRequest{ID: id(container), PIDFile: filepath.Join(work, container+".pid"),
			Config: &slave.ContainerConfig{Directory: &directory, CommandInfo: &mesosv1.CommandInfo{Value: proto.String(commands[container])},
				ExecutorInfo: state(container).ExecutorInfo}})
		return err
	}
	for _, container := range []string{"lives", "ends", "orphan"} {
		must(launch(container))
	}
	go func() { must(launch("held")) }()
	<-s.reached
	fmt.Println("ready")
	select {}
}

// pausing takes any process.
type pausing struct{ *watcher }

func (p pausing) Isolate(ctx context.Context, c *mesosv1.ContainerID, _ int32) error {
	return p.do(ctx, p.name+" isolate", c)
}

var _ isolator.Isolator = pausing{}

func TestAnAgentThatIsKilled(t *testing.T) {
	for _, step := range []string{"first prepare", "first watch", "first isolate"} {
		t.Run("while a container is at "+step, func(t *testing.T) { killAgent(t, step) })
	}
}

func killAgent(t *testing.T, step string) {
	r := &real{t: t, runtime: t.TempDir(), work: t.TempDir(), program: launcherDir(t)}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), agentVariable+"="+strings.Join([]string{r.runtime, r.work, r.program, step}, "|"))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	pids := map[string]int{}
	for _, c := range []string{"lives", "ends", "orphan"} {
		pids[c] = r.number(id(c), "pid")
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait(), "it was killed")

	for _, c := range []string{"lives", "ends", "orphan"} {
		assert.True(t, running(pids[c]), "%s ended with its agent", c)
	}
	require.NoError(t, os.WriteFile(filepath.Join(r.work, "ends", "go"), nil, 0o600))
	require.Eventually(t, func() bool { return !running(pids["ends"]) }, limit, time.Millisecond)

	known := []*slave.ContainerState{state("lives"), state("ends"), state("held")}
	for _, s := range known {
		s.Directory = proto.String(filepath.Join(r.work, s.GetContainerId().GetValue()))
	}
	recovered := r.begin(known)
	assert.Equal(t, []*mesosv1.ContainerID{id("orphan")}, recovered.Orphans)
	var lost []*mesosv1.ContainerID
	if step == "first prepare" {
		lost = []*mesosv1.ContainerID{id("held")} // it never had a process
	}
	assert.Equal(t, lost, recovered.Lost)

	termination, err := r.Wait(r.ctx(), id("ends"))
	require.NoError(t, err)
	assert.Equal(t, int32(4<<8), termination.GetStatus(), "of one that ended while there was no agent")
	if lost == nil {
		termination, err = r.Wait(r.ctx(), id("held"))
		require.NoError(t, err)
		assert.Nil(t, termination.Status)
	}
	if _, err = r.Wait(r.ctx(), id("orphan")); err != nil {
		require.ErrorIs(t, err, containers.ErrUnknown, "it is over already")
	}
	assert.False(t, running(pids["orphan"]))
	assert.Equal(t, []*mesosv1.ContainerID{id("lives")}, r.Containers())
	found, err := r.Kill(r.ctx(), id("lives"), int32(syscall.SIGTERM))
	require.NoError(t, err)
	assert.True(t, found)
	termination, err = r.Wait(r.ctx(), id("lives"))
	require.NoError(t, err)
	assert.Equal(t, int32(syscall.SIGTERM), termination.GetStatus())
	assert.NoFileExists(t, filepath.Join(r.work, "held", "ran"), "it was not started")
	left, err := os.ReadDir(filepath.Join(r.runtime, "containers"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAnAgentThatRestarts(t *testing.T) {
	r := newReal(t)
	r.launch(r.request(id("one"), "sleep 1000"))
	r.launch(r.request(id("one", "child"), "sleep 1000"))
	r.launch(r.request(id("one", "over"), "exit 3"))
	_, err := r.Wait(r.ctx(), id("one", "over"))
	require.NoError(t, err)
	debug := r.request(id("one", "debug"), "echo $$ > pid; exec sleep 1000")
	debug.Config.ContainerClass = slave.ContainerClass_DEBUG.Enum()
	debug.Config.CommandInfo.Value = proto.String("cd " + debug.Config.GetDirectory() + "; " + debug.Config.CommandInfo.GetValue())
	r.launch(debug)
	pid := r.number(id("one", "debug"), "pid")
	stop(t, r.Service, r.engine)

	root := state("one")
	recovered := r.begin([]*slave.ContainerState{root})
	assert.Len(t, recovered.Containers, 3)
	assert.Equal(t, []*mesosv1.ContainerID{id("one", "debug")}, recovered.Orphans, "nobody is attached to it any more")
	termination, err := r.Wait(r.ctx(), id("one", "over"))
	require.NoError(t, err)
	assert.Equal(t, int32(3<<8), termination.GetStatus())
	_, err = r.Wait(r.ctx(), id("one", "debug"))
	require.NoError(t, err)
	assert.False(t, running(pid))
	assert.Len(t, r.Containers(), 2)
	_, err = r.Destroy(r.ctx(), id("one"))
	require.NoError(t, err)
	assert.Empty(t, r.Containers())
	assert.NoDirExists(t, filepath.Join(r.runtime, "containers", "one"))
}
