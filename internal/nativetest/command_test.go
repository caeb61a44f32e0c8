package nativetest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/isolator/command"
	"github.com/mesos-modules/mms/roles/isolator"
)

const commandSource = "isolator/command/native/command.cpp"

// shell is a program for a step: the lines of a shell script, in a file that the shell reads.
func shell(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.sh")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return "/bin/sh " + path
}

func commandOptions(pairs []string) []moduletest.Option {
	var all []moduletest.Option
	for n := 0; n < len(pairs); n += 2 {
		all = append(all, moduletest.Parameter(command.Name, pairs[n], pairs[n+1]))
	}
	return all
}

// commands makes the module, with parameters: keys and values in turn.
func commands(t *testing.T, pairs ...string) (isolator.Isolator, *moduletest.Kit) {
	t.Helper()
	kit := moduletest.New(t, library(t, commandSource), commandOptions(pairs)...)
	return moduletest.Load[isolator.Isolator](kit, command.Name), kit
}

func id(values ...string) *mesosv1.ContainerID {
	var out *mesosv1.ContainerID
	for _, v := range values {
		out = &mesosv1.ContainerID{Value: proto.String(v), Parent: out}
	}
	return out
}

func config() *slave.ContainerConfig {
	return &slave.ContainerConfig{Directory: proto.String("/sandbox"), CommandInfo: &mesosv1.CommandInfo{Value: proto.String("true"),
		Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: proto.String("PASSWORD"), Value: proto.String("hunter2")}}}}}
}

func TestCommandConforms(t *testing.T) {
	moduletest.Conformance(t, library(t, commandSource), command.Name, commandOptions([]string{
		"prepare", shell(t, `cat >/dev/null; echo '{"environment":{"variables":[{"name":"A","value":"B"}]}}'`),
		"watch", shell(t, "exec sleep 1000"),
		"usage", shell(t, `echo '{"processes":1}'`),
		"cleanup", "/bin/true",
	})...)
}

func TestCommandDocuments(t *testing.T) {
	folder := t.TempDir()
	every := shell(t, `{ cat; echo "$MESOS_ISOLATOR_STEP $MESOS_CONTAINER_ID $MESOS_CONTAINER_PID"; } >`+folder+`/$MESOS_ISOLATOR_STEP`)
	all := []string{"recover", "prepare", "isolate", "watch", "update", "usage", "status", "cleanup"}
	var pairs []string
	for _, step := range all {
		pairs = append(pairs, step, every)
	}
	i, _ := commands(t, pairs...)
	nested, ctx := id("group", "task"), t.Context()

	require.NoError(t, i.Recover(ctx, []*slave.ContainerState{{ContainerId: id("old"), Pid: proto.Uint64(7), Directory: proto.String("/old")}},
		[]*mesosv1.ContainerID{id("lost")}))
	info, err := i.Prepare(ctx, nested, config())
	require.NoError(t, err)
	assert.Nil(t, info, "no answer is nothing")
	require.NoError(t, i.Watch(ctx, nested, func(*slave.ContainerLimitation) { t.Error("nothing was limited") }))
	require.NoError(t, i.Isolate(ctx, nested, 42))
	require.NoError(t, i.Update(ctx, nested, []*mesosv1.Resource{{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(),
		Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(1)}}},
		&mesosv1.OfferFilters_ResourceQuantities{Quantities: map[string]*mesosv1.Value_Scalar{"mem": {Value: proto.Float64(64)}, "cpus": {Value: proto.Float64(1.5)}}}))
	use, err := i.Usage(ctx, nested)
	require.NoError(t, err)
	assert.Nil(t, use)
	status, err := i.Status(ctx, nested)
	require.NoError(t, err)
	assert.Nil(t, status)
	await(t, folder+"/watch", " 42\n")
	require.NoError(t, i.Cleanup(ctx, nested))

	const me = `"container_id":{"value":"task","parent":{"value":"group"}}`
	for step, want := range map[string]string{
		"recover": `{"step":"recover","states":[{"container_id":{"value":"old"},"pid":7,"directory":"/old"}],"orphans":[{"value":"lost"}]}` + "\nrecover  \n",
		"prepare": `{"step":"prepare",` + me + `,"config":{"command_info":{"environment":{"variables":[{"name":"PASSWORD","type":"VALUE","value":"hunter2"}]},"shell":true,"value":"true"},"directory":"/sandbox"}}` + "\nprepare group/task \n",
		"isolate": `{"step":"isolate",` + me + `,"pid":42}` + "\nisolate group/task 42\n",
		"watch":   `{"step":"watch",` + me + `,"pid":42}` + "\nwatch group/task 42\n",
		"update": `{"step":"update",` + me + `,"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1.0}}],"limits":{"cpus":{"value":1.5},"mem":{"value":64.0}}}` +
			"\nupdate group/task 42\n",
		"usage":   `{"step":"usage",` + me + `,"pid":42}` + "\nusage group/task 42\n",
		"status":  `{"step":"status",` + me + `,"pid":42}` + "\nstatus group/task 42\n",
		"cleanup": `{"step":"cleanup",` + me + `}` + "\ncleanup group/task 42\n",
	} {
		text, err := os.ReadFile(folder + "/" + step)
		require.NoError(t, err)
		assert.Equal(t, want, string(text), step)
	}
}

