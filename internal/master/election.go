package master

import (
	"fmt"
	"net"
	"strconv"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
)

// standing is what others need to know of the master without asking the core. A new
// one replaces it.
type standing struct {
	elected   bool
	recovered bool // elected, and the registry is read
	leader    *mesosv1.MasterInfo
}

// stand changes the standing.
func (m *Master) stand(change func(*standing)) {
	for {
		old := m.state.Load()
		s := *old
		change(&s)
		if m.state.CompareAndSwap(old, &s) {
			return
		}
	}
}

// detected hears who leads.
func (m *Master) detected(now *leadership.Leadership) {
	if now.GetFailure() != "" {
		m.c.Fail(fmt.Errorf("cannot find out who leads: %s", now.GetFailure()))
		return
	}
	leader := now.GetLeader()
	self := leader != nil && leader.GetId() == m.c.Core.Info.GetId()
	first := self && !m.state.Load().elected
	m.stand(func(s *standing) {
		s.leader = leader
		s.elected = s.elected || self
	})
	m.queue.post(core.LeaderDetected{Leader: leader})
	if first {
		m.queue.post(core.Elected{})
	}
}

// address is how a client is sent to a leader.
func address(leader *mesosv1.MasterInfo) string {
	host := leader.GetHostname()
	if host == "" {
		host = leader.GetAddress().GetIp()
	}
	return "//" + net.JoinHostPort(host, strconv.FormatUint(uint64(leader.GetPort()), 10))
}
