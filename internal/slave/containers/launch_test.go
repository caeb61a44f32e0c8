package containers_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/containers"
)

// sequence is a launch.
var sequence = []string{
	"big supports", "small supports",
	"first prepare", "second prepare", "logger prepare", "small launch",
	"small watch", "first watch", "second watch",
	"first isolate", "second isolate",
	"fetch file for nobody", "hook", "small start",
}

// cleanup is the end of a container whose process was made.
var cleanup = []string{"small destroy", "second cleanup", "first cleanup", "small end"}

// undone is the end of a launch that came to a step.
func undone(step string) []string {
	if slices.Index(sequence, step) < slices.Index(sequence, "small launch") {
		return []string{"second cleanup", "first cleanup"}
	}
	return cleanup
}

// upTo is the launch up to a step that failed or waited. What goes on at once goes on.
func upTo(step string) []string {
	last := slices.Index(sequence, step)
	if strings.HasSuffix(step, " isolate") {
		last = slices.Index(sequence, "second isolate")
	}
	return slices.Clone(sequence[:last+1])
}

func TestLaunch(t *testing.T) {
	b := newBench(t)
	b.launched("one")
	assert.Equal(t, sequence, b.done())
	b.forget()
	b.small.exit(id("one"), 256)
	termination, err := b.Wait(t.Context(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, cleanup, b.done())
	assert.Equal(t, int32(256), termination.GetStatus())
	assert.Nil(t, termination.State)
	assert.True(t, proto.Equal(termination, b.small.ended["one"]))
	assert.Empty(t, b.Containers())
}

func TestALaunchThatFails(t *testing.T) {
	for _, step := range sequence {
		if step == "hook" || strings.HasSuffix(step, "supports") {
			continue
		}
		t.Run("at "+step, func(t *testing.T) {
			b := newBench(t)
			b.fail(step, errBroken)
			failed, release := b.launching(t.Context(), step)
			release()
			require.ErrorIs(t, <-failed, errBroken)
			assert.Equal(t, append(upTo(step), undone(step)...), b.done())
			termination, err := b.Wait(t.Context(), id("one"))
			require.NoError(t, err)
			assert.Equal(t, mesosv1.TaskState_TASK_FAILED, termination.GetState())
			assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, termination.GetReason())
			assert.Contains(t, termination.GetMessage(), "Failed to launch container: ")
			assert.Empty(t, b.Containers())
			_, err = b.Wait(t.Context(), id("one"))
			assert.ErrorIs(t, err, containers.ErrUnknown, "it was told")
		})
		if strings.HasSuffix(step, " watch") {
			continue // it returns at once
		}
		t.Run("because it is destroyed at "+step, func(t *testing.T) {
			b := newBench(t)
			failed, release := b.launching(t.Context(), step)
			defer release()
			_, err := b.Destroy(t.Context(), id("one"))
			require.NoError(t, err)
			assert.Error(t, <-failed)
			assert.Equal(t, append(upTo(step), undone(step)...), b.done())
			assert.Empty(t, b.Containers())
		})
		t.Run("because nobody wants it any more at "+step, func(t *testing.T) {
			b := newBench(t)
			ctx, cancel := context.WithCancel(t.Context())
			failed, release := b.launching(ctx, step)
			defer release()
			cancel()
			require.ErrorIs(t, <-failed, context.Canceled)
			assert.Equal(t, append(upTo(step), undone(step)...), b.done())
			assert.Empty(t, b.Containers())
		})
		t.Run("because the agent stops at "+step+", which leaves it to the next", func(t *testing.T) {
			b := newBench(t)
			failed, release := b.launching(t.Context(), step)
			defer release()
			require.NoError(t, b.Close(t.Context()))
			assert.Error(t, <-failed)
			assert.Equal(t, upTo(step), b.done())
		})
	}
	t.Run("because a containerizer says why it cannot take the container, and no other does", func(t *testing.T) {
		b := newBench(t)
		b.small.refuses = true
		b.fail("big supports", errBroken)
		_, err := b.Launch(t.Context(), b.request("one"))
		require.ErrorIs(t, err, errBroken)
		assert.ErrorContains(t, err, "containerizer big")
		assert.Equal(t, []string{"big supports", "small supports", "second cleanup", "first cleanup"}, b.done())
	})
	t.Run("because the process ends while it is held", func(t *testing.T) {
		b := newBench(t)
		failed, release := b.launching(t.Context(), "first isolate")
		defer release()
		b.small.exit(id("one"), 9)
		assert.Error(t, <-failed)
		assert.Equal(t, append(upTo("first isolate"), cleanup...), b.done())
	})
	t.Run("because it breaks a limit while its files are fetched", func(t *testing.T) {
		b := newBench(t)
		failed, release := b.launching(t.Context(), "fetch file for nobody")
		defer release()
		b.limits["first"](&slave.ContainerLimitation{Message: proto.String("too big")})
		assert.Error(t, <-failed)
		termination, err := b.Wait(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, "too big", termination.GetMessage())
		assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION, termination.GetReason())
	})
	t.Run("because the sandbox is not there", func(t *testing.T) {
		b := newBench(t)
		request := b.request("one")
		request.Config.Directory = proto.String(filepath.Join(t.TempDir(), "gone"))
		_, err := b.Launch(t.Context(), request)
		assert.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("because its process cannot be written down", func(t *testing.T) {
		b := newBench(t)
		request := b.request("one")
		request.PIDFile = filepath.Join(request.Config.GetDirectory(), "file", "pid")
		require.NoError(t, os.WriteFile(filepath.Join(request.Config.GetDirectory(), "file"), nil, 0o600))
		_, err := b.Launch(t.Context(), request)
		assert.ErrorContains(t, err, "write down the process")
		assert.Equal(t, append(upTo("small launch"), cleanup...), b.done())
	})
}

func TestAHookThatFailsChangesNothing(t *testing.T) {
	b := newBench(t)
	b.fail("hook", errBroken)
	b.launched("one")
	assert.Equal(t, sequence, b.done())
	assert.Contains(t, b.logged(), "broken on purpose")
}

func TestThePidIsWrittenBeforeAnythingRuns(t *testing.T) {
	b := newBench(t)
	request := b.request("one")
	request.PIDFile = filepath.Join(t.TempDir(), "pids", "forked.pid")
	release := b.block("first isolate")
	done := make(chan error, 1)
	go func() {
		_, err := b.Launch(t.Context(), request)
		done <- err
	}()
	<-b.reached
	text, err := os.ReadFile(request.PIDFile)
	require.NoError(t, err)
	assert.Equal(t, "42", string(text))
	release()
	require.NoError(t, <-done)
}

func TestWhoLaunches(t *testing.T) {
	t.Run("nobody before the containers of the last agent are recovered", func(t *testing.T) {
		_, err := unrecovered(t).Launch(t.Context(), containers.LaunchRequest{ID: id("one"), Config: &slave.ContainerConfig{}})
		assert.ErrorContains(t, err, "recovered")
	})
	t.Run("nobody after the agent has stopped", func(t *testing.T) {
		b := newBench(t)
		require.NoError(t, b.Close(t.Context()))
		_, err := b.Launch(t.Context(), b.request("one"))
		assert.ErrorContains(t, err, "stops")
	})
	t.Run("a container that is there is not launched again", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.forget()
		outcome, err := b.Launch(t.Context(), b.request("one"))
		require.NoError(t, err)
		assert.Equal(t, containers.AlreadyLaunched, outcome)
		assert.Empty(t, b.done())
	})
	t.Run("no containerizer supports it", func(t *testing.T) {
		b := newBench(t)
		b.small.refuses = true
		outcome, err := b.Launch(t.Context(), b.request("one"))
		require.NoError(t, err)
		assert.Equal(t, containers.NotSupported, outcome)
		assert.Equal(t, []string{"big supports", "small supports"}, b.done())
		assert.Empty(t, b.Containers())
	})
	t.Run("another one does", func(t *testing.T) {
		b := newBench(t)
		b.fail("big supports", errBroken)
		outcome, err := b.Launch(t.Context(), b.request("one"))
		require.NoError(t, err)
		assert.Equal(t, containers.Success, outcome)
		assert.Equal(t, "small start", b.done()[len(b.done())-1])
	})
	t.Run("the first that supports it", func(t *testing.T) {
		b := newBench(t)
		b.big.refuses = false
		b.launched("one")
		assert.Equal(t, "big start", b.done()[len(b.done())-1])
		found, err := b.Kill(t.Context(), id("one"), 15)
		require.NoError(t, err)
		assert.True(t, found)
		assert.Equal(t, "big kill", b.done()[len(b.done())-1], "later calls go where it was launched")
	})
}