// await waits until a file ends with a text.
func await(t *testing.T, path, end string) {
	t.Helper()
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(path)
		return err == nil && strings.HasSuffix(string(text), end)
	}, 10*time.Second, 5*time.Millisecond, path)
}

func TestCommandAnswers(t *testing.T) {
	ctx := t.Context()
	t.Run("of prepare", func(t *testing.T) {
		i, _ := commands(t, "prepare", shell(t, `echo '{"environment":{"variables":[{"name":"TEAM","value":"blue"}]},"unknown":1}'`))
		info, err := i.Prepare(ctx, id("c"), config())
		require.NoError(t, err)
		require.Len(t, info.GetEnvironment().GetVariables(), 1)
		assert.Equal(t, "blue", info.GetEnvironment().GetVariables()[0].GetValue())
	})
	t.Run("of usage, whose time is filled in", func(t *testing.T) {
		i, _ := commands(t, "usage", shell(t, `echo '{"processes":3}'`))
		use, err := i.Usage(ctx, id("c"))
		require.NoError(t, err)
		assert.EqualValues(t, 3, use.GetProcesses())
		assert.InDelta(t, float64(time.Now().Unix()), use.GetTimestamp(), 60)
	})
	t.Run("of status", func(t *testing.T) {
		i, _ := commands(t, "status", shell(t, `echo '{"cgroup_info":{"net_cls":{"classid":9}}}'`))
		status, err := i.Status(ctx, id("c"))
		require.NoError(t, err)
		assert.EqualValues(t, 9, status.GetCgroupInfo().GetNetCls().GetClassid())
	})
	t.Run("that cannot be read", func(t *testing.T) {
		for _, text := range []string{"hello", "[]", `{"environment":{"variables":[{"value":"nameless"}]}}`, `{"rootfs":{}}`} {
			i, _ := commands(t, "prepare", shell(t, "echo '"+text+"'"))
			_, err := i.Prepare(ctx, id("c"), config())
			require.ErrorContains(t, err, "of step prepare: its answer: ", text)
			assert.NoError(t, i.Cleanup(ctx, id("c")))
		}
	})
	t.Run("that is too long", func(t *testing.T) {
		i, _ := commands(t, "prepare", shell(t, "head -c 1100000 /dev/zero"))
		_, err := i.Prepare(ctx, id("c"), config())
		assert.ErrorContains(t, err, "its answer is longer than 1048576 bytes")
	})
	t.Run("of a program that leaves others behind with its output", func(t *testing.T) {
		i, _ := commands(t, "prepare", shell(t, "setsid sleep 5 &", "echo '{\"rootfs\":\"/r\"}'"))
		info, err := i.Prepare(ctx, id("c"), config())
		require.NoError(t, err)
		assert.Equal(t, "/r", info.GetRootfs())
	})
}

