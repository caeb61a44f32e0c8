package master

import (
	"context"
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

// contend runs for leadership and watches who has it.
func (m *Master) contend(ctx context.Context) error {
	if err := m.c.Contender.Initialize(ctx, m.c.Core.Info); err != nil {
		return fmt.Errorf("initialize the contender for leadership: %w", err)
	}
	// Both go on until the master ends.
	if err := m.candidate(); err != nil {
		return err
	}
	if err := m.c.Detector.Detect(m.ctx, m.c.Core.Info, m.detected); err != nil {
		return fmt.Errorf("watch who leads: %w", err)
	}
	return nil
}

func (m *Master) candidate() error {
	again := make(chan struct{}, 1)
	err := m.c.Contender.Contend(m.ctx, func(c *leadership.Candidacy) {
		switch c.GetState() {
		case leadership.Candidacy_ENTERED:
			m.c.Log.Info("stands for election")
		case leadership.Candidacy_LOST:
			again <- struct{}{}
		default:
			m.c.Fail(fmt.Errorf("cannot run for leadership: %s", c.GetMessage()))
		}
	})
	if err != nil {
		return fmt.Errorf("run for leadership: %w", err)
	}
	m.running.Go(func() {
		select {
		case <-m.ctx.Done():
		case <-again:
			m.c.Log.Warn("the candidacy was lost; stands for election again")
			if err := m.candidate(); err != nil && m.ctx.Err() == nil {
				m.c.Fail(err)
			}
		}
	})
	return nil
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
