package core

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/wire"
)

// observer pings one agent, and has it marked unreachable when it does not answer.
type observer struct {
	name     string // of its process
	agent    *agent
	pinged   bool // the last ping is not answered
	timeouts int  // pings in a row without an answer
	ping     *timer
	removal  *permit // scheduled
}

// observe begins to ping an agent, at once.
func (c *Core) observe(a *agent) {
	c.observerCount++
	o := &observer{name: fmt.Sprintf("slave-observer(%d)", c.observerCount), agent: a}
	a.observer = o
	c.observers[o.name] = o
	o.send(c)
}

func (o *observer) send(c *Core) {
	o.pinged = true
	c.emit(ToAgent{To: o.agent.pid, From: o.name,
		Message: &wire.PingSlaveMessage{Connected: proto.Bool(o.agent.connected)}})
	o.ping = c.after(c.config.AgentPingTimeout, func() { o.timeout(c) })
}

// timeout goes on with pinging even if the agent is to be removed: it may still answer.
func (o *observer) timeout(c *Core) {
	if o.pinged {
		o.timeouts++
		if o.timeouts >= c.config.MaxAgentPingTimeouts && o.removal == nil && c.changing[o.agent.id] == "" {
			o.schedule(c)
		}
	}
	if c.observers[o.name] == o {
		o.send(c)
	}
}

func (o *observer) schedule(c *Core) {
	c.counts.add("slave_unreachable_scheduled", 1)
	p := c.removals.acquire(c, func() {
		o.removal = nil
		c.counts.add("slave_unreachable_completed", 1)
		c.markUnreachable(o.agent, "health check timed out")
	})
	if p.do != nil {
		o.removal = p
	}
}

func (o *observer) pong(c *Core) {
	o.timeouts, o.pinged = 0, false
	o.cancel(c)
}

func (o *observer) cancel(c *Core) {
	if o.removal != nil {
		o.removal.give()
		o.removal = nil
		c.counts.add("slave_unreachable_canceled", 1)
	}
}

// end ends the observer with its agent.
func (o *observer) end(c *Core) {
	c.stop(o.ping)
	o.cancel(c)
	delete(c.observers, o.name)
}

// limiter spaces removals of agents: one every so often, in the order in which they
// were asked for. Without a rate all are at once.
type limiter struct {
	queue []*permit
	free  time.Time // the moment from which on the next may go
	timer *timer
}

// permit is the turn of one removal. Do is nil when it is used or given back.
type permit struct{ do func() }

// acquire does something when it may be done, which can be before it returns.
func (l *limiter) acquire(c *Core, do func()) *permit {
	p := &permit{do}
	l.queue = append(l.queue, p)
	if l.timer == nil {
		l.next(c)
	}
	return p
}

// give gives a permit back that is not used.
func (p *permit) give() { p.do = nil }

// next lets go whoever may.
func (l *limiter) next(c *Core) {
	l.timer = nil
	for len(l.queue) > 0 {
		p := l.queue[0]
		if p.do == nil {
			l.queue = l.queue[1:]
			continue
		}
		if c.now.Before(l.free) {
			l.timer = c.after(l.free.Sub(c.now), func() { l.next(c) })
			return
		}
		l.queue = l.queue[1:]
		if rate := c.config.AgentRemovalRate; rate.N > 0 {
			l.free = c.now.Add(rate.Per / time.Duration(rate.N))
		}
		do := p.do
		p.do = nil
		do()
	}
}