func TestCommandFailures(t *testing.T) {
	t.Run("the end of standard error is the reason", func(t *testing.T) {
		i, _ := commands(t, "isolate", shell(t, "head -c 5000 /dev/zero | tr '\\0' x >&2", `printf 'no \033 team\n' >&2`, "exit 3"))
		_, err := i.Prepare(t.Context(), id("c"), config())
		require.NoError(t, err)
		err = i.Isolate(t.Context(), id("c"), 1)
		require.ErrorContains(t, err, "the program /bin/sh of step isolate: exit status 3: xxx")
		assert.True(t, strings.HasSuffix(err.Error(), "no   team"), err)
		assert.Less(t, len(err.Error()), 2200)
	})
	t.Run("a program that has gone", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "program")
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755))
		i, _ := commands(t, "update", path, "watch", path)
		require.NoError(t, i.Recover(t.Context(), nil, nil))
		require.NoError(t, os.Remove(path))
		_, err := i.Prepare(t.Context(), id("c"), config())
		require.NoError(t, err)
		require.NoError(t, i.Watch(t.Context(), id("c"), func(*slave.ContainerLimitation) { t.Error("the launch has failed already") }))
		require.ErrorContains(t, i.Isolate(t.Context(), id("c"), 1), "no such file or directory")
		require.ErrorContains(t, i.Update(t.Context(), id("c"), nil, nil), "no such file or directory")
		assert.NoError(t, i.Cleanup(t.Context(), id("c")))
	})
	t.Run("a program that takes too long is killed with its group", func(t *testing.T) {
		folder := t.TempDir()
		i, _ := commands(t, "timeout", "300ms", "usage", shell(t, "sleep 1000 & echo $! >"+folder+"/child", "wait"))
		began := time.Now()
		_, err := i.Usage(t.Context(), id("c"))
		require.ErrorContains(t, err, "it was killed: its time is over")
		assert.Less(t, time.Since(began), 10*time.Second)
		gone(t, folder+"/child")
	})
	t.Run("a call that is cancelled kills the program with its group", func(t *testing.T) {
		folder := t.TempDir()
		i, _ := commands(t, "prepare", shell(t, "sleep 1000 & echo $! >"+folder+"/child", "wait"))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for { // the program is under way when its child is written down
				if text, _ := os.ReadFile(folder + "/child"); len(text) > 0 {
					cancel()
					return
				}
			}
		}()
		_, err := i.Prepare(ctx, id("c"), config())
		require.ErrorIs(t, err, context.Canceled)
		gone(t, folder+"/child")
	})
	t.Run("recover keeps the agent from starting", func(t *testing.T) {
		i, _ := commands(t, "recover", shell(t, "echo the inventory is gone >&2; exit 1"))
		assert.ErrorContains(t, i.Recover(t.Context(), nil, nil), "the inventory is gone")
	})
	t.Run("no secret stands in the arguments", func(t *testing.T) {
		folder := t.TempDir()
		i, _ := commands(t, "prepare", shell(t, "tr '\\0' ' ' </proc/$$/cmdline >"+folder+"/line; env >>"+folder+"/line"))
		_, err := i.Prepare(t.Context(), id("c"), config())
		require.NoError(t, err)
		text, err := os.ReadFile(folder + "/line")
		require.NoError(t, err)
		assert.Contains(t, string(text), "MESOS_CONTAINER_ID=c")
		assert.NotContains(t, string(text), "hunter2")
	})
}

// gone waits until the process whose number stands in a file has ended.
func gone(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	status := "/proc/" + strings.TrimSpace(string(text)) + "/stat"
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(status)
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 10*time.Second, 5*time.Millisecond)
}

