package simulation

import (
	"syscall"
	"time"
)

// faults are the trouble: one thing every few seconds, of what can happen.
type faults struct {
	w       *World
	over    bool
	crashes int
}

func (f *faults) begin() {
	f.w.after(f.w.between(100*time.Millisecond, 12*time.Second), func() {
		if !f.over {
			f.strike()
			f.begin()
		}
	})
}

// end heals what is broken.
func (f *faults) end() {
	f.over = true
	for _, s := range f.w.slaves {
		f.join(s)
		s.crashIn = 0
	}
}

func (f *faults) strike() {
	w := f.w
	s := w.slaves[w.random.IntN(len(w.slaves))]
	switch w.random.IntN(7) {
	case 0:
		if w.master.up {
			f.crashes++
			w.master.crash()
			w.after(w.between(100*time.Millisecond, 20*time.Second), w.master.start)
		}
	case 1:
		if s.up {
			f.crashes++
			s.crash()
			w.after(w.between(100*time.Millisecond, 20*time.Second), s.start)
		}
	case 2: // between two effects
		if s.up && s.crashIn <= 0 {
			f.crashes++
			s.crashIn = 1 + w.random.IntN(20)
		}
	case 3:
		f.kill(s)
	case 4:
		f.part(s)
	case 5:
		w.frameworks[w.random.IntN(len(w.frameworks))].broken()
	case 6:
		w.say("the road to %s breaks", s.name)
		w.tear(s)
	}
}

// kill ends an executor.
func (f *faults) kill(s *slaveNode) {
	for _, id := range s.order {
		if c := s.containers[id]; !c.gone && f.w.oneIn(2) {
			f.w.say("the executor of container %s is killed", id)
			f.crashes++
			c.ended(int32(syscall.SIGKILL))
			return
		}
	}
}

// part keeps an agent from the master for a while, so long at times that the master
// gives it up.
func (f *faults) part(s *slaveNode) {
	if s.parted {
		return
	}
	f.w.say("%s is parted", s.name)
	s.parted = true
	f.w.tear(s)
	f.w.after(f.w.between(time.Second, 100*time.Second), func() { f.join(s) })
}

func (f *faults) join(s *slaveNode) {
	if s.parted {
		f.w.say("%s is joined", s.name)
		s.parted = false
		f.w.tear(s)
	}
}
