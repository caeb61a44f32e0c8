package process_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

const module = "org_example_calculator"

// gone requires that err says that the library's process has ended.
func gone(t testing.TB, err error, m vehicle.Mortal) *vehicle.GoneError {
	t.Helper()
	var g *vehicle.GoneError
	require.ErrorAs(t, err, &g)
	if m != nil {
		assert.Equal(t, m.PID(), g.PID)
		awaitGone(t, m)
		cause := *m.Cause()
		cause.Module = g.Module
		assert.Equal(t, cause, *g)
	}
	return g
}

func awaitGone(t testing.TB, m vehicle.Mortal) {
	t.Helper()
	select {
	case <-m.Gone():
	case <-time.After(soon):
		require.Fail(t, "it is still there")
	}
}

// Processes that never come to serve, or not for long.
func TestLaunchFaults(t *testing.T) {
	program := build(t, "library")
	for _, c := range []struct {
		name, end, detail, said string
		limit                   time.Duration
	}{
		{name: "leaves", end: "exited", detail: "exit status 0"},
		{name: "fails", end: "exited", detail: "exit status 5", said: "there is no licence"},
		{name: "hangs", end: "hung", detail: "it was not open in time", limit: 300 * time.Millisecond},
		{name: "garbage", end: "disorder"},
		{name: "forks and leaves", end: "exited", detail: "exit status 0"},
		{name: "killed", end: "signaled", detail: "SIGKILL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newFixture()
			path := as(t, program, c.name)
			f := look(t, path)
			d, ok, err := x.Recognise(f)
			require.NoError(t, err)
			require.True(t, ok)
			ctx, cancel := context.WithCancel(t.Context())
			if c.limit > 0 {
				ctx, cancel = context.WithTimeout(ctx, c.limit)
			}
			defer cancel()
			m, _, err := x.Launch(ctx, f, d, vehicle.Confinement{})
			assert.Nil(t, m)
			g := gone(t, err, nil)
			assert.Equal(t, c.end, g.End.String(), err)
			assert.Contains(t, g.Detail, c.detail)
			assert.Equal(t, c.said, g.Said)
			assert.Equal(t, path, g.Library)
			assert.Positive(t, g.PID)
			if c.limit > 0 {
				assert.ErrorIs(t, err, context.DeadlineExceeded)
			}
			if c.name == "forks and leaves" {
				requireEnded(t, x.said)
			}
		})
	}

	t.Run("a description without end is refused", func(t *testing.T) {
		_, _, err := newFixture().tryLaunch(t, as(t, program, "huge"), vehicle.Confinement{})
		var r *vehicle.Refusal
		require.ErrorAs(t, err, &r)
		assert.Equal(t, finding.LibraryOpens, r.Rule)
		assert.Contains(t, r.Problem, "bytes, and 8388608 are allowed")
	})
}

