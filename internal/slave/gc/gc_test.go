package gc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	day  = 24 * time.Hour
	look = 20 * time.Minute
)

// subject is a collector that runs, in a bubble with a clock of its own.
type subject struct {
	*Collector
	t      *testing.T
	folder string
	used   atomic.Pointer[any] // float64 or error
}

func run(t *testing.T, folder string) *subject {
	s := &subject{t: t, folder: folder}
	s.disk(0.0)
	c, err := New(Config{Folder: folder, Delay: 7 * day, Headroom: 0.1, Interval: look, Usage: func(of string) (float64, error) {
		assert.Equal(t, folder, of)
		switch v := (*s.used.Load()).(type) {
		case float64:
			return v, nil
		case error:
			return 0, v
		default:
			return 0, fmt.Errorf("unexpected %T", v)
		}
	}})
	require.NoError(t, err)
	s.Collector = c
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		c.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return s
}

func (s *subject) disk(used any) { s.used.Store(&used) }

func (s *subject) make(name string) string {
	path := filepath.Join(s.folder, name)
	require.NoError(s.t, os.MkdirAll(path, 0o755))
	require.NoError(s.t, os.WriteFile(filepath.Join(path, "stdout"), []byte("x"), 0o600))
	return path
}

func (s *subject) schedule(name string) string {
	path := s.make(name)
	require.NoError(s.t, s.Schedule(path, time.Now(), nil))
	return path
}

func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAPathLivesForTheDelay(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := run(t, folder)
		a := s.schedule("a")
		old := s.make("old")
		require.NoError(t, s.Schedule(old, time.Now().Add(-6*day), nil))
		assert.Equal(t, Stats{Pending: 2}, s.Stats())
		// 1 - 0.1 of the disk is to be had, so the age is 0.9 of the delay
		after(6 * time.Hour)
		assert.DirExists(t, old)
		after(2 * time.Hour)
		assert.NoDirExists(t, old)
		after(6*day - 8*time.Hour)
		assert.DirExists(t, a)
		after(8 * time.Hour)
		assert.NoDirExists(t, a)
		assert.Equal(t, Stats{Succeeded: 2}, s.Stats())
	})
}

func TestAFullDiskShortensIt(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := run(t, folder)
		a := s.schedule("a")
		after(day)
		b := s.schedule("b")
		assert.Equal(t, 7*day*9/10, s.Allowed())
		s.disk(0.8) // a tenth of seven days is left, 16.8 hours
		after(look)
		assert.InDelta(t, (7 * day / 10).Hours(), s.Allowed().Hours(), 0.01)
		assert.NoDirExists(t, a)
		assert.DirExists(t, b)
		s.disk(errors.New("no idea")) // stays as it was
		after(time.Hour)
		assert.DirExists(t, b)
		s.disk(0.95)
		after(look)
		assert.NoDirExists(t, b)
		c := s.schedule("c")
		after(time.Millisecond)
		assert.NoDirExists(t, c, "no room, no delay")
	})
}

func TestSchedulesChange(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := run(t, folder)
		a, b := s.schedule("a"), s.schedule("b")
		assert.True(t, s.Unschedule(a+"/"))
		assert.False(t, s.Unschedule(a))
		after(5 * day)
		require.NoError(t, s.Schedule(b, time.Now(), nil), "used again meanwhile")
		assert.Equal(t, Stats{Pending: 1}, s.Stats())
		after(5 * day)
		assert.DirExists(t, a)
		assert.DirExists(t, b)
		after(2 * day)
		assert.DirExists(t, a)
		assert.NoDirExists(t, b)
	})
}

func TestWhoScheduledIsTold(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := run(t, folder)
		s.disk(1.0)
		after(look)
		var told []string
		tell := func(name string) func(error) {
			return func(err error) {
				s.Unschedule(name) // may be called from here
				told = append(told, fmt.Sprint(name, " ", err))
			}
		}
		require.NoError(t, s.Schedule(s.make("a"), time.Now(), tell("a")))
		require.NoError(t, s.Schedule(filepath.Join(folder, "gone"), time.Now(), tell("gone")))
		require.NoError(t, os.Symlink("/etc", filepath.Join(folder, "etc")))
		require.NoError(t, s.Schedule(filepath.Join(folder, "etc", "passwd"), time.Now(), tell("out")))
		after(time.Second)
		assert.ElementsMatch(t, []string{"a <nil>", "out statat etc/passwd: path escapes from parent", "gone <nil>"}, told)
		assert.Equal(t, Stats{Succeeded: 2, Failed: 1}, s.Stats())
		assert.FileExists(t, "/etc/passwd")
	})
}

