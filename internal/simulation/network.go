package simulation

import "time"

// wire is one direction between two programs: what is sent arrives in order, later,
// or not at all.
type line struct {
	w    *World
	last time.Time // when what was sent last arrives
	cut  bool      // nothing arrives any more
}

const (
	fastest = time.Millisecond
	slowest = 40 * time.Millisecond
)

// send has something arrive.
func (l *line) send(do func()) {
	arrives := l.w.now.Add(l.w.between(fastest, slowest))
	if arrives.Before(l.last) {
		arrives = l.last
	}
	l.last = arrives
	l.w.at(arrives, func() {
		if !l.cut {
			do()
		}
	})
}

// road is the two directions between the master and one slave, as they are now. When
// one of the two ends, or the network between them does, a new road is built, and
// whoever watched the other side hears of the end.
type road struct {
	toSlave, toMaster       *line
	slaveWatch, masterWatch bool // who has linked
}

func (w *World) newRoad() *road {
	return &road{toSlave: &line{w: w}, toMaster: &line{w: w}}
}

// tear ends a road. Those who are still there and watch it are told, a little later.
func (w *World) tear(s *slaveNode) {
	old := s.road
	old.toSlave.cut, old.toMaster.cut = true, true
	s.road = w.newRoad()
	if old.slaveWatch {
		life, pid := s.life, w.master.pid
		w.after(w.between(fastest, slowest), func() {
			if s.up && s.life == life {
				s.exited(pid)
			}
		})
	}
	if old.masterWatch {
		life := w.master.life
		w.after(w.between(fastest, slowest), func() {
			if w.master.up && w.master.life == life {
				w.master.exited(s.pid)
			}
		})
	}
}
