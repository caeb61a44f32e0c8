package containers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/seccomp"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func variables(pairs ...string) *mesosv1.Environment {
	e := &mesosv1.Environment{}
	for i := 0; i < len(pairs); i += 2 {
		e.Variables = append(e.Variables, &mesosv1.Environment_Variable{Name: proto.String(pairs[i]), Value: proto.String(pairs[i+1])})
	}
	return e
}

func pairs(e *mesosv1.Environment) (all []string) {
	for _, v := range e.GetVariables() {
		all = append(all, v.GetName()+"="+v.GetValue())
	}
	return all
}

func TestOfSomeThingsThereCanBeOnlyOne(t *testing.T) {
	for what, info := range map[string]*slave.ContainerLaunchInfo{
		"the root file system":       {Rootfs: proto.String("/")},
		"the user":                   {User: proto.String("root")},
		"the command":                {Command: &mesosv1.CommandInfo{}},
		"the working directory":      {WorkingDirectory: proto.String("/")},
		"the effective capabilities": {EffectiveCapabilities: &mesosv1.CapabilityInfo{}},
		"the bounding capabilities":  {BoundingCapabilities: &mesosv1.CapabilityInfo{}},
		"the resource limits":        {Rlimits: &mesosv1.RLimitInfo{}},
		"the seccomp profile":        {SeccompProfile: &seccomp.ContainerSeccompProfile{DefaultAction: seccomp.ContainerSeccompProfile_Syscall_ACT_ALLOW.Enum()}},
		"the terminal":               {TtySlavePath: proto.String("/dev/pts/0")},
	} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t)
			b.infos["first"], b.infos["second"] = info, info
			_, err := b.Launch(t.Context(), b.request("one"))
			require.ErrorContains(t, err, "the isolators first and second both set "+what)
			assert.NotContains(t, b.done(), "small launch")

			b = newBench(t)
			b.infos["second"] = info
			b.launched("one")
		})
	}
}

func TestWhatIsolatorsWantAddsUp(t *testing.T) {
	b := newBench(t)
	b.infos["first"] = &slave.ContainerLaunchInfo{Environment: variables("A", "1"), PreExecCommands: []*mesosv1.CommandInfo{{Value: proto.String("1")}}, CloneNamespaces: []int32{1}}
	b.infos["second"] = &slave.ContainerLaunchInfo{Environment: variables("B", "2"), PreExecCommands: []*mesosv1.CommandInfo{{Value: proto.String("2")}}, CloneNamespaces: []int32{2}}
	before := proto.CloneOf(b.infos["first"])
	b.launched("one")
	assert.Equal(t, []int32{1, 2}, b.small.launch.GetCloneNamespaces())
	assert.Equal(t, "2", b.small.launch.GetPreExecCommands()[1].GetValue())
	assert.Equal(t, []string{"A=1", "B=2"}, pairs(b.small.launch.GetEnvironment())[1:3])
	assert.True(t, proto.Equal(before, b.infos["first"]), "what an isolator returned is not changed")
}

func TestWhatIsLaunched(t *testing.T) {
	t.Run("the environment is in upstream's order, so that later ones win", func(t *testing.T) {
		b := newBench(t)
		b.infos["first"] = &slave.ContainerLaunchInfo{Environment: variables("FROM", "isolator")}
		request := b.request("one")
		request.Environment = variables("FROM", "agent").GetVariables()
		request.Config.CommandInfo.Environment = variables("FROM", "command", "PATH", "/bin")
		request.Config.CommandInfo.Environment.Variables = append(request.Config.CommandInfo.Environment.Variables,
			&mesosv1.Environment_Variable{Name: proto.String("SECRET"), Type: mesosv1.Environment_Variable_SECRET.Enum()})
		_, err := b.Launch(t.Context(), request)
		require.NoError(t, err)
		assert.Equal(t, []string{"FROM=agent", "MESOS_SANDBOX=" + request.Config.GetDirectory(), "FROM=isolator", "FROM=command", "PATH=/bin"},
			pairs(b.small.launch.GetEnvironment()))
	})
	t.Run("without a PATH there is the host's", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		assert.Equal(t, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", pairs(b.small.launch.GetEnvironment())[1])
	})
	t.Run("the command, the user and the working directory are the request's", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		assert.Equal(t, "true", b.small.launch.GetCommand().GetValue())
		assert.Equal(t, "nobody", b.small.launch.GetUser())
		assert.NotEmpty(t, b.small.launch.GetWorkingDirectory())
	})
	t.Run("or an isolator's", func(t *testing.T) {
		b := newBench(t)
		b.infos["first"] = &slave.ContainerLaunchInfo{Command: &mesosv1.CommandInfo{Value: proto.String("theirs")},
			User: proto.String("daemon"), WorkingDirectory: proto.String("/theirs")}
		b.launched("one")
		assert.Equal(t, "theirs", b.small.launch.GetCommand().GetValue())
		assert.Equal(t, "daemon", b.small.launch.GetUser())
		assert.Equal(t, "/theirs", b.small.launch.GetWorkingDirectory())
	})
	t.Run("with a root file system the sandbox is where the flag says", func(t *testing.T) {
		b := newBench(t)
		b.infos["first"] = &slave.ContainerLaunchInfo{Rootfs: proto.String("/image")}
		request := b.request("one")
		request.Environment = []*mesosv1.Environment_Variable{{Name: proto.String("MESOS_DIRECTORY"), Value: proto.String("/on/the/host")}}
		_, err := b.Launch(t.Context(), request)
		require.NoError(t, err)
		assert.Equal(t, []string{"MESOS_DIRECTORY=/mnt/mesos/sandbox", "MESOS_SANDBOX=/mnt/mesos/sandbox"}, pairs(b.small.launch.GetEnvironment())[:2])
		assert.Equal(t, "/mnt/mesos/sandbox", b.small.launch.GetWorkingDirectory())
	})
	t.Run("a DEBUG container gets the rest from its parent", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		request := b.request("one", "debug")
		request.Config.ContainerClass = slave.ContainerClass_DEBUG.Enum()
		_, err := b.Launch(t.Context(), request)
		require.NoError(t, err)
		assert.Empty(t, pairs(b.small.launch.GetEnvironment()))
		assert.Nil(t, b.small.launch.WorkingDirectory)
	})
	t.Run("without switch_user everything runs as the agent", func(t *testing.T) {
		b := newBench(t)
		b.SwitchUser = false
		b.launched("one")
		assert.Nil(t, b.small.launch.User)
		assert.Contains(t, b.done(), "fetch file for ")
	})
}
