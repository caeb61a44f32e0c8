package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	lib "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fscommon"
	"golang.org/x/sys/unix"
)

// Event is what is said of a group that is watched: that it happened, or, with Err, why
// it cannot be told any more.
type Event struct{ Err error }

// ErrRemoved: somebody has removed a group that is watched.
var ErrRemoved = errors.New("somebody has removed the control group")

// WatchEvents calls tell once when a count in a file of events is not zero, or cannot be
// watched any more. What was counted while nobody watched counts. Where the kernel does
// not say that the file changes, it is looked at every so often; 0 is never. Stop ends
// the watching and waits until tell has returned, or is never called; calling it twice is
// calling it once.
func WatchEvents(folder, file, count string, every time.Duration, tell func(Event)) (stop func(), err error) {
	path := filepath.Join(folder, file)
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY|unix.IN_DELETE_SELF); err != nil {
		return nil, errors.Join(fmt.Errorf("watch %s: %w", path, err), unix.Close(fd))
	}
	return watch(os.NewFile(uintptr(fd), path), every, func() (bool, error) {
		n, err := fscommon.GetValueByKey(folder, file, count)
		return n > 0, err
	}, tell), nil
}

// WatchOOM calls tell once when a group of version 1 is out of memory, or cannot be
// watched any more; see WatchEvents. The kernel signals the groups below one that is out
// of memory as well, and a group that is removed: it tells what is meant.
func WatchOOM(folder string, it func() (bool, error), tell func(Event)) (stop func(), err error) {
	path := filepath.Join(folder, "memory.oom_control")
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	events := os.NewFile(uintptr(fd), path)
	control, err := lib.OpenFile(folder, "memory.oom_control", os.O_RDONLY)
	if err == nil {
		err = lib.WriteFile(folder, "cgroup.event_control", fmt.Sprintf("%d %d", fd, control.Fd()))
		_ = control.Close() // it was only read
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch %s: %w", path, err), events.Close())
	}
	return watch(events, 0, it, tell), nil
}

// watch reads a descriptor of events until one is it, or it is closed. It looks once
// before, for what came while nobody watched.
func watch(events *os.File, every time.Duration, it func() (bool, error), tell func(Event)) (stop func()) {
	var once sync.Once
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			happened, err := it()
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
				err = ErrRemoved
			}
			if happened || err != nil {
				tell(Event{Err: err})
				return
			}
			if every > 0 {
				err = events.SetReadDeadline(time.Now().Add(every))
			}
			if err == nil {
				_, err = events.Read(buffer)
			}
			switch {
			case errors.Is(err, os.ErrClosed):
				return
			case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
				tell(Event{Err: err})
				return
			}
		}
	}()
	return func() {
		once.Do(func() { _ = events.Close() }) // ends the read
		<-done
	}
}
