package core

import (
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/wire"
)

// message is what travels between daemons.
type message = proto.Message

// What bounds the random time between two attempts to register.
const (
	minRegistrationRetry = 20 * time.Millisecond
	maxRegistrationRetry = time.Minute
)

// defaultPingTimeout is how long an agent waits for a ping if the master does not say.
const defaultPingTimeout = 75 * time.Second

// registration is what the agent knows of its master.
type registration struct {
	leader *mesosv1.MasterInfo
	master libprocess.PID // zero: nobody leads
	known  bool           // a leader was ever looked for

	retry   *timer // of registering or authenticating
	ping    *timer // ends the patience with a silent master
	timeout time.Duration
	attempt Ticket // of the authentication that is under way; an older one does not count
	tries   int    // of authenticating with this master
	breaks  int    // of the link, since the agent was last admitted
	linked  bool   // the link that was last asked for has not broken
}

// detected begins to register with a new leader, or waits for one.
func (c *Core) detected(e MasterDetected) {
	r := &c.registered
	r.retry.stop()
	r.ping.stop()
	r.attempt, r.tries, r.breaks = 0, 0, 0
	r.leader, r.master, r.known = e.Leader, e.PID, true
	if e.Leader == nil {
		r.master = libprocess.PID{}
	}
	if c.phase == recovering || c.phase == reconnecting {
		return // enroll follows when recovery is done
	}
	c.enroll()
}

// enroll registers with the leader that is known, after a random time: all agents of
// a cluster hear of a new leader at once.
func (c *Core) enroll() {
	c.updates.Pause()
	if c.phase == running {
		c.phase = disconnected
	}
	r := &c.registered
	if r.master.IsZero() {
		c.log(Info, "no master leads; waits for one")
		return
	}
	c.log(Info, "master %v leads", r.master)
	if c.phase == terminating {
		return
	}
	c.approach(c.cfg.RegistrationBackoff)
}

// approach links, authenticates and registers, after a random time.
func (c *Core) approach(longest time.Duration) {
	r := &c.registered
	r.retry.stop()
	r.retry = c.after(c.within(longest), func() {
		c.link()
		if c.cfg.Credential {
			c.authenticate()
			return
		}
		c.register(2 * c.cfg.RegistrationBackoff)
	})
}

// link watches the connection to the master.
func (c *Core) link() {
	c.registered.linked = true // until MasterExited says otherwise
	c.emit(Link{PID: c.registered.master})
}

// authenticate proves who the agent is, then registers. Attempts have random limits,
// so that agents whose master is slow do not all come again at once.
func (c *Core) authenticate() {
	r := &c.registered
	longest := min(c.cfg.AuthenticationTimeoutMin+c.cfg.AuthenticationBackoff<<min(r.tries, 20), c.cfg.AuthenticationTimeoutMax)
	r.tries++
	limit := c.cfg.AuthenticationTimeoutMin + c.within(longest-c.cfg.AuthenticationTimeoutMin)
	ticket := c.ask(nil)
	c.tickets[ticket] = func(e Event) {
		if ticket != r.attempt {
			return // the leader has changed since
		}
		done := e.(AuthenticationDone)
		switch {
		case done.Refused:
			c.exit(true, "master %v refused authentication", r.master)
		case done.Err != nil:
			c.log(Warning, "authentication with master %v failed, tries again: %v", r.master, done.Err)
			r.retry = c.after(c.within(c.cfg.AuthenticationBackoff<<min(r.tries, 6)), c.authenticate)
		default:
			c.log(Info, "authenticated with master %v", r.master)
			c.register(2 * c.cfg.RegistrationBackoff)
		}
	}
	r.attempt = ticket
	c.emit(Authenticate{Ticket: ticket, Master: r.master, Limit: limit})
}

// register asks the master in, again and again, until it answers.
func (c *Core) register(longest time.Duration) {
	r := &c.registered
	if c.phase != disconnected || r.master.IsZero() {
		return
	}
	if c.agentID() == nil {
		c.emit(c.toMaster(c.registerMessage()))
	} else {
		c.emit(c.toMaster(c.reregisterMessage()))
	}
	r.retry.stop()
	longest = max(longest, minRegistrationRetry)
	r.retry = c.after(c.within(longest), func() { c.register(min(2*longest, maxRegistrationRetry)) })
}

