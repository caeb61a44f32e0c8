package spec

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/seccomp"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func ExampleCommandOf() {
	image := &v1.ImageConfig{Entrypoint: []string{"/serve"}, Cmd: []string{"--port=80"}}
	own, _ := CommandOf(&mesosv1.CommandInfo{Shell: proto.Bool(false)}, image)
	arguments, _ := CommandOf(&mesosv1.CommandInfo{Shell: proto.Bool(false), Arguments: []string{"--port=8080"}}, image)
	shell, _ := CommandOf(&mesosv1.CommandInfo{Value: proto.String("echo hello")}, image)
	fmt.Println(own, arguments, shell)
	// Output: [/serve --port=80] [/serve --port=8080] [/bin/sh -c echo hello]
}

// Upstream's table of what runs for command and image.
func TestCommandOf(t *testing.T) {
	program := func(value string, arguments ...string) *mesosv1.CommandInfo {
		info := &mesosv1.CommandInfo{Shell: proto.Bool(false), Arguments: arguments}
		if value != "" {
			info.Value = &value
		}
		return info
	}
	image := func(entry, cmd []string) *v1.ImageConfig { return &v1.ImageConfig{Entrypoint: entry, Cmd: cmd} }
	words := func(text string) []string { return strings.Fields(text) }
	for name, one := range map[string]struct {
		command   *mesosv1.CommandInfo
		image     *v1.ImageConfig
		want, err string
	}{
		"a program":                           {program("/p", "p", "a"), nil, "/p a", ""},
		"a program without arguments":         {program("/p"), image(words("e"), words("c")), "/p", ""},
		"nothing, without an image":           {program(""), nil, "", "has no value"},
		"nothing, and nothing in the image":   {program(""), image(nil, nil), "", "names no program"},
		"arguments, and nothing in the image": {program("", "a"), image(nil, nil), "", "names no program"},
		"the image's command":                 {program(""), image(nil, words("c d")), "c d", ""},
		"the image's command with arguments":  {program("", "a"), image(nil, words("c d")), "c a", ""},
		"the entry point":                     {program(""), image(words("e f"), nil), "e f", ""},
		"the entry point and the command":     {program(""), image(words("e f"), words("c")), "e f c", ""},
		"the entry point with arguments":      {program("", "a"), image(words("e f"), words("c")), "e f a", ""},
		"an empty entry point":                {program(""), image([]string{""}, nil), "", "names no program"},
		"a shell without a line":              {&mesosv1.CommandInfo{Shell: proto.Bool(true)}, image(words("e"), nil), "", "has no value"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := CommandOf(one.command, one.image)
			if one.err != "" {
				require.ErrorContains(t, err, one.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, one.want, strings.Join(got, " "))
		})
	}
}

func variable(name, value string) *mesosv1.Environment_Variable {
	return &mesosv1.Environment_Variable{Name: &name, Value: &value}
}

// request is a container in an image, with a shell command.
func request(t *testing.T) Request {
	folder := t.TempDir()
	command := &mesosv1.CommandInfo{Value: proto.String("true")}
	return Request{
		Config: &slave.ContainerConfig{Directory: &folder, CommandInfo: command},
		Launch: &slave.ContainerLaunchInfo{Command: command, WorkingDirectory: &folder},
		Image:  &v1.ImageConfig{}, Sandbox: "/mnt/mesos/sandbox", Cgroup: "/groups/c",
	}
}

func mountOn(t *testing.T, s *specs.Spec, destination string) specs.Mount {
	t.Helper()
	for _, m := range s.Mounts {
		if m.Destination == destination {
			return m
		}
	}
	require.Fail(t, "there is no mount on "+destination)
	return specs.Mount{}
}