func TestPathsThatAreRefused(t *testing.T) {
	c, err := New(Config{Folder: "/work", Interval: 1})
	require.NoError(t, err)
	for _, path := range []string{"/work", "/", "/other", "/work/../etc", "relative"} {
		require.ErrorContains(t, c.Schedule(path, time.Now(), nil), "is not below /work", path)
	}
	for _, config := range []Config{{Folder: "work", Interval: 1}, {Folder: "/work"}, {Folder: "/work", Interval: 1, Headroom: 1.1}, {Folder: "/work", Interval: 1, Headroom: -1}} {
		_, err := New(config)
		require.Error(t, err)
	}
}

func TestRemove(t *testing.T) {
	build := func(t *testing.T, folders int) (string, string) {
		folder := t.TempDir()
		victim := filepath.Join(t.TempDir(), "victim")
		require.NoError(t, os.MkdirAll(victim, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(victim, "f"), nil, 0o600))
		for i := range folders {
			require.NoError(t, os.MkdirAll(filepath.Join(folder, "a", fmt.Sprint(i)), 0o755))
		}
		require.NoError(t, os.Symlink(victim, filepath.Join(folder, "a", "link")))
		require.NoError(t, syscall.Mkfifo(filepath.Join(folder, "a", "pipe"), 0o600))
		require.NoError(t, os.Mkdir(filepath.Join(folder, "a", "closed"), 0o000))
		return folder, victim
	}
	t.Run("everything goes, links are not followed", func(t *testing.T) {
		folder, victim := build(t, batch+10)
		require.NoError(t, Remove(t.Context(), folder, filepath.Join(folder, "a")))
		assert.NoDirExists(t, filepath.Join(folder, "a"))
		assert.FileExists(t, filepath.Join(victim, "f"))
		require.NoError(t, Remove(t.Context(), folder, filepath.Join(folder, "a")), "again")
	})
	t.Run("a file is fine", func(t *testing.T) {
		folder, victim := build(t, 2)
		require.NoError(t, Remove(t.Context(), filepath.Dir(victim), filepath.Join(victim, "f")))
		assert.DirExists(t, folder)
	})
	t.Run("it stops with its context", func(t *testing.T) {
		folder, _ := build(t, 2)
		why := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		require.ErrorIs(t, Remove(ctx, folder, filepath.Join(folder, "a")), why)
		assert.DirExists(t, filepath.Join(folder, "a", "1"))
	})
	t.Run("another file system is not entered, the rest goes", func(t *testing.T) {
		folder, _ := build(t, 2)
		root, err := os.OpenRoot(folder)
		require.NoError(t, err)
		defer root.Close()
		mount, err := mountOf(root, ".")
		require.NoError(t, err)
		// as if all of it were mounted
		r := &remover{ctx: t.Context(), root: root, mount: mount + 1}
		require.ErrorIs(t, r.remove("a"), errMount)
		assert.DirExists(t, filepath.Join(folder, "a", "1"))
		require.NoError(t, r.remove("a/pipe"))
	})
	t.Run("a folder that is none", func(t *testing.T) {
		require.ErrorIs(t, Remove(t.Context(), "/nowhere", "/nowhere/a"), fs.ErrNotExist)
	})
}

func TestUsage(t *testing.T) {
	used, err := usage(t.TempDir())
	require.NoError(t, err)
	assert.True(t, used > 0 && used < 1, used)
	_, err = usage("/nowhere")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestALongDeletionStopsWithTheAgent(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := run(t, folder)
		s.disk(1.0)
		ctx, cancel := context.WithCancel(t.Context())
		c, err := New(Config{Folder: folder, Delay: 0, Interval: time.Hour})
		require.NoError(t, err)
		path := s.make("a")
		require.NoError(t, c.Schedule(path, time.Now(), func(error) { cancel() }))
		require.NoError(t, c.Schedule(s.make("b"), time.Now().Add(time.Nanosecond), nil))
		c.Run(ctx)
		assert.NoDirExists(t, path)
		assert.DirExists(t, filepath.Join(folder, "b"))
	})
}
