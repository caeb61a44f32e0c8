package spawn_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/spawn"
)

// patience is how long a test waits for what comes at once.
const patience = 20 * time.Second

// heard is what a process has said.
type heard struct {
	mu    sync.Mutex
	lines []string
	came  chan struct{}
}

func newHeard() *heard { return &heard{came: make(chan struct{}, 1)} }

func (h *heard) tell(stream, line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, stream+": "+line)
	select {
	case h.came <- struct{}{}:
	default:
	}
}

func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.lines...)
}

// wait returns what follows the beginning of the first line that has it.
func (h *heard) wait(t *testing.T, beginning string) string {
	t.Helper()
	late := time.After(patience)
	for {
		for _, line := range h.all() {
			if rest, ok := strings.CutPrefix(line, beginning); ok {
				return rest
			}
		}
		select {
		case <-h.came:
		case <-late:
			require.Fail(t, "nobody said "+beginning, "%q", h.all())
		}
	}
}

func own(t testing.TB) *spawn.Image {
	t.Helper()
	i, err := spawn.Own("")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, i.Close()) })
	return i
}

// play starts a process that plays a part; it is gone when the test ends.
func play(t *testing.T, c vehicle.Confinement, part string, args ...string) (*spawn.Process, *heard) {
	t.Helper()
	h := newHeard()
	return start(t, spawn.Spec{Image: own(t), Confinement: c, Lines: h.tell, Args: append([]string{victim, part}, args...)}), h
}

func start(t *testing.T, s spawn.Spec) *spawn.Process {
	t.Helper()
	s.Name = "victim"
	p, err := spawn.Start(t.Context(), s)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Kill(vehicle.EndClosed, "the test is over")
		over(t, p.Cleared())
	})
	return p
}

func over(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		require.Fail(t, "this takes too long")
	}
}

type ending struct {
	end          vehicle.End
	detail, said string
}

func end(t *testing.T, p *spawn.Process) ending {
	t.Helper()
	over(t, p.Done())
	var e ending
	e.end, e.detail, e.said = p.End()
	return e
}

func TestEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		part []string
		want ending
	}{
		{"it exits well", []string{"exit", "0"}, ending{vehicle.EndExited, "exit status 0", ""}},
		{"it exits badly", []string{"exit", "3"}, ending{vehicle.EndExited, "exit status 3", ""}},
		{"it gets a signal", []string{"die", "9"}, ending{vehicle.EndSignaled, "signal SIGKILL", ""}},
		{"it says something first", []string{"say", "a\n", "one\n\x1b[31mtwo"}, ending{vehicle.EndExited, "exit status 0", "one | [31mtwo"}},
		{"it panics", []string{"panic"}, ending{vehicle.EndExited, "exit status 2", "panic: the roof is on fire"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := play(t, vehicle.Confinement{}, c.part[0], c.part[1:]...)
			assert.Equal(t, c.want, end(t, p))
			over(t, p.Cleared())
		})
	}
	t.Run("while it runs there is none", func(t *testing.T) {
		p, h := play(t, vehicle.Confinement{}, "wait")
		h.wait(t, "stdout: ready")
		e, detail, said := p.End()
		assert.Equal(t, ending{}, ending{e, detail, said})
	})
}

func TestLines(t *testing.T) {
	t.Run("come from both streams, whole, before the end", func(t *testing.T) {
		p, h := play(t, vehicle.Confinement{}, "say", "first\nsecond", "ähm \xff\x1b[1m\tbell\x07 \u202eevil\r\n")
		end(t, p)
		lines := h.all()
		assert.Subset(t, lines, []string{"stdout: first", "stdout: second", "stderr: ähm � [1m bell   evil"})
		assert.Len(t, lines, 3)
	})
}

func TestKill(t *testing.T) {
	t.Run("ends a process that minds no signal, and says why", func(t *testing.T) {
		p, h := play(t, vehicle.Confinement{}, "wait")
		h.wait(t, "stdout: ready")
		p.Kill(vehicle.EndHung, "no sign of life for 10s")
		p.Kill(vehicle.EndDisorder, "garbage")
		assert.Equal(t, ending{vehicle.EndHung, "no sign of life for 10s", ""}, end(t, p))
		p.Kill(vehicle.EndClosed, "too late")
		assert.Equal(t, ending{vehicle.EndHung, "no sign of life for 10s", ""}, end(t, p))
	})
	t.Run("is not the reason of one that had ended", func(t *testing.T) {
		p, _ := play(t, vehicle.Confinement{}, "exit", "7")
		over(t, p.Done())
		p.Kill(vehicle.EndHung, "no sign of life")
		assert.Equal(t, vehicle.EndExited, end(t, p).end)
	})
}

