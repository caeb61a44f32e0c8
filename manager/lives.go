package manager

import (
	"cmp"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Life is what became of a module's instances, or of the process of a library, as
// reports and endpoints show it. It is zero for what runs in the daemon and was never
// lost.
type Life struct {
	State    LifeState
	PID      int       // of the process; 0 if there is none
	Restarts int       // so often were they, or was it, there again
	Since    time.Time // in this state; zero if that is since the start
	Last     string    // why they were, or it was, lost the last time
	Fallback string    // the module that stands in
}

// lives is what became of a process, or of a module's instances, since it was first
// made. It is guarded by Manager.mu.
type lives struct {
	state    LifeState
	since    time.Time // in this state; zero before anything happened
	restarts int
	last     string // why it was lost the last time
}

// LifeState says whether a module or the process of a library is there.
type LifeState string

// The states. Modules that no supervision concerns are always running.
const (
	Running     LifeState = "running"
	Restarting  LifeState = "restarting"  // it is lost, and is going to be started again
	Unavailable LifeState = "unavailable" // it is lost for good
	StoodInFor  LifeState = "fallback"    // it is lost, and another module stands in for it
)

// lost records that it is lost; false if that is known.
func (l *lives) lost(now time.Time, cause error) bool {
	fresh := l.state == ""
	if fresh {
		l.state, l.since = Restarting, now
	}
	l.last = cause.Error()
	return fresh
}

// restarted records that it is there again, and returns how long it was not; ok is
// false if that is known.
func (l *lives) restarted(now time.Time) (out time.Duration, ok bool) {
	if l.state == "" {
		return 0, false
	}
	out = now.Sub(l.since)
	l.state, l.since = "", now
	l.restarts++
	return out, true
}

// givenUp records that it is lost for good, or until another process is there.
func (l *lives) givenUp(now time.Time) {
	if l.state != Unavailable {
		l.state, l.since = Unavailable, now
	}
}

// life is that of a library's process. m.mu is held.
func (lib *library) life() Life {
	mortal, ok := lib.open.(vehicle.Mortal)
	if !ok {
		return Life{}
	}
	life := lib.lives.shown()
	if lib.down == nil {
		life.PID = mortal.PID()
	}
	return life
}

// lifeOf is that of a module. m.mu is held.
func (m *Manager) lifeOf(mod *module) Life {
	process := mod.library.life()
	if process == (Life{}) && mod.lives == (lives{}) {
		return Life{}
	}
	life := mod.lives.shown()
	life.PID = process.PID
	if mod.givenUp == nil {
		return life
	}
	life.State = Unavailable
	if by, _ := m.filler(mod); by != nil && !m.hopeless(mod, nil) {
		life.State, life.Fallback = StoodInFor, by.name
	}
	return life
}

func (l *lives) shown() Life {
	return Life{State: cmp.Or(l.state, Running), Restarts: l.restarts, Since: l.since, Last: l.last}
}

// header is that of events about a module outside of any phase.
func (mod *module) header() lifecycle.Header {
	return lifecycle.Header{Module: mod.name, Library: mod.library.shown()}
}
