package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/process"
	"github.com/mesos-modules/mms/roles/calculator"
)

// What a test wants of a daemon in a process of its own, and with which library.
const (
	jobVariable     = "MMS_PROCESS_TEST_JOB"
	libraryVariable = "MMS_PROCESS_TEST_LIBRARY"
)

// job is what the test binary does as a daemon.
func job(name, library string) error {
	x := process.New(process.Options{})
	f, err := file.Look(library, file.Options{AllowWorldWritable: true})
	if err != nil {
		return err
	}
	d, _, err := x.Recognise(f)
	if err != nil {
		return err
	}
	launch := func() (vehicle.Mortal, error) {
		m, _, err := x.Launch(context.Background(), f, d, vehicle.Confinement{})
		return m, err
	}
	switch name {
	case "wait":
		m, err := launch()
		if err != nil {
			return err
		}
		fmt.Println(m.PID())
		select {}
	case "exhaust":
		return exhaust(launch)
	default:
		return fmt.Errorf("there is no job %q", name)
	}
}

// exhaust launches until there are no more descriptors, a descriptor less each time, and
// then looks whether it can go on as before.
func exhaust(launch func() (vehicle.Mortal, error)) error {
	first, err := launch() // what the runtime opens, it has opened then
	if err != nil {
		return err
	}
	if err := first.Close(); err != nil {
		return err
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		return err
	}
	refused := 0
	for room := range 40 {
		now := unix.Rlimit{Cur: uint64(len(open) - 1 + room), Max: was.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &now); err != nil {
			return err
		}
		m, err := launch()
		switch {
		case err == nil:
			if err := m.Close(); err != nil {
				return err
			}
		case errors.Is(err, unix.EMFILE):
			refused++
		default:
			return fmt.Errorf("with room for %d descriptors: %w", room, err)
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		return err
	}
	fmt.Println("refused", refused)
	return errors.Join(leftOpen(len(open)), childless())
}

// leftOpen waits until no more descriptors are open than before: what ends a process
// is done with its last ones a little later.
func leftOpen(before int) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(soon); ; <-tick.C {
		now, err := filepath.Glob("/proc/self/fd/*")
		if err != nil || len(now) <= before {
			return err
		}
		if time.Now().After(limit) {
			for i, path := range now {
				now[i], _ = os.Readlink(path) // one that is closed by now has no name
			}
			return fmt.Errorf("%d descriptors were open before, and now there are %q", before, now)
		}
	}
}

func asDaemon(ctx context.Context, t *testing.T, job string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), jobVariable+"="+job, libraryVariable+"="+build(t, "hello"))
	cmd.Stderr = os.Stderr
	return cmd
}

func TestDaemonKilled(t *testing.T) {
	cmd := asDaemon(t.Context(), t, "wait")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	orphan, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	defer unix.Close(orphan) //nolint:errcheck // nothing was written

	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(orphan), Events: unix.POLLIN}}, int(soon/time.Millisecond))
	require.NoError(t, err)
	assert.Equal(t, 1, n, "the process of the library outlives the daemon")
}

func TestNoDescriptors(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said, err := asDaemon(ctx, t, "exhaust").Output()
	require.NoError(t, err, string(said))
	assert.Regexp(t, `^refused [1-9]\d*\n$`, string(said))
}

// Fifty libraries at once, from the file to the first answer.
func TestMany(t *testing.T) {
	x := newFixture()
	f := look(t, build(t, "hello", "-ldflags=-s -w"))
	d, _, err := x.Recognise(f)
	require.NoError(t, err)
	began := time.Now()
	var all sync.WaitGroup
	libraries, errs := make([]vehicle.Mortal, 50), make([]error, 50)
	for i := range libraries {
		all.Go(func() {
			libraries[i], _, errs[i] = x.Launch(t.Context(), f, d, vehicle.Confinement{})
			if errs[i] == nil {
				errs[i] = answer(t.Context(), libraries[i])
			}
		})
	}
	all.Wait()
	t.Logf("50 libraries answer after %v", time.Since(began))
	require.NoError(t, errors.Join(errs...))
	pids := map[int]bool{}
	for i, m := range libraries {
		pids[m.PID()] = true
		all.Go(func() { errs[i] = m.Close() })
	}
	all.Wait()
	assert.NoError(t, errors.Join(errs...))
	assert.Len(t, pids, 50)
	t.Logf("and are closed after %v", time.Since(began))
}

func answer(ctx context.Context, m vehicle.Mortal) error {
	i, err := m.Create(ctx, module, &daemon{}, nil)
	if err != nil {
		return err
	}
	n, err := i.Value.(calculator.Calculator).Compute(ctx, 'A', 10)
	if err == nil && n != 75 {
		err = fmt.Errorf("the result is %d", n)
	}
	return errors.Join(err, i.Destroy(ctx))
}