func TestCommandHowProgramsRun(t *testing.T) {
	t.Setenv("CHOSEN", "yes")
	t.Setenv("NOT_CHOSEN", "no")
	ask := func(t *testing.T, what string, pairs ...string) string {
		folder := t.TempDir()
		require.NoError(t, os.Chmod(folder, 0o777))
		i, _ := commands(t, append(pairs, "isolate", shell(t, what+" >"+folder+"/out"))...)
		_, err := i.Prepare(t.Context(), id("c"), config())
		require.NoError(t, err)
		require.NoError(t, i.Isolate(t.Context(), id("c"), 1))
		text, err := os.ReadFile(folder + "/out")
		require.NoError(t, err)
		return string(text)
	}
	t.Run("in a small environment", func(t *testing.T) {
		text := ask(t, "env | sort", "environment", "CHOSEN, MISSING")
		assert.Contains(t, text, "CHOSEN=yes\n")
		assert.NotContains(t, text, "NOT_CHOSEN")
		assert.Contains(t, text, "PATH=/usr/local/sbin:")
	})
	t.Run("with the agent's own PATH if that is wanted", func(t *testing.T) {
		t.Setenv("PATH", os.Getenv("PATH")+":/of/the/agent")
		assert.Contains(t, ask(t, "echo $PATH", "environment", "PATH"), "/of/the/agent")
	})
	t.Run("in the root folder, as a group of its own", func(t *testing.T) {
		assert.Equal(t, "/\nleader\n", ask(t, "{ pwd; [ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && echo leader; }"))
	})
	t.Run("as another user, with his groups only", func(t *testing.T) {
		require.Zero(t, os.Geteuid(), "only root can be somebody else")
		path := filepath.Join(os.TempDir(), "command-isolator-test.out")
		require.NoError(t, os.WriteFile(path, nil, 0o666))
		defer os.Remove(path)
		require.NoError(t, os.Chmod(path, 0o666))
		i, _ := commands(t, "user", "nobody", "prepare", "/usr/bin/id -un", "isolate", "/usr/bin/tee "+path)
		_, err := i.Prepare(t.Context(), id("c"), config())
		require.ErrorContains(t, err, "its answer", "nobody is no JSON")
		require.NoError(t, i.Isolate(t.Context(), id("c"), 77))
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Contains(t, string(text), `"pid":77`)
	})
	t.Run("some at once", func(t *testing.T) {
		folder := t.TempDir()
		i, kit := commands(t, "parallel", "1", "usage", shell(t, "mkdir "+folder+"/lock || exit 1; sleep 0.01; rmdir "+folder+"/lock"))
		kit.Hammer(4, 3, func(ctx context.Context, _, _ int) error {
			_, err := i.Usage(ctx, id("c"))
			return err
		})
	})
}

func TestCommandParameters(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o644))
	for _, c := range []struct {
		name  string
		pairs []string
		want  []string
	}{
		{"no program at all", nil, []string{"no step has a program"}},
		{"all problems at once", []string{"prepare", "script.sh", "watch", "/no/such/program", "usage", plain, "timeout", "0ns", "parallel", "0", "user", "nobody-at-all"}, []string{
			`parameter prepare: "script.sh" is no absolute path`, "parameter watch: stat /no/such/program: no such file", "parameter usage: " + plain + " is no file that can be executed",
			"parameter timeout", "parameter parallel", `parameter user: there is no user "nobody-at-all"`,
		}},
		{"no number", []string{"prepare", "/bin/true", "parallel", "many"}, []string{"parallel"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := moduletest.TryLoad[isolator.Isolator](moduletest.New(t, library(t, commandSource), commandOptions(c.pairs)...), command.Name)
			require.Error(t, err)
			for _, text := range c.want {
				assert.ErrorContains(t, err, text)
			}
		})
	}
	t.Run("nested containers can be left out", func(t *testing.T) {
		for value, want := range map[string]bool{"true": true, "false": false} {
			i, _ := commands(t, "prepare", "/bin/true", "nested", value)
			nests, err := i.SupportsNesting(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, nests)
		}
	})
}