func TestEnvironmentAndFolder(t *testing.T) {
	r := request(t)
	r.Launch.Environment = &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{
		variable("MESOS_SANDBOX", r.Config.GetDirectory()), variable("A", "agent's"), variable("A", "later"),
		variable("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
		{Name: proto.String("S"), Type: mesosv1.Environment_Variable_SECRET.Enum()},
	}}
	r.Image.Env = []string{"A=image's", "B=image's", "PATH=/image"}
	s, err := Build(r)
	require.NoError(t, err)
	assert.Equal(t, []string{"A=later", "B=image's", "PATH=/image", "MESOS_SANDBOX=/mnt/mesos/sandbox"}, s.Process.Env)
	assert.Equal(t, "/mnt/mesos/sandbox", s.Process.Cwd)
	r.Image.WorkingDir = "/image"
	s, err = Build(r)
	require.NoError(t, err)
	assert.Equal(t, "/image", s.Process.Cwd)
	r.Launch.WorkingDirectory = proto.String("/isolator")
	r.Launch.Environment.Variables = append(r.Launch.Environment.Variables, variable("PATH", "/task"))
	s, err = Build(r)
	require.NoError(t, err)
	assert.Equal(t, "/isolator", s.Process.Cwd)
	assert.Contains(t, s.Process.Env, "PATH=/task")

	r.Image = nil
	r.Launch.WorkingDirectory = nil
	s, err = Build(r)
	require.NoError(t, err)
	assert.Equal(t, r.Config.GetDirectory(), s.Process.Cwd)
	assert.Contains(t, s.Process.Env, "MESOS_SANDBOX="+r.Config.GetDirectory())
	assert.Equal(t, "/dev", s.Mounts[0].Destination, "else the runtime would put links into the host's")
	assert.Equal(t, "bind", s.Mounts[0].Type)
	assert.Len(t, s.Mounts, 1)
	assert.Equal(t, []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}, s.Linux.Resources.Devices)
}

func TestPrivileges(t *testing.T) {
	r := request(t)
	s, err := Build(r)
	require.NoError(t, err)
	assert.Equal(t, defaultCapabilities, s.Process.Capabilities.Bounding)
	assert.Empty(t, s.Process.Capabilities.Ambient)
	assert.Contains(t, s.Linux.MaskedPaths, "/proc/kcore")
	assert.Equal(t, specs.User{}, s.Process.User)

	capabilities := func(all ...mesosv1.CapabilityInfo_Capability) *mesosv1.CapabilityInfo {
		return &mesosv1.CapabilityInfo{Capabilities: all}
	}
	r.Launch.EffectiveCapabilities = capabilities(mesosv1.CapabilityInfo_NET_RAW)
	r.Launch.BoundingCapabilities = capabilities(mesosv1.CapabilityInfo_NET_RAW, mesosv1.CapabilityInfo_KILL)
	r.Launch.NoNewPrivileges = proto.Bool(true)
	r.Launch.User, r.Launch.SupplementaryGroups = proto.String("nobody"), []uint32{4321}
	r.Launch.MaskedPaths = []string{"/secret"}
	r.Launch.Rlimits = &mesosv1.RLimitInfo{Rlimits: []*mesosv1.RLimitInfo_RLimit{
		{Type: mesosv1.RLimitInfo_RLimit_RLMT_NOFILE.Enum(), Soft: proto.Uint64(9), Hard: proto.Uint64(10)},
		{Type: mesosv1.RLimitInfo_RLimit_RLMT_CORE.Enum()}}}
	s, err = Build(r)
	require.NoError(t, err)
	one := []string{"CAP_NET_RAW"}
	assert.Equal(t, &specs.LinuxCapabilities{Effective: one, Permitted: one, Inheritable: one, Ambient: one,
		Bounding: []string{"CAP_NET_RAW", "CAP_KILL"}}, s.Process.Capabilities)
	assert.True(t, s.Process.NoNewPrivileges)
	assert.Equal(t, uint32(65534), s.Process.User.UID)
	assert.Contains(t, s.Process.User.AdditionalGids, uint32(4321))
	assert.Contains(t, s.Linux.MaskedPaths, "/secret")
	assert.Equal(t, []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 9, Hard: 10}, {Type: "RLIMIT_CORE", Soft: math.MaxUint64, Hard: math.MaxUint64}}, s.Process.Rlimits)

	r.Launch.Rlimits.Rlimits[0].Hard = nil
	_, err = Build(r)
	require.ErrorContains(t, err, "together, or neither")
	r.Launch.Rlimits = &mesosv1.RLimitInfo{Rlimits: []*mesosv1.RLimitInfo_RLimit{{}}}
	_, err = Build(r)
	require.ErrorContains(t, err, "Linux has none of that name")
	r.Launch.Rlimits = nil
	r.Launch.User = proto.String("no such user")
	_, err = Build(r)
	require.ErrorContains(t, err, `there is no user "no such user"`)
}

