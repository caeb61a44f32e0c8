package simulation

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/registry"
	"github.com/mesos-modules/mms/internal/slave/checkpoint"
)

// Outcome is what came of a run.
type Outcome struct {
	Problems []string // none: all is well
	Tasks    int      // that were launched
	Crashes  int      // of masters, agents and executors
	Updates  int      // that frameworks heard of, each counted once
}

// How long the trouble lasts, and how long it takes at most until all is over then:
// an agent that was given up may come back, one that is not known any more is not
// waited for longer than this.
const (
	trouble = 3 * time.Minute
	quiet   = 40 * time.Minute
)

// Run is one seed. Dir is for the agents' disks, and is empty. Trace, if it is not
// nil, is given every line of what happens.
func Run(seed uint64, dir string, trace func(line string)) (Outcome, error) {
	w := &World{now: begin, random: rand.New(rand.NewPCG(seed, 0)), trace: trace}
	w.master = &masterNode{w: w, registry: registry.InMemory(),
		pid: libprocess.PID{Name: "master", Addr: netip.MustParseAddrPort("10.0.0.2:5050")}}
	w.ticking = append(w.ticking, w.master)
	for n := range 1 + w.random.IntN(3) {
		s := &slaveNode{w: w, name: fmt.Sprintf("slave-%d", n), pid: slavePID(n + 1), work: filepath.Join(dir, fmt.Sprintf("slave-%d", n)),
			containers: map[string]*container{}, acknowledged: map[string]bool{}, road: w.newRoad()}
		disk, err := checkpoint.Open(s.work)
		if err != nil {
			return Outcome{}, err
		}
		defer func() { _ = disk.Close() }() // nothing is written any more
		s.disk = disk
		w.slaves, w.ticking = append(w.slaves, s), append(w.ticking, s)
	}
	for n := range 1 + w.random.IntN(3) {
		w.frameworks = append(w.frameworks, &framework{w: w, name: fmt.Sprintf("f%d", n), aware: w.oneIn(2),
			wanted: 3 + w.random.IntN(15), tasks: map[string]*task{}})
	}
	f := &faults{w: w}
	w.live(f)
	return w.outcome(f), nil
}

// live is the whole run.
func (w *World) live(f *faults) {
	w.master.start()
	for _, s := range w.slaves {
		w.after(w.between(0+1, 5*time.Second), s.start)
	}
	for _, x := range w.frameworks {
		w.after(w.between(0+1, 5*time.Second), x.subscribe)
		x.live()
	}
	f.begin()
	w.run(begin.Add(trouble))
	f.end()
	for end := w.now.Add(quiet); w.now.Before(end) && len(w.problems) == 0 && !w.settled(); {
		w.run(w.now.Add(10 * time.Second))
	}
	if len(w.problems) == 0 {
		w.check()
	}
}

func (w *World) outcome(f *faults) Outcome {
	o := Outcome{Problems: w.problems, Crashes: f.crashes}
	for _, x := range w.frameworks {
		o.Tasks += len(x.order)
		for _, t := range x.tasks {
			o.Updates += len(t.seen)
		}
	}
	return o
}
