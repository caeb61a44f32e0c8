package simulation

import (
	"time"
)

// settled reports whether there is nothing left to wait for.
func (w *World) settled() bool {
	if !w.master.up {
		return false
	}
	for _, f := range w.frameworks {
		if f.link == nil || f.launched < f.wanted {
			return false
		}
		for _, t := range f.tasks {
			if !t.over {
				return false
			}
		}
	}
	for _, s := range w.slaves {
		if !s.up {
			return false
		}
		for _, c := range s.containers {
			if !c.gone {
				return false
			}
		}
	}
	for _, f := range w.master.core.View().Frameworks {
		if len(f.Tasks)+len(f.Unreachable)+len(f.Pending) > 0 {
			return false
		}
	}
	return true
}

// check holds the end against what it has to be.
func (w *World) check() {
	for _, f := range w.frameworks {
		if f.launched < f.wanted {
			w.wrong("%s has launched %d of %d tasks in %v", f.name, f.launched, f.wanted, w.now.Sub(begin))
		}
		for _, id := range f.order {
			if t := f.tasks[id]; !t.over {
				w.wrong("task %s has not come to an end that %s knows: %v", id, f.name, t.states)
			}
		}
	}
	for _, s := range w.slaves {
		for _, id := range s.order {
			if c := s.containers[id]; !c.gone {
				w.wrong("a container of %s is left on %s", c.config.GetExecutorInfo().GetExecutorId().GetValue(), s.name)
			}
		}
	}
	w.checkBooks()
}

// checkBooks holds that nothing is in use any more, by the master's word and by the
// allocator's. What is offered at this moment is given back first.
func (w *World) checkBooks() {
	for _, f := range w.frameworks { // declined offers come back
		f.wanted = f.launched
	}
	w.run(w.now.Add(5 * time.Second))
	view := w.master.core.View()
	for _, a := range view.Agents {
		if !a.Used.Empty() {
			w.wrong("the master has %v of agent %s in use", a.Used, a.Info.GetId().GetValue())
		}
		l := w.master.books.agents[a.Info.GetId().GetValue()]
		if l == nil {
			w.wrong("the allocator does not know agent %s", a.Info.GetId().GetValue())
			continue
		}
		out := l.total.Sub(l.free())
		if !out.Equal(a.Offered.Unallocate()) {
			w.wrong("of agent %s the allocator has given %v, and the master has offered %v", a.Info.GetId().GetValue(), out, a.Offered)
		}
	}
	for _, f := range view.Frameworks {
		for _, t := range f.Tasks {
			w.wrong("the master keeps task %s, which is %v", t.GetTaskId().GetValue(), t.GetState())
		}
	}
}