func TestNamespaces(t *testing.T) {
	r := request(t)
	s, err := Build(r)
	require.NoError(t, err)
	assert.Equal(t, []specs.LinuxNamespace{{Type: specs.MountNamespace}}, s.Linux.Namespaces, "all others are the host's")
	r.Launch.CloneNamespaces = []int32{unix.CLONE_NEWPID, unix.CLONE_NEWIPC | unix.CLONE_NEWNS}
	s, err = Build(r)
	require.NoError(t, err)
	assert.ElementsMatch(t, []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}}, s.Linux.Namespaces)
	r.Image = nil
	s, err = Build(r)
	require.NoError(t, err)
	assert.Equal(t, "proc", mountOn(t, s, "/proc").Type, "the host's shows other ids")

	r = request(t)
	r.Parent = &Parent{Pid: os.Getpid(), Directory: t.TempDir()}
	s, err = Build(r)
	require.NoError(t, err)
	assert.Len(t, s.Linux.Namespaces, 1, "the parent has the host's")
	r.Parent.Pid = 1 << 30
	_, err = Build(r)
	require.ErrorContains(t, err, "the namespaces of the container's parent")
	r.Launch.CloneNamespaces = []int32{unix.CLONE_NEWUSER}
	_, err = Build(r)
	require.ErrorContains(t, err, "user namespace")
}

func TestLimits(t *testing.T) {
	resource := func(name string, value float64) *mesosv1.Resource {
		return &mesosv1.Resource{Name: &name, Scalar: &mesosv1.Value_Scalar{Value: &value}}
	}
	limit := func(value float64) *mesosv1.Value_Scalar { return &mesosv1.Value_Scalar{Value: &value} }
	for name, one := range map[string]struct {
		requests []*mesosv1.Resource
		limits   map[string]*mesosv1.Value_Scalar
		want     string
	}{
		"nothing":             {nil, nil, `{}`},
		"requests":            {[]*mesosv1.Resource{resource("cpus", 0.5), resource("cpus", 0.25), resource("mem", 64)}, nil, `{"memory":{"limit":67108864,"reservation":67108864},"cpu":{"shares":768}}`},
		"the least there is":  {[]*mesosv1.Resource{resource("cpus", 0.0001), resource("mem", 1)}, map[string]*mesosv1.Value_Scalar{"cpus": limit(0.001)}, `{"memory":{"limit":33554432,"reservation":33554432},"cpu":{"shares":2,"quota":1000,"period":100000}}`},
		"limits":              {[]*mesosv1.Resource{resource("cpus", 1), resource("mem", 64)}, map[string]*mesosv1.Value_Scalar{"cpus": limit(2), "mem": limit(128)}, `{"memory":{"limit":134217728,"reservation":67108864},"cpu":{"shares":1024,"quota":200000,"period":100000}}`},
		"limits without ends": {[]*mesosv1.Resource{resource("cpus", 1), resource("mem", 64)}, map[string]*mesosv1.Value_Scalar{"cpus": limit(math.Inf(1)), "mem": limit(math.Inf(1))}, `{"memory":{"limit":-1,"reservation":67108864},"cpu":{"shares":1024,"quota":-1,"period":100000}}`},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(Resources(one.requests, one.limits))
			require.NoError(t, err)
			assert.JSONEq(t, one.want, string(text))
		})
	}
	r := request(t)
	r.Config.Resources = []*mesosv1.Resource{resource("mem", 64)}
	r.Parent = &Parent{Pid: os.Getpid()}
	s, err := Build(r)
	require.NoError(t, err)
	assert.Nil(t, s.Linux.Resources.Memory, "it shares what its root has")
	r.Config.ContainerInfo = &mesosv1.ContainerInfo{LinuxInfo: &mesosv1.LinuxInfo{ShareCgroups: proto.Bool(false)}}
	s, err = Build(r)
	require.NoError(t, err)
	assert.NotNil(t, s.Linux.Resources.Memory)
}