// admitted handles the answer to a registration.
func (c *Core) admitted(m *wire.SlaveRegisteredMessage) {
	switch c.phase {
	case disconnected:
		if have := c.agentID(); have != nil && have.GetValue() != m.GetSlaveId().GetValue() {
			c.exit(true, "master %v gave agent %s another id, %s", c.registered.master, have.GetValue(), m.GetSlaveId().GetValue())
			return
		}
		c.info = withID(c.info, m.GetSlaveId())
		c.log(Info, "registered with master %v as agent %s", c.registered.master, m.GetSlaveId().GetValue())
		c.saveAgent()
		c.enter(m.GetConnection())
	case running:
		if c.agentID().GetValue() != m.GetSlaveId().GetValue() {
			c.exit(true, "master %v gave agent %s another id, %s", c.registered.master, c.agentID().GetValue(), m.GetSlaveId().GetValue())
		}
	default:
		c.log(Warning, "master %v registered this agent, which does not want it any more", c.registered.master)
	}
}

// readmitted handles the answer to a re-registration.
func (c *Core) readmitted(m *wire.SlaveReregisteredMessage) {
	if c.agentID().GetValue() != m.GetSlaveId().GetValue() {
		c.exit(true, "master %v gave agent %s another id, %s", c.registered.master, c.agentID().GetValue(), m.GetSlaveId().GetValue())
		return
	}
	switch c.phase {
	case disconnected:
		c.log(Info, "re-registered with master %v", c.registered.master)
		c.enter(m.GetConnection())
	case running: // an answer to a retry
	default:
		c.log(Warning, "master %v re-registered this agent, which does not want it any more", c.registered.master)
		return
	}
	for _, r := range m.GetReconciliations() {
		c.reconcile(r)
	}
}

// saveAgent writes the agent's id down.
func (c *Core) saveAgent() {
	c.saved = true // until CheckpointFailed says otherwise
	c.write(SaveAgent{Info: downgradedAgent(c.info)})
}

// enter is what follows from any registration.
func (c *Core) enter(connection *wire.MasterSlaveConnection) {
	c.phase = running
	r := &c.registered
	r.retry.stop()
	r.breaks = 0
	if !r.linked {
		c.link() // a message came through after the link had broken
	}
	r.timeout = defaultPingTimeout
	if s := connection.GetTotalPingTimeoutSeconds(); s > 0 && s < float64(1<<31) {
		r.timeout = time.Duration(s * float64(time.Second))
	}
	c.expectPing()
	c.emit(c.toMaster(c.updateSlave()))
	for _, u := range c.updates.Resume(c.now) {
		c.emit(c.forward(u))
	}
}

func (c *Core) updateSlave() *wire.UpdateSlaveMessage {
	m := &wire.UpdateSlaveMessage{
		SlaveId:                       c.agentID(),
		UpdateOversubscribedResources: proto.Bool(c.oversubscribed != nil),
		OversubscribedResources:       c.oversubscribed,
		ResourceVersionUuid:           &mesosv1.UUID{Value: c.version},
		Operations:                    &wire.UpdateSlaveMessage_Operations{},
		ResourceProviders:             &wire.UpdateSlaveMessage_ResourceProviders{},
	}
	return m
}

// pinged answers who asks whether the agent is there. Only a ping of the leader's says
// that it is there too.
func (c *Core) pinged(from libprocess.PID, m *wire.PingSlaveMessage) {
	c.emit(ToMaster{To: from, Message: &wire.PongSlaveMessage{}})
	if from.Addr != c.registered.master.Addr {
		return
	}
	if !m.GetConnected() && c.phase == running {
		c.log(Info, "master %v does not count this agent as registered; registers again", c.registered.master)
		c.phase = disconnected
		c.updates.Pause()
		c.register(2 * c.cfg.RegistrationBackoff)
	}
	c.expectPing()
}

// expectPing looks for a master anew when the present one stays silent.
func (c *Core) expectPing() {
	r := &c.registered
	r.ping.stop()
	if r.timeout == 0 {
		return // never registered
	}
	r.ping = c.after(r.timeout, func() {
		c.log(Warning, "no ping from master %v for %v; looks for the leader anew", r.master, r.timeout)
		r.retry.stop()
		r.attempt = 0
		if c.phase == running {
			c.phase = disconnected
		}
		c.updates.Pause()
		c.emit(Detect{})
	})
}

// masterExited is told when the link to the master breaks. Another leader is told of
// by who detects it; but where the same master comes back at its address, nobody else
// says so, and it does not ping whom it does not know. So the agent registers again, at
// longer and longer intervals while nobody answers there.
func (c *Core) masterExited(pid libprocess.PID) {
	r := &c.registered
	if pid != r.master || c.phase != running && c.phase != disconnected {
		return
	}
	if r.breaks == 0 {
		c.log(Warning, "the link to master %v has broken; registers again", pid)
	}
	r.linked = false
	c.phase = disconnected
	c.updates.Pause()
	r.attempt, r.tries = 0, 0
	longest := max(c.cfg.RegistrationBackoff, minRegistrationRetry) << min(r.breaks, 16)
	r.breaks++
	c.approach(min(longest, maxRegistrationRetry))
}