// requireEnded waits for the end of the process whose number was printed.
func requireEnded(t *testing.T, said *book) {
	t.Helper()
	_, number, found := strings.Cut(said.String(), "left ")
	require.True(t, found, said)
	number, _, _ = strings.Cut(number, `"`)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(soon); ; <-tick.C {
		state, err := os.ReadFile("/proc/" + number + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		require.False(t, time.Now().After(limit), "what it left is still there: %s", state)
	}
}

// What a module does to its process while the daemon waits for it.
func TestModuleFaults(t *testing.T) {
	program := build(t, "library")
	steps := []struct {
		name string
		as   string // name of the program
		at   string
		do   func(t *testing.T, m vehicle.Mortal, p []string) error
	}{
		{"in its own check", "compatible-", "", func(t *testing.T, m vehicle.Mortal, _ []string) error {
			return m.Compatible(t.Context(), module, &daemon{})
		}},
		{"in its constructor", "", "new", func(t *testing.T, m vehicle.Mortal, p []string) error {
			_, err := m.Create(t.Context(), module, &daemon{}, parameters(p...))
			return err
		}},
		{"in a call", "", "call", func(t *testing.T, m vehicle.Mortal, p []string) error {
			_, err := create[calculator.Calculator](t, m, module, &daemon{}, p...).Compute(t.Context(), 'A', 10)
			return err
		}},
		{"in its clean-up", "", "close", func(t *testing.T, m vehicle.Mortal, p []string) error {
			i, err := m.Create(t.Context(), module, &daemon{}, parameters(p...))
			require.NoError(t, err)
			return i.Destroy(t.Context())
		}},
	}
	faults := []struct{ does, end, detail, said string }{
		{"exit", "exited", "exit status 7", "I will not go on"},
		{"crash", "exited", "exit status 2", "panic: in the background"},
		{"killed", "signaled", "SIGKILL", ""},
		{"stop", "hung", "no sign of life for 400ms", ""},
		{"close every descriptor", "", "", ""},
	}
	for _, f := range faults {
		for _, s := range steps {
			t.Run(f.does+" "+s.name, func(t *testing.T) {
				x := newFixture()
				name := "library"
				if s.as != "" {
					name = s.as + f.does
				}
				limits := vehicle.Confinement{}
				if f.does == "stop" {
					limits.Heartbeat = 400 * time.Millisecond
				}
				m, _, err := x.tryLaunch(t, as(t, program, name), limits)
				require.NoError(t, err)
				defer func() { assert.NoError(t, m.Close(), "what is gone can be closed") }()
				g := gone(t, s.do(t, m, []string{"at", s.at, "does", f.does}), m)
				assert.Equal(t, module, g.Module)
				if f.end != "" {
					assert.Equal(t, f.end, g.End.String())
				}
				assert.Contains(t, g.Detail, f.detail)
				assert.Contains(t, g.Said, f.said)

				_, err = m.Create(t.Context(), module, &daemon{}, nil)
				gone(t, err, m)
				gone(t, m.Compatible(t.Context(), module, &daemon{}), m)
			})
		}
	}

	t.Run("one that closes what it has not opened harms nobody but itself", func(t *testing.T) {
		m := newFixture().launch(t, program)
		n, err := create[calculator.Calculator](t, m, module, &daemon{}, "does", "close descriptors").Compute(t.Context(), 'A', 10)
		if err != nil { // what the runtime waits with is among them
			gone(t, err, m)
			return
		}
		assert.Equal(t, int32(75), n)
	})
}

// A process that speaks the daemon's language and tells nonsense.
func TestLiars(t *testing.T) {
	program := build(t, "library")
	for what, detail := range map[string]string{
		"without JSON":     "makes no sense",
		"without anything": "describe is not known",
		"who panics":       "there is no bottom",
	} {
		t.Run(what, func(t *testing.T) {
			_, _, err := newFixture().tryLaunch(t, as(t, program, "liar "+what), vehicle.Confinement{})
			g := gone(t, err, nil)
			assert.Equal(t, vehicle.EndDisorder, g.End)
			assert.Contains(t, g.Detail, detail)
		})
	}
	t.Run("who hangs up", func(t *testing.T) {
		_, _, err := newFixture().tryLaunch(t, as(t, program, "liar who hangs up"), vehicle.Confinement{})
		gone(t, err, nil)
	})
	t.Run("from the future is refused as such", func(t *testing.T) {
		_, _, err := newFixture().tryLaunch(t, as(t, program, "liar from the future"), vehicle.Confinement{})
		var r *vehicle.Refusal
		require.ErrorAs(t, err, &r)
		assert.Equal(t, finding.Handshake, r.Rule)
		assert.Contains(t, r.Problem, "7 to 9")
	})
	t.Run("is not believed, and cut short", func(t *testing.T) {
		m, d, err := newFixture().tryLaunch(t, as(t, program, "liar of Calculator"), vehicle.Confinement{})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close()) }()
		assert.Equal(t, vehicle.Process, d.Vehicle)
		assert.Len(t, d.MesosVersion, 4096)
		assert.Len(t, d.Modules[0].Flaws[0], 4096)
		_, err = create[calculator.Calculator](t, m, module, &daemon{}).Compute(t.Context(), 'A', 10)
		require.ErrorContains(t, err, "Compute")
		_, err = m.Create(t.Context(), "org_example_nothing", &daemon{}, nil)
		require.ErrorContains(t, err, `the instance is of the role "Calculator", which is not the module's`)
	})
}

