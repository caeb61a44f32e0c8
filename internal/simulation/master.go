package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/registry"
)

// masterNode is the one master. Each life has a core of its own; the registry stays.
type masterNode struct {
	w        *World
	pid      libprocess.PID
	registry *registry.Registrar

	up    bool
	life  int
	core  *core.Core
	books *books
	queue []core.Event

	clients  map[core.StreamID]*connection
	requests map[core.RequestID]func(status int, text string)
	request  core.RequestID
}

// start begins a life.
func (m *masterNode) start() {
	m.life++
	m.up = true
	m.clients, m.requests = map[core.StreamID]*connection{}, map[core.RequestID]func(int, string){}
	info := &mesosv1.MasterInfo{
		Id: proto.String(fmt.Sprintf("master-%d", m.life)), Ip: proto.Uint32(16777226), Port: proto.Uint32(5050),
		Pid: proto.String(m.pid.String()), Hostname: proto.String("master"), Version: proto.String("1.12.0"),
	}
	m.books = newBooks()
	m.core = core.New(core.Config{
		Info: info, Random: rand.New(rand.NewPCG(m.w.random.Uint64(), 1)), Started: m.w.now,
		HeartbeatInterval: 15 * time.Second, AgentPingTimeout: 15 * time.Second, MaxAgentPingTimeouts: 5,
		AgentReregisterTimeout: 10 * time.Minute, RecoveryAgentRemovalLimit: 100, RegistryGCInterval: 15 * time.Minute,
		RegistryMaxAgentAge: 14 * 24 * time.Hour, RegistryMaxAgentCount: 1000, MaxCompletedFrameworks: 50,
		MaxCompletedTasks: 1000, MaxUnreachableTasks: 1000, MaxOperatorStreams: 10, RootSubmissions: true,
	})
	m.w.say("master life %d begins", m.life)
	m.handle(core.Elected{})
	m.handle(core.LeaderDetected{Leader: info})
	m.allocate(m.life)
}

// crash ends the life. Streams break; who is linked hears of it.
func (m *masterNode) crash() {
	m.w.say("master life %d crashes", m.life)
	m.up, m.queue = false, nil
	for _, f := range m.w.frameworks {
		f.lost()
	}
	for _, s := range m.w.slaves {
		m.w.tear(s)
	}
}

func (m *masterNode) next() time.Time {
	if !m.up {
		return time.Time{}
	}
	return m.core.Next()
}

func (m *masterNode) tick() { m.handle(core.Tick{}) }

func (m *masterNode) exited(pid libprocess.PID) { m.handle(core.AgentExited{PID: pid}) }

// handle tells the core of an event. Events that follow from effects come after it.
func (m *masterNode) handle(e core.Event) {
	if m.queue = append(m.queue, e); len(m.queue) > 1 {
		return // the loop below comes to it
	}
	for life := m.life; m.up && m.life == life && len(m.queue) > 0; {
		for _, effect := range m.core.Handle(m.w.now, m.queue[0]) {
			m.carryOut(effect)
			if !m.up || m.life != life {
				return
			}
		}
		m.queue = m.queue[1:]
	}
}

func (m *masterNode) carryOut(effect core.Effect) {
	switch e := effect.(type) {
	case core.RecoverRegistry:
		m.recover()
	case core.Store:
		m.store(e)
	case core.Exit:
		m.w.wrong("the master wants to end: %s", e.Reason)
	case core.Answer:
		if answer := m.requests[e.Request]; answer != nil {
			delete(m.requests, e.Request)
			answer(e.Status, e.Text)
		}
	case core.OpenStream:
		delete(m.requests, e.Request)
	case core.Send:
		if c := m.clients[e.Stream]; c != nil {
			c.down.send(func() { c.framework.heard(c, e.Event.(*scheduler.Event)) })
		}
	case core.CloseStream:
		if c := m.clients[e.Stream]; c != nil {
			delete(m.clients, e.Stream)
			c.down.send(func() { c.framework.closed(c) })
		}
	case core.ToAgent:
		if s := m.w.slaveAt(e.To); s != nil && s.up && !s.parted {
			life := s.life
			s.road.toSlave.send(func() {
				if s.up && s.life == life {
					s.message(libprocess.PID{Name: e.From, Addr: m.pid.Addr}, e.Message)
				}
			})
		}
	case core.Link:
		m.link(e.PID)
	case core.Unlink:
		if s := m.w.slaveAt(e.PID); s != nil {
			s.road.masterWatch = false
		}
	case core.Allocate:
		if err := e.Do(context.Background(), m.books); err != nil {
			m.w.wrong("allocator %s: %v", e.Name, err)
		}
	case core.Log:
		m.w.say("master: %s", e.Text)
	}
}

// link watches a slave. One that is not there, or cannot be reached, is heard to have
// exited.
func (m *masterNode) link(pid libprocess.PID) {
	s := m.w.slaveAt(pid)
	if s != nil && s.up && !s.parted {
		s.road.masterWatch = true
		return
	}
	life := m.life
	m.w.after(slowest, func() {
		if m.up && m.life == life {
			m.exited(pid)
		}
	})
}

func (m *masterNode) recover() {
	life := m.life
	m.w.after(m.w.between(time.Millisecond, 200*time.Millisecond), func() {
		if !m.up || m.life != life {
			return
		}
		found, err := m.registry.Recover(context.Background(), &mesosv1.MasterInfo{
			Id: proto.String("m"), Ip: proto.Uint32(1), Port: proto.Uint32(5050)})
		m.handle(core.RegistryRecovered{Registry: found, Err: err})
	})
}

// store applies a change. A crash may come between the change and its answer.
func (m *masterNode) store(e core.Store) {
	life := m.life
	m.w.after(m.w.between(time.Millisecond, 50*time.Millisecond), func() {
		if !m.up || m.life != life {
			return
		}
		refused, err := m.registry.Apply(context.Background(), []core.RegistryChange{e.Change})
		m.w.after(m.w.between(0+1, 10*time.Millisecond), func() {
			if !m.up || m.life != life {
				return
			}
			stored := core.RegistryStored{Ticket: e.Ticket, Err: err}
			if err == nil && refused[0] != nil {
				stored.Refused, stored.Err = true, refused[0]
			}
			m.handle(stored)
		})
	})
}

// allocate makes offers once a second, as the allocator of the daemon does.
func (m *masterNode) allocate(life int) {
	m.w.after(time.Second, func() {
		if !m.up || m.life != life {
			return
		}
		for _, shares := range m.books.offers() {
			m.handle(core.Offered{Shares: shares})
		}
		m.allocate(life)
	})
}