func TestLeftBehind(t *testing.T) {
	for _, c := range []struct{ name, where, environment string }{
		{"in a session of its own", "session", "marked"},
		{"in the group, with another environment", "group", "clean"},
	} {
		t.Run(c.name+", it goes when the process is killed", func(t *testing.T) {
			p, h := play(t, vehicle.Confinement{}, "leave", c.where, c.environment)
			held := hold(t, h.wait(t, "stdout: left "))
			p.Kill(vehicle.EndClosed, "")
			over(t, p.Cleared())
			assertGone(t, held)
		})
		t.Run(c.name+", it goes when the process ends by itself", func(t *testing.T) {
			p, h := play(t, vehicle.Confinement{}, "leave", c.where, c.environment)
			held := hold(t, h.wait(t, "stdout: left "))
			require.NoError(t, unix.Kill(p.PID(), unix.SIGKILL))
			over(t, p.Cleared())
			assertGone(t, held)
			assert.Equal(t, ending{vehicle.EndSignaled, "signal SIGKILL", ""}, end(t, p))
		})
	}
}

// hold is a pidfd of a process.
func hold(t *testing.T, number string) int {
	t.Helper()
	pid, err := strconv.Atoi(number)
	require.NoError(t, err)
	held, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, unix.Close(held)) })
	return held
}

// assertGone expects a process to be dead, or to die of the signal that it has got.
func assertGone(t *testing.T, held int) {
	t.Helper()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(held), Events: unix.POLLIN}}, int(patience/time.Millisecond))
	require.NoError(t, err)
	assert.Equal(t, 1, n, "the process still lives")
}

func TestWhatItHas(t *testing.T) {
	t.Setenv("MESOS_CREDENTIAL", "secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("LC_ALL", "C.UTF-8")
	inherited, err := unix.Open("/dev/zero", unix.O_RDONLY, 0) // without CLOEXEC
	require.NoError(t, err)
	defer unix.Close(inherited) //nolint:errcheck // nothing was written
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close() //nolint:errcheck // nothing was written
	defer w.Close() //nolint:errcheck // nothing was written

	for _, c := range []struct {
		name string
		c    vehicle.Confinement
	}{
		{"not confined", vehicle.Confinement{}},
		{"confined", vehicle.Confinement{OpenFiles: 128}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHeard()
			c.c.Environment = []string{"OWN=thing", "TZ=Europe/Vienna"}
			p := start(t, spawn.Spec{Image: own(t), Lines: h.tell, Args: []string{victim, "show"}, Extra: []*os.File{w, r}, Confinement: c.c})
			end(t, p)
			var env, fds []string
			for _, line := range h.all() {
				if rest, ok := strings.CutPrefix(line, "stdout: env "); ok {
					env = strings.Split(rest, "|")
				}
				if rest, ok := strings.CutPrefix(line, "stdout: fd "); ok {
					fds = append(fds, rest)
				}
			}
			require.NotEmpty(t, env, h.all())
			assert.Regexp(t, "^MMS_PROCESS=[A-Z2-7]{26}$", env[0])
			assert.Subset(t, env, []string{"LC_ALL=C.UTF-8", "OWN=thing", "PATH=" + os.Getenv("PATH"), "TZ=Europe/Vienna"})
			assert.NotContains(t, strings.Join(env, " "), "secret")
			assert.Equal(t, []string{"0 /dev/null", "1 pipe", "2 pipe", "3 pipe", "4 pipe"}, fds)
			assert.Contains(t, h.all(), "stdout: args victim play-victim show")
			assert.Contains(t, h.all(), "stdout: leader true")
		})
	}
}

func TestManyDescriptors(t *testing.T) {
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close() //nolint:errcheck // nothing was written
	extra := make([]*os.File, 100)
	for i := range extra {
		extra[i] = null
	}
	for _, c := range []vehicle.Confinement{{}, {NoNewPrivileges: true}} {
		h := newHeard()
		p := start(t, spawn.Spec{Image: own(t), Lines: h.tell, Args: []string{victim, "show"}, Extra: extra, Confinement: c})
		end(t, p)
		assert.Contains(t, h.all(), "stdout: fd 102 /dev/null")
		assert.NotContains(t, strings.Join(h.all(), "\n"), "fd 103 ")
	}
}

func TestStartIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(os.ErrDeadlineExceeded)
	_, err := spawn.Start(ctx, spawn.Spec{Image: own(t), Name: "victim", Args: []string{victim, "wait"}})
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
}