func TestDetection(t *testing.T) {
	m := newFixture().launch(t, build(t, "hello"))
	c := create[calculator.Calculator](t, m, module, &daemon{})
	_, err := c.Compute(t.Context(), 0, 0)
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, syscall.Kill(m.PID(), syscall.SIGKILL))
	awaitGone(t, m)
	t.Logf("a killed process is found after %v", time.Since(began))
	_, err = c.Compute(t.Context(), 0, 0)
	assert.Equal(t, vehicle.EndSignaled, gone(t, err, m).End)
}

func TestLibraryCloses(t *testing.T) {
	program := build(t, "library")
	t.Run("though it is stopped", func(t *testing.T) {
		m := newFixture().impatient().launch(t, program)
		require.NoError(t, syscall.Kill(m.PID(), syscall.SIGSTOP))
		require.ErrorContains(t, m.Close(), "has not ended 100ms after it was asked to, and was killed")
		awaitGone(t, m)
		assert.Equal(t, vehicle.EndClosed, m.Cause().End)
	})
	t.Run("with an instance that is still being made", func(t *testing.T) {
		m := newFixture().launch(t, program)
		file := filepath.Join(t.TempDir(), "said")
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() {
			_, err := m.Create(ctx, module, &daemon{}, parameters("at", "new", "does", "hang", "file", file))
			result <- err
		}()
		awaitText(t, file, "waits\n")
		cancel()
		require.ErrorIs(t, <-result, context.Canceled)
		require.NoError(t, m.Close())
	})
	t.Run("and cannot be started again", func(t *testing.T) {
		m := newFixture().launch(t, program)
		require.NoError(t, m.Close())
		_, err := m.Again(t.Context())
		require.ErrorContains(t, err, "it has been closed")
	})
}

func TestLateInstance(t *testing.T) {
	m := newFixture().launch(t, build(t, "library"))
	file := filepath.Join(t.TempDir(), "said")
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := m.Create(ctx, module, &daemon{}, parameters("at", "new", "does", "ignore", "file", file))
		result <- err
	}()
	awaitText(t, file, "waits\n")
	cancel()
	require.ErrorIs(t, <-result, context.Canceled, "it is waited for no longer")
	require.NoError(t, os.WriteFile(file+".go", nil, 0o600))
	awaitText(t, file, "waits\nclosed\n")
}

func TestAgain(t *testing.T) {
	program := build(t, "library")
	killed := func(t *testing.T, m vehicle.Mortal) vehicle.Mortal {
		require.NoError(t, syscall.Kill(m.PID(), syscall.SIGKILL))
		awaitGone(t, m)
		return m
	}
	t.Run("the same file is started, whatever lies at its path", func(t *testing.T) {
		path := as(t, program, "library")
		m := newFixture().launch(t, path)
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.WriteFile(path, []byte("another"), 0o600))
		second, err := killed(t, m).Again(t.Context())
		require.NoError(t, err)
		require.NoError(t, m.Close(), "the first one is closed before")
		n, err := create[calculator.Calculator](t, second, module, &daemon{}).Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.Equal(t, int32(75), n)
		third, err := killed(t, second).Again(t.Context())
		require.NoError(t, err)
		require.NoError(t, second.Close())
		require.NoError(t, third.Close())
	})
	t.Run("a library that says something else is refused", func(t *testing.T) {
		m := newFixture().launch(t, as(t, program, "fickle"))
		_, err := killed(t, m).Again(t.Context())
		var r *vehicle.Refusal
		require.ErrorAs(t, err, &r)
		assert.Equal(t, finding.LibraryOpens, r.Rule)
	})
}

func TestFileReplaced(t *testing.T) {
	x := newFixture()
	path := as(t, build(t, "library"), "library")
	f := look(t, path)
	d, _, err := x.Recognise(f)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Link(build(t, "hello"), path))
	_, _, err = x.Launch(t.Context(), f, d, vehicle.Confinement{})
	var r *vehicle.Refusal
	require.ErrorAs(t, err, &r)
	assert.Equal(t, finding.LibraryFile, r.Rule)
	assert.Contains(t, r.Problem, "is another file now than the one that was verified")
}

// A process that may open few files serves all the same.
func TestFewDescriptors(t *testing.T) {
	m, _, err := newFixture().tryLaunch(t, build(t, "library"), vehicle.Confinement{OpenFiles: 32})
	require.NoError(t, err)
	defer func() { assert.NoError(t, m.Close()) }()
	require.NoError(t, answer(t.Context(), m))
}
