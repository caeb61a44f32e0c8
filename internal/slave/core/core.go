package core

import (
	"fmt"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/slave/updates"
)

// How much of what is over the agent remembers, as in Mesos.
const (
	maxCompletedFrameworks = 50
	maxCompletedTasks      = 200 // of an executor
)

// phase is how far the agent has come.
//
//	recovering -> reconnecting -> disconnected <-> running
//	                   \________________\____________\____> terminating
type phase int

const (
	recovering   phase = iota // nothing is known yet
	reconnecting              // executors of the agent before come back
	disconnected              // from the master, or not registered yet
	running                   // registered
	terminating               // waits for its executors to end, then ends
)

// Core is the state machine. It is for one goroutine.
type Core struct {
	cfg   Config
	now   time.Time
	out   []Effect
	phase phase

	info       *mesosv1.AgentInfo // with its id, once it has one
	saved      bool               // the id is written down
	adopting   bool               // what an agent before has left is being read
	version    []byte             // of the resources; new for every process
	recovered  time.Time
	fatal      bool // Exit has been said
	registered registration

	frameworks []*framework // in the order in which they came
	byID       map[string]*framework
	completed  []*framework

	containers map[string]*run
	streams    map[StreamID]*run

	updates *updates.Manager
	pipes   map[updates.Task]*pipe
	drain   *mesosv1.DrainConfig
	drained time.Time // when draining began

	oversubscribed []*mesosv1.Resource

	tickets map[Ticket]func(Event)
	ticket  Ticket
	timers  timers
	counts  counts
}

// New makes an agent that has not recovered yet.
func New(cfg Config) *Core {
	c := &Core{
		cfg: cfg, info: cfg.Info, now: cfg.Started,
		byID: map[string]*framework{}, containers: map[string]*run{}, streams: map[StreamID]*run{},
		updates: updates.New(), pipes: map[updates.Task]*pipe{}, tickets: map[Ticket]func(Event){},
	}
	c.version = c.uuid()
	return c
}

// Handle takes one event and returns what is to be done. The slice is the caller's.
// Where now is before that of the call before, the clock was set back: what waits then
// goes on waiting for as long as was left.
func (c *Core) Handle(now time.Time, e Event) []Effect {
	if back := c.now.Sub(now); back > 0 {
		c.timers.setBack(back)
		c.updates.SetBack(back)
	}
	c.now, c.out = now, nil
	c.fire()
	c.dispatch(e)
	out := c.out
	c.out = nil
	return out
}

// Next is when the core wants a Tick; zero: only after another event.
func (c *Core) Next() time.Time {
	next := c.timers.next()
	if at := c.updates.Next(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
		next = at
	}
	return next
}

func (c *Core) dispatch(e Event) {
	switch e := e.(type) {
	case Recovered:
		c.recover(e)
	case MasterDetected:
		c.detected(e)
	case AuthenticationDone:
		c.answer(e.Ticket, e)
	case MasterMessage:
		c.fromMaster(e)
	case MasterExited:
		c.masterExited(e.PID)
	case ExecutorCall:
		c.executorCall(e)
	case StreamGone:
		c.streamGone(e.Stream)
	case Launched:
		c.answer(e.Ticket, e)
	case Terminated:
		c.terminated(e)
	case Updated:
		c.answer(e.Ticket, e)
	case ContainerStatus:
		c.answer(e.Ticket, e)
	case Hooked:
		c.answer(e.Ticket, e)
	case CheckpointFailed:
		c.checkpointFailed(e)
	case Oversubscribable:
		c.oversubscribable(e.Resources)
	case Corrections:
		c.correct(e.Corrections)
	case Tick: // fire has done it
	case Stop:
		c.stop()
	default:
		c.log(Error, "an event of unknown type %T is left out", e)
	}
}

// fire does what is due by now, but for what only comes up while it does.
func (c *Core) fire() {
	last := c.timers.made
	for t := c.timers.due(c.now, last); t != nil; t = c.timers.due(c.now, last) {
		t.do()
	}
	if at := c.updates.Next(); !at.IsZero() && !at.After(c.now) {
		for _, u := range c.updates.Due(c.now) {
			c.emit(c.forward(u))
		}
	}
}

// stop ends the agent and leaves its executors alone.
func (c *Core) stop() {
	c.updates.Pause()
	c.registered.retry.stop()
	c.registered.ping.stop()
}

func (c *Core) emit(effects ...Effect) {
	for _, e := range effects {
		if e != nil {
			c.out = append(c.out, e)
		}
	}
}

// write emits a checkpoint and what follows from it.
func (c *Core) write(checkpoint Checkpoint, then ...Effect) {
	c.emit(Write{Checkpoint: checkpoint, Then: then})
}

// ask makes the ticket of a question; do takes the answer, in a later event.
func (c *Core) ask(do func(Event)) Ticket {
	c.ticket++
	c.tickets[c.ticket] = do
	return c.ticket
}

// answer gives an answer to who asked, once.
func (c *Core) answer(t Ticket, e Event) {
	if do, ok := c.tickets[t]; ok {
		delete(c.tickets, t)
		do(e)
	}
}

func (c *Core) toMaster(m message) Effect {
	if c.registered.master.IsZero() {
		return nil
	}
	return ToMaster{To: c.registered.master, Message: m}
}

func (c *Core) log(level Level, format string, args ...any) {
	c.emit(Log{Level: level, Text: fmt.Sprintf(format, args...)})
}

// exit ends the daemon, once.
func (c *Core) exit(failed bool, format string, args ...any) {
	if !c.fatal {
		c.fatal = true
		c.emit(Exit{Reason: fmt.Sprintf(format, args...), Failed: failed})
	}
}

// uuid makes 16 bytes in the form of a random UUID.
func (c *Core) uuid() []byte {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(c.cfg.Random.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return b
}

// uuidText is a random UUID as text.
func (c *Core) uuidText() string {
	b := c.uuid()
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// within is a random time in [0, d).
func (c *Core) within(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(c.cfg.Random.Int64N(int64(d)))
}

// self is the address of the agent's process.
func (c *Core) self() libprocess.PID { return c.cfg.PID }

func (c *Core) agentID() *mesosv1.AgentID { return c.info.GetId() }
