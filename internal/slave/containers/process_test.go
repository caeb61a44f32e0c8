package containers_test

import (
	"bytes"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
)

// running says whether a process runs; a zombie does not.
func running(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !bytes.HasPrefix(text[bytes.LastIndexByte(text, ')')+1:], []byte(" Z"))
}

// number waits for a number that a container writes to a file in its sandbox.
func (r *real) number(id *mesosv1.ContainerID, file string) (n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		text, err := os.ReadFile(filepath.Join(r.work, filepath.FromSlash(name(id)), file))
		if err != nil || !strings.HasSuffix(string(text), "\n") {
			return false
		}
		n, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	}, limit, time.Millisecond, file)
	return n
}

// zombies are children of this process that have ended and were not waited for.
func zombies(t *testing.T) (all []string) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if bytes.Contains(text, fmt.Appendf(nil, ") Z %d ", os.Getpid())) {
			all = append(all, string(text))
		}
	}
	return all
}

func descriptors(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(all)
}

func TestNobodyEscapes(t *testing.T) {
	for about, command := range map[string]string{
		"in a session of its own":    `setsid sh -c 'echo $$ > pid; exec sleep 1000' & sleep 1000`,
		"with no parent any more":    `(setsid sh -c 'echo $$ > pid; exec sleep 1000' &); sleep 1000`,
		"that ignores what it can":   `(trap '' TERM HUP INT; echo $$ > pid; while :; do sleep 1000; done)`,
		"that was stopped":           `setsid sh -c 'echo $$ > pid; kill -STOP $$' & sleep 1000`,
		"that forks without an end":  `echo $$ > pid; while :; do (setsid sleep 1000 &) ; done`,
		"left behind by its command": `(setsid sh -c 'echo $$ > pid; exec sleep 1000' &); while [ ! -s pid ]; do :; done; exit 0`,
	} {
		t.Run(about, func(t *testing.T) {
			r := newReal(t)
			request := r.request(id("one"), command)
			r.launch(request)
			pid := r.number(id("one"), "pid")
			if !strings.HasPrefix(about, "left behind") {
				_, err := r.Destroy(r.ctx(), id("one"))
				require.NoError(t, err)
			} else {
				termination, err := r.Wait(r.ctx(), id("one"))
				require.NoError(t, err)
				assert.Equal(t, int32(0), termination.GetStatus())
			}
			assert.False(t, running(pid), "process %d lives", pid)
			assert.Empty(t, inSandbox(request.Config.GetDirectory()), "processes that came from the container")
			assert.Empty(t, zombies(t))
		})
	}
}

// inSandbox returns the processes whose working directory is the sandbox.
func inSandbox(directory string) (all []string) {
	paths, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is right
	for _, path := range paths {
		if to, err := os.Readlink(path); err == nil && to == directory && !zombie(path) {
			all = append(all, path)
		}
	}
	return all
}

func zombie(path string) bool {
	pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
	return err == nil && !running(pid)
}

