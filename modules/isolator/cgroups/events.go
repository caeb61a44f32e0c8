package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
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

// Watch waits for something to happen in a group, and tells it once. All methods may be
// called from any goroutine, but not from where it tells.
type Watch struct {
	events   *os.File      // can be read when something may have happened
	every    time.Duration // or so much later; 0: never
	happened func(signalled bool) (bool, error)
	tell     func(Event)
	stop     sync.Once
	stopped  atomic.Bool
	done     chan struct{}

	mu   sync.Mutex // held while it looks and tells
	told bool
}

// WatchEvents watches for a count in a file of events that is not zero; what was counted
// before counts. Where the kernel does not say that the file changes, it is looked at
// every so often; 0 is never.
func WatchEvents(folder, file, count string, every time.Duration, tell func(Event)) (*Watch, error) {
	path := filepath.Join(folder, file)
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY|unix.IN_DELETE_SELF); err != nil {
		return nil, errors.Join(fmt.Errorf("watch %s: %w", path, err), unix.Close(fd))
	}
	return start(&Watch{events: os.NewFile(uintptr(fd), path), every: every, tell: tell, happened: func(bool) (bool, error) {
		n, err := fscommon.GetValueByKey(folder, file, count)
		return n > 0, err
	}}), nil
}

// WatchOOM watches for a group of version 1 that runs out of the memory that it may have,
// or has before. The kernel speaks up before it kills.
func WatchOOM(folder string, tell func(Event)) (*Watch, error) {
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
	return start(&Watch{events: events, tell: tell, happened: func(signalled bool) (bool, error) {
		return outOfMemory(folder, signalled)
	}}), nil
}

// outOfMemory says whether a group is out of memory by its own limit, or was. The kernel
// signals groups below one that is as well, but those were never refused anything, and
// groups that are removed.
func outOfMemory(folder string, signalled bool) (bool, error) {
	refused, err := fscommon.GetCgroupParamUint(folder, "memory.failcnt")
	if err != nil || refused == 0 || signalled {
		return refused > 0, err
	}
	under, err := fscommon.GetValueByKey(folder, "memory.oom_control", "under_oom")
	if err != nil || under > 0 {
		return under > 0, err
	}
	killed, err := fscommon.GetValueByKey(folder, "memory.oom_control", "oom_kill")
	return killed > 0, err
}

func start(w *Watch) *Watch {
	w.done = make(chan struct{})
	go w.run()
	return w
}

func (w *Watch) run() {
	defer close(w.done)
	signalled := false
	buffer := make([]byte, 4096)
	for {
		if w.look(signalled, true) {
			return
		}
		var err error
		if w.every > 0 {
			err = w.events.SetReadDeadline(time.Now().Add(w.every))
		}
		if err == nil {
			_, err = w.events.Read(buffer)
		}
		signalled = err == nil
		switch {
		case w.stopped.Load():
			return
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			w.once(Event{Err: err})
			return
		}
	}
}

// Look tells what has happened, if it has, and returns when it was told: it does not wait
// for the kernel to speak up.
func (w *Watch) Look() { w.look(false, false) }

// look says whether there is nothing to wait for any more.
func (w *Watch) look(signalled, faults bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told {
		return true
	}
	happened, err := w.happened(signalled)
	if errors.Is(removed(err), ErrRemoved) {
		err = ErrRemoved // the path says nothing to who reads why a task failed
	}
	if !happened && (err == nil || !faults) {
		return false
	}
	w.told = true
	w.tell(Event{Err: err})
	return true
}

// once tells it, unless something was told.
func (w *Watch) once(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.told {
		w.told = true
		w.tell(e)
	}
}

// Stop ends the watching and waits until nothing is told any more. Doing it twice is
// doing it once.
func (w *Watch) Stop() {
	w.stop.Do(func() {
		w.stopped.Store(true)
		_ = w.events.Close() // ends the read
	})
	<-w.done
}
