package daemon

import (
	"log/slog"
	"sync"
	"time"
)

// Verbosity is how much the daemon logs, which operators change while it runs, for a
// while. Levels are those of Apache Mesos: 0 is what the flags say, and each above
// it shows more; here all of them mean DEBUG. It may be used from any goroutine.
type Verbosity struct {
	standard slog.Level
	shown    *slog.LevelVar

	mu    sync.Mutex
	level uint32
	timer *time.Timer // takes the level back; nil at level 0
}

func newVerbosity(standard slog.Level) *Verbosity {
	v := &Verbosity{standard: standard, shown: &slog.LevelVar{}}
	v.shown.Set(standard)
	return v
}

// Level is the level that holds now.
func (v *Verbosity) Level() uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.level
}

// Set sets the level for a time; then it is 0 again.
func (v *Verbosity) Set(level uint32, lasts time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stop()
	v.level = level
	if level == 0 {
		v.shown.Set(v.standard)
		return
	}
	v.shown.Set(min(slog.LevelDebug, v.standard))
	var timer *time.Timer
	timer = time.AfterFunc(lasts, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.timer == timer { // and not set anew meanwhile
			v.timer, v.level = nil, 0
			v.shown.Set(v.standard)
		}
	})
	v.timer = timer
}

// close ends the timer.
func (v *Verbosity) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stop()
}

func (v *Verbosity) stop() {
	if v.timer != nil {
		v.timer.Stop()
		v.timer = nil
	}
}