func TestManyAtOnceLeaveNothing(t *testing.T) {
	r := newReal(t)
	r.launch(r.request(id("warm"), "true"))
	_, err := r.Wait(r.ctx(), id("warm"))
	require.NoError(t, err)
	before := descriptors(t)
	var all sync.WaitGroup
	for n := range 50 {
		c := id(fmt.Sprint("c", n))
		request := r.request(c, fmt.Sprintf("sleep 0.05; exit %d", n%3))
		all.Go(func() {
			_, err := r.Launch(r.ctx(), request)
			if !assert.NoError(t, err) {
				return
			}
			termination, err := r.Wait(r.ctx(), c)
			if assert.NoError(t, err) {
				assert.Equal(t, int32(n%3)<<8, termination.GetStatus())
			}
		})
	}
	all.Wait()
	assert.Empty(t, r.Containers())
	assert.Empty(t, zombies(t))
	assert.Equal(t, before, descriptors(t), "files are left open")
	left, err := os.ReadDir(filepath.Join(r.runtime, "containers"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWhatTheCommandFinds(t *testing.T) {
	t.Run("no open files but its three", func(t *testing.T) {
		r := newReal(t)
		r.launch(r.request(id("one"), "ls /proc/self/fd"))
		_, err := r.Wait(r.ctx(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, "0\n1\n2\n3\n", r.output(id("one"), "stdout"), "the last is ls's own")
	})
	t.Run("its environment, and nothing of the agent's", func(t *testing.T) {
		t.Setenv("OF_THE_AGENT", "1")
		r := newReal(t)
		request := r.request(id("one"), "env | sort | grep -v '^_='")
		request.Environment = []*mesosv1.Environment_Variable{{Name: proto.String("A"), Value: proto.String("agent")}, {Name: proto.String("B"), Value: proto.String("b")}}
		request.Config.CommandInfo.Environment = variables("A", "with spaces and = signs")
		r.launch(request)
		_, err := r.Wait(r.ctx(), id("one"))
		require.NoError(t, err)
		directory := request.Config.GetDirectory()
		assert.Equal(t, "A=with spaces and = signs\nB=b\nMESOS_SANDBOX="+directory+"\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD="+directory+"\n",
			r.output(id("one"), "stdout"))
	})
	t.Run("its arguments, without a shell", func(t *testing.T) {
		r := newReal(t)
		request := r.request(id("one"), "")
		request.Config.CommandInfo = &mesosv1.CommandInfo{Shell: proto.Bool(false), Value: proto.String("printf"), Arguments: []string{"printf", "[%s]", "$HOME; a  b"}}
		r.launch(request)
		_, err := r.Wait(r.ctx(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, "[$HOME; a  b]", r.output(id("one"), "stdout"))
	})
	t.Run("the user, his groups and his files", func(t *testing.T) {
		require.Zero(t, os.Geteuid(), "only root becomes somebody else")
		r := newReal(t)
		r.SwitchUser = true
		request := r.request(id("one"), "id -un; touch mine; echo more >&2")
		request.Config.User = proto.String("nobody")
		nobody, err := user.Lookup("nobody")
		require.NoError(t, err)
		uid, err := strconv.Atoi(nobody.Uid)
		require.NoError(t, err)
		open(t, r.work)
		require.NoError(t, os.Chown(request.Config.GetDirectory(), uid, uid))
		r.launch(request)
		termination, err := r.Wait(r.ctx(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, int32(0), termination.GetStatus())
		assert.Equal(t, "nobody\n", r.output(id("one"), "stdout"))
		info, err := os.Stat(filepath.Join(request.Config.GetDirectory(), "mine"))
		require.NoError(t, err)
		assert.Equal(t, uint32(uid), info.Sys().(*syscall.Stat_t).Uid)
	})
	t.Run("a user that is not there fails the launch", func(t *testing.T) {
		r := newReal(t)
		r.SwitchUser = true
		request := r.request(id("one"), "true")
		request.Config.User = proto.String("nobody-at-all")
		_, err := r.Launch(r.ctx(), request)
		assert.ErrorContains(t, err, `"nobody-at-all"`)
	})
	t.Run("a program that is not there", func(t *testing.T) {
		r := newReal(t)
		request := r.request(id("one"), "")
		request.Config.CommandInfo = &mesosv1.CommandInfo{Shell: proto.Bool(false), Value: proto.String("no-such-program")}
		r.launch(request)
		termination, err := r.Wait(r.ctx(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, int32(256), termination.GetStatus())
		assert.Contains(t, r.output(id("one"), "stderr"), "no-such-program")
	})
}

// open lets other users into a folder of the test's and those above it.
func open(t *testing.T, folder string) {
	for ; folder != os.TempDir() && folder != "/"; folder = filepath.Dir(folder) {
		require.NoError(t, os.Chmod(folder, 0o755))
	}
}

func TestTheProgramIsNotThere(t *testing.T) {
	r := newReal(t)
	require.NoError(t, os.Remove(filepath.Join(r.program, mesos.Program)))
	before := descriptors(t)
	_, err := r.Launch(r.ctx(), r.request(id("one"), "true"))
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "launcher_dir")
	assert.Equal(t, before, descriptors(t))
	assert.NoDirExists(t, filepath.Join(r.runtime, "containers", "one"))
}

func TestKillReachesTheCommand(t *testing.T) {
	r := newReal(t)
	r.launch(r.request(id("one"), `trap 'exit 9' USR2; echo $$ > pid; while :; do sleep 0.01; done`))
	r.number(id("one"), "pid")
	found, err := r.Kill(r.ctx(), id("one"), int32(syscall.SIGUSR2))
	require.NoError(t, err)
	assert.True(t, found)
	termination, err := r.Wait(r.ctx(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, int32(9<<8), termination.GetStatus())
}

func TestAShimThatIsKilledTakesItsContainerAlong(t *testing.T) {
	r := newReal(t)
	r.launch(r.request(id("one"), `(setsid sh -c 'echo $$ > child; exec sleep 1000' &); echo $$ > pid; sleep 1000`))
	command, child := r.number(id("one"), "pid"), r.number(id("one"), "child")
	status, err := r.Status(r.ctx(), id("one"))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(int(status.GetExecutorPid()), syscall.SIGKILL))
	termination, err := r.Wait(r.ctx(), id("one"))
	require.NoError(t, err)
	assert.Nil(t, termination.Status, "nobody wrote it down")
	require.Eventually(t, func() bool { return !running(command) && !running(child) }, limit, time.Millisecond)
}

func TestAShimThatDoesNotAnswerIsKilledFromOutside(t *testing.T) {
	r := newReal(t)
	r.launch(r.request(id("one"), `(setsid sh -c 'echo $$ > child; exec sleep 1000' &); sleep 1000`))
	child := r.number(id("one"), "child")
	status, err := r.Status(r.ctx(), id("one"))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(int(status.GetExecutorPid()), syscall.SIGSTOP))
	_, err = r.Destroy(r.ctx(), id("one"))
	require.NoError(t, err)
	assert.False(t, running(child))
}
