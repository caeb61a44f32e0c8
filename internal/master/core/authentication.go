package core

import (
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/libprocess"
)

// authn is how far the authentication of an agent is.
type authn struct {
	principal *string // nil: the handshake is under way
	then      func()  // the registration that waits for its end
}

func (c *Core) authenticating(pid libprocess.PID) {
	c.counts.add("messages_authenticate", 1)
	c.handshakes[pid] = &authn{}
}

func (c *Core) authenticated(pid libprocess.PID, principal string) {
	old := c.handshakes[pid]
	c.handshakes[pid] = &authn{principal: proto.String(principal)}
	if old != nil && old.then != nil {
		old.then()
	}
}

func (c *Core) notAuthenticated(pid libprocess.PID) {
	old := c.handshakes[pid]
	delete(c.handshakes, pid)
	if old != nil && old.then != nil {
		old.then()
	}
}

// whenAuthenticated goes on when a handshake that is under way has ended, unless the
// agent should be authenticated and is not. Of several registrations that wait the
// last one counts: agents repeat them.
func (c *Core) whenAuthenticated(pid libprocess.PID, then func(*Principal)) {
	h := c.handshakes[pid]
	if h != nil && h.principal == nil {
		h.then = func() { c.whenAuthenticated(pid, then) }
		return
	}
	switch {
	case h != nil:
		then(&Principal{Value: h.principal})
	case c.config.AuthenticateAgents:
		c.log(Warning, "the registration of the agent at %v is dropped: it is not authenticated", pid)
	default:
		then(nil)
	}
}

// forgetPrincipal is done when an agent has gone away: it must say anew who it is. A
// handshake that is under way is of the agent that comes back and goes on.
func (c *Core) forgetPrincipal(pid libprocess.PID) {
	if h := c.handshakes[pid]; h != nil && h.principal != nil {
		delete(c.handshakes, pid)
	}
}
