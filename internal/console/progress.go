package console

import (
	"fmt"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
)

// patience is how long a step may take before it is named; the next reminders come
// when twice the time has passed.
const patience = time.Second

// step names a step that is under way.
type step struct {
	phase                 lifecycle.Phase
	module, library, name string
}

func stepOf(h lifecycle.Header, name string) step { return step{h.Phase, h.Module, h.Library, name} }

// reminder says that a step is still under way.
type reminder struct {
	timer *time.Timer
	after time.Duration // since the beginning
}

// remind sets the reminder of a step. c.mu is held.
func (c *Console) remind(e lifecycle.StepBegan) {
	if c.ended {
		return
	}
	r := &reminder{after: patience}
	r.timer = time.AfterFunc(patience, func() { c.still(e, r) })
	c.late[stepOf(e.Header, e.Step)] = r
}

func (c *Console) still(e lifecycle.StepBegan, r *reminder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.late[stepOf(e.Header, e.Step)] != r {
		return // it has ended meanwhile
	}
	c.line(phaseOf(e.Header), c.warn(fmt.Sprintf("still %s %s (%v of %v)", doing(e.Step), name(e.Header), r.after, e.Limit)))
	r.timer.Reset(r.after)
	r.after *= 2
}

// forget ends the reminder of a step. c.mu is held.
func (c *Console) forget(e lifecycle.StepEnded) {
	s := stepOf(e.Header, e.Step)
	if r := c.late[s]; r != nil {
		r.timer.Stop()
		delete(c.late, s)
	}
}

func name(h lifecycle.Header) string {
	if h.Module != "" {
		return oneLine(h.Module)
	}
	return oneLine(h.Library)
}

// doing is the name of a step as what is being done.
func doing(step string) string {
	switch step {
	case "open":
		return "opening"
	case "check":
		return "checking"
	case "create":
		return "creating"
	case "bind":
		return "binding"
	case "drain":
		return "draining"
	case "stop":
		return "stopping"
	case "close":
		return "closing"
	default:
		return "at the step " + step + " of"
	}
}