func TestTheExecutorOfATask(t *testing.T) {
	r := request(t)
	program := filepath.Join(t.TempDir(), "mesos-executor")
	r.Config.TaskInfo = &mesosv1.TaskInfo{Command: &mesosv1.CommandInfo{Shell: proto.Bool(false), Arguments: []string{"hello"}}}
	r.Launch.Command = &mesosv1.CommandInfo{Shell: proto.Bool(false), Value: &program, Arguments: []string{"mesos-executor", "--launcher_dir=/x"}}
	r.Image.Entrypoint = []string{"/bin/echo"}
	_, err := Build(r)
	require.ErrorContains(t, err, "the executor: ")
	require.NoError(t, os.WriteFile(program, nil, 0o755))
	s, err := Build(r)
	require.NoError(t, err)
	assert.Equal(t, bind(program, program, true), mountOn(t, s, program))
	require.Len(t, s.Process.Args, 3)
	assert.Equal(t, []string{program, "--launcher_dir=/x"}, s.Process.Args[:2])
	text, ok := strings.CutPrefix(s.Process.Args[2], "--task_command=")
	require.True(t, ok)
	assert.JSONEq(t, `{"shell":false,"value":"/bin/echo","arguments":["/bin/echo","hello"]}`, text)
	r.Config.TaskInfo.Command = &mesosv1.CommandInfo{Value: proto.String("echo hello")}
	s, err = Build(r)
	require.NoError(t, err)
	assert.Len(t, s.Process.Args, 2, "the task says itself what to run")
	r.Image.Entrypoint = nil
	r.Config.TaskInfo.Command = &mesosv1.CommandInfo{Shell: proto.Bool(false)}
	_, err = Build(r)
	require.ErrorContains(t, err, "names no program")
}

func TestDebug(t *testing.T) {
	parent := &specs.Process{Args: []string{"old"}, Env: []string{"A=parent", "B=parent"}, Cwd: "/parent", Terminal: true,
		ConsoleSize: &specs.Box{}, User: specs.User{UID: 7}, Capabilities: &specs.LinuxCapabilities{Bounding: []string{"CAP_KILL"}}}
	launch := &slave.ContainerLaunchInfo{Command: &mesosv1.CommandInfo{Value: proto.String("id")},
		Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{variable("A", "own")}}}
	got, err := Debug(&slave.ContainerConfig{}, launch, parent)
	require.NoError(t, err)
	assert.Equal(t, &specs.Process{Args: []string{"/bin/sh", "-c", "id"}, Env: []string{"A=own", "B=parent"}, Cwd: "/parent",
		User: specs.User{UID: 7}, Capabilities: parent.Capabilities}, got)
	launch.User, launch.WorkingDirectory = proto.String("nobody"), proto.String("/own")
	config := &slave.ContainerConfig{ContainerInfo: &mesosv1.ContainerInfo{TtyInfo: &mesosv1.TTYInfo{
		WindowSize: &mesosv1.TTYInfo_WindowSize{Rows: proto.Uint32(3), Columns: proto.Uint32(4)}}}}
	got, err = Debug(config, launch, parent)
	require.NoError(t, err)
	assert.Equal(t, uint32(65534), got.User.UID)
	assert.Equal(t, "/own", got.Cwd)
	assert.True(t, got.Terminal)
	assert.Equal(t, &specs.Box{Height: 3, Width: 4}, got.ConsoleSize)
	_, err = Debug(config, &slave.ContainerLaunchInfo{}, parent)
	require.ErrorContains(t, err, "no value")
	_, err = Debug(config, &slave.ContainerLaunchInfo{Command: launch.Command, User: proto.String("no such user")}, parent)
	require.ErrorContains(t, err, "there is no user")
}

func TestWhatIsRefused(t *testing.T) {
	for what, change := range map[string]func(*slave.ContainerLaunchInfo){
		"a root file system": func(l *slave.ContainerLaunchInfo) { l.Rootfs = proto.String("/r") },
		"commands before":    func(l *slave.ContainerLaunchInfo) { l.PreExecCommands = []*mesosv1.CommandInfo{{}} },
		"file operations":    func(l *slave.ContainerLaunchInfo) { l.FileOperations = []*slave.ContainerFileOperation{{}} },
		"a seccomp profile":  func(l *slave.ContainerLaunchInfo) { l.SeccompProfile = &seccomp.ContainerSeccompProfile{} },
		"a terminal":         func(l *slave.ContainerLaunchInfo) { l.TtySlavePath = proto.String("/dev/pts/1") },
	} {
		r := request(t)
		change(r.Launch)
		_, err := Build(r)
		require.ErrorContains(t, err, what)
		require.ErrorContains(t, err, "leave it out of --isolation")
		_, err = Debug(r.Config, r.Launch, &specs.Process{})
		require.ErrorContains(t, err, what)
	}
}
