package spawn_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/spawn"
)

// TestDaemonIsKilled has a second process be the daemon.
func TestDaemonIsKilled(t *testing.T) {
	for _, kind := range []string{"free", "user", "group"} {
		t.Run(kind, func(t *testing.T) {
			switch kind {
			case "user":
				privileged.Root(t, "only root runs processes as somebody else")
			case "group":
				cgroupstest.Need(t)
			}
			daemon := exec.Command("/proc/self/exe", victim, "daemon", kind)
			out, err := daemon.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, daemon.Start())
			r := bufio.NewReader(out)
			pid, err := r.ReadString('\n')
			require.NoError(t, err)
			pid = strings.TrimSpace(pid)
			held, folder := hold(t, pid), memoryGroup(t, pid)
			require.NoError(t, daemon.Process.Kill())
			assert.Error(t, daemon.Wait())
			assertGone(t, held)
			if kind == "group" { // the next daemon removes it
				assert.DirExists(t, folder)
				said(t, vehicle.Confinement{Memory: 64 << 20}, "exit", "0")
				assert.NoDirExists(t, folder)
			}
		})
	}
}

// beDaemon starts a process and says its number when it runs.
func beDaemon(args []string) int {
	c := map[string]vehicle.Confinement{
		"free": {}, "user": {User: "nobody"}, "group": {Memory: 64 << 20},
	}[args[0]]
	image, err := spawn.Own("")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	ready := make(chan struct{}, 1)
	p, err := spawn.Start(ctx, spawn.Spec{
		Image: image, Name: "victim", Args: []string{victim, "wait"}, Confinement: c,
		Lines: func(string, string) { ready <- struct{}{} },
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	<-ready
	// Threads that come and go are not the one that the process follows.
	for range 10 {
		gone := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(gone)
		}()
		<-gone
	}
	fmt.Println(p.PID())
	_ = unix.Pause() // until it is killed
	return 0
}

func TestFlood(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var lines, size atomic.Int64
	var dropped atomic.Bool
	p := start(t, spawn.Spec{Image: own(t), Args: []string{victim, "flood", "100000000"}, Lines: func(_, line string) {
		lines.Add(1)
		size.Add(int64(len(line)))
		if strings.Contains(line, "lines were dropped") {
			dropped.Store(true)
		}
	}})
	assert.Equal(t, "exit status 0", end(t, p).detail)
	runtime.ReadMemStats(&after)
	assert.Less(t, lines.Load(), int64(20_000), "a thousand for each second that it took")
	assert.Less(t, size.Load(), int64(5<<20))
	assert.True(t, dropped.Load())
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20<<20), "bytes were allocated for 100 MB")
}

func TestListenerHangs(t *testing.T) {
	hangs := make(chan struct{})
	p := start(t, spawn.Spec{Image: own(t), Args: []string{victim, "say", "one\n", "two\n"}, Lines: func(string, string) { <-hangs }})
	assert.Equal(t, "exit status 0", end(t, p).detail)
	over(t, p.Cleared())
	close(hangs)
}

// TestDeathIsSeen measures; five milliseconds are promised, of a machine that has time.
func TestDeathIsSeen(t *testing.T) {
	best := time.Hour
	for tries := 0; tries < 30 && best > 5*time.Millisecond; tries++ {
		p, h := play(t, vehicle.Confinement{}, "wait")
		h.wait(t, "stdout: ready")
		begin := time.Now()
		require.NoError(t, unix.Kill(p.PID(), unix.SIGKILL))
		over(t, p.Done())
		best = min(best, time.Since(begin))
	}
	assert.Less(t, best, 5*time.Millisecond)
}

func TestSomebodyElseTakesTheStatus(t *testing.T) {
	p, h := play(t, vehicle.Confinement{}, "wait")
	h.wait(t, "stdout: ready")
	stop := make(chan struct{})
	var taken sync.WaitGroup
	for range 4 {
		taken.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = syscall.Wait4(p.PID(), nil, syscall.WNOHANG, nil)
				}
			}
		})
	}
	require.NoError(t, unix.Kill(p.PID(), unix.SIGKILL))
	e := end(t, p)
	close(stop)
	taken.Wait()
	// Whoever was faster.
	assert.Contains(t, []ending{
		{vehicle.EndUnknown, "its exit status is not known: no child processes", ""},
		{vehicle.EndSignaled, "signal SIGKILL", ""},
	}, e)
}

func TestStopped(t *testing.T) {
	p, h := play(t, vehicle.Confinement{}, "wait")
	h.wait(t, "stdout: ready")
	require.NoError(t, unix.Kill(p.PID(), unix.SIGSTOP))
	p.Kill(vehicle.EndHung, "no sign of life")
	assert.Equal(t, vehicle.EndHung, end(t, p).end)
}

func TestFiftyAtOnce(t *testing.T) {
	image := own(t)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			var c vehicle.Confinement
			if i%5 == 0 {
				c.OpenFiles = 64
			}
			p, err := spawn.Start(t.Context(), spawn.Spec{Image: image, Name: "victim", Args: []string{victim, "exit", fmt.Sprint(i)}, Confinement: c})
			if !assert.NoError(t, err) {
				return
			}
			<-p.Cleared()
			_, detail, _ := p.End()
			assert.Equal(t, fmt.Sprintf("exit status %d", i), detail)
		})
	}
	all.Wait()
}

func TestNothingLeftToStartWith(t *testing.T) {
	t.Run("open files", func(t *testing.T) {
		var was unix.Rlimit
		require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &was))
		defer func() {
			require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: was.Cur, Max: was.Max}))
		}()
		image := own(t)
		f, err := os.Open(os.DevNull)
		require.NoError(t, err)
		next := uint64(f.Fd())
		require.NoError(t, f.Close())
		for extra := range uint64(12) {
			require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: next + extra, Max: was.Max}))
			_, err = spawn.Start(t.Context(), spawn.Spec{Image: image, Name: "victim", Args: []string{victim, "exit", "0"}, Confinement: vehicle.Confinement{NoNewPrivileges: true}})
			assert.ErrorContains(t, err, "the daemon has as many files open as it may; raise its limit", "with %d left", extra)
		}
	})
	t.Run("processes", func(t *testing.T) {
		privileged.Root(t, "the limit of processes is tried as another user")
		cmd := exec.Command("/proc/self/exe", victim, "starve")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, "true the daemon's own binary cannot be started: the system starts no more processes for this user; "+
			"raise the limit of processes (ulimit -u, TasksMax=, pids.max), or run fewer\n", string(out))
	})
}

// starve starts a process where no more may be.
func starve([]string) int {
	image, err := spawn.Own("")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	// Threads count as well: those that Start needs are there already.
	p, err := spawn.Start(ctx, spawn.Spec{Image: image, Name: "victim", Args: []string{victim, "exit", "0"}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	<-p.Cleared()
	if err := syscall.Setrlimit(unix.RLIMIT_NPROC, &syscall.Rlimit{Cur: 1, Max: 1}); err != nil {
		fmt.Println(err)
		return 1
	}
	_, err = spawn.Start(ctx, spawn.Spec{Image: image, Name: "victim", Args: []string{victim, "exit", "0"}})
	fmt.Println(err != nil, err)
	return 0
}
