package simulation

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	mastercore "github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/checkpoint"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// slaveNode is one agent. Each life has a core of its own; its disk and its
// containers stay.
type slaveNode struct {
	w    *World
	name string
	pid  libprocess.PID
	work string
	disk *checkpoint.Store

	up     bool
	life   int
	core   *core.Core
	queue  []core.Event
	road   *road
	parted bool // from the master

	containers map[string]*container
	order      []string // of the containers, as they were launched
	streams    map[core.StreamID]*container
	stream     core.StreamID
	request    core.RequestID
	answers    map[core.RequestID]func(status int)

	crashIn      int             // effects until the next crash; 0: none
	acknowledged map[string]bool // updates whose acknowledgement is on the disk
}

// start begins a life with what the one before left on the disk.
func (s *slaveNode) start() {
	s.life++
	s.up, s.crashIn = true, 0
	s.streams, s.answers = map[core.StreamID]*container{}, map[core.RequestID]func(int){}
	state, err := s.disk.Recover(true)
	if err != nil {
		s.w.wrong("%s cannot recover: %v", s.name, err)
		return
	}
	known := map[string]bool{}
	if state != nil {
		for _, f := range state.Frameworks {
			for _, e := range f.Executors {
				id := e.Container.GetValue()
				known[id] = true
				c := s.containers[id]
				e.Alive = c != nil && !c.gone
			}
		}
	}
	for _, id := range s.order { // what nobody knows is an orphan, and the containerizer ends it
		if c := s.containers[id]; !known[id] && !c.gone {
			c.destroy()
		}
	}
	all, err := resources.Parse("cpus:8;mem:8192", "*")
	if err != nil {
		s.w.wrong("%v", err)
		return
	}
	s.core = core.New(core.Config{
		Info:    &mesosv1.AgentInfo{Hostname: &s.name, Port: proto.Int32(5051), Resources: all.Messages()},
		Version: "1.12.0", PID: s.pid, Random: rand.New(rand.NewPCG(s.w.random.Uint64(), 2)), Started: s.w.now,
		WorkDir: s.work, LauncherDir: "/bin", SandboxIn: "/mnt/mesos/sandbox", SwitchUser: true, DefaultUser: "root",
		RegistrationBackoff: time.Second, ExecutorRegistrationTimeout: time.Minute, ExecutorReregistration: 2 * time.Second,
		ExecutorShutdownGrace: 5 * time.Second, RecoveryTimeout: 15 * time.Minute, Reconfiguration: "equal", Strict: true,
		AuthenticationBackoff: time.Second, AuthenticationTimeoutMin: 5 * time.Second, AuthenticationTimeoutMax: time.Minute,
		MaxCompletedExecutors: 150,
	})
	s.w.say("%s life %d begins", s.name, s.life)
	s.handle(core.Recovered{State: state})
	s.detect()
}

// crash ends the life: streams of executors break, and the road to the master.
func (s *slaveNode) crash() {
	s.w.say("%s life %d crashes", s.name, s.life)
	s.up, s.queue = false, nil
	for _, id := range s.order {
		s.containers[id].lost()
	}
	s.w.tear(s)
}

func (s *slaveNode) next() time.Time {
	if !s.up {
		return time.Time{}
	}
	return s.core.Next()
}

func (s *slaveNode) tick() { s.handle(core.Tick{}) }

func (s *slaveNode) exited(pid libprocess.PID) { s.handle(core.MasterExited{PID: pid}) }

func (s *slaveNode) message(from libprocess.PID, m proto.Message) {
	s.handle(core.MasterMessage{From: from, Message: m})
}

// detect finds the master as the standalone detector does: by its address, whether
// it is there or not.
func (s *slaveNode) detect() {
	life := s.life
	s.w.after(s.w.between(time.Millisecond, time.Second), func() {
		if s.up && s.life == life {
			s.handle(core.MasterDetected{PID: s.w.master.pid, Leader: &mesosv1.MasterInfo{
				Id: proto.String("m"), Ip: proto.Uint32(16777226), Port: proto.Uint32(5050), Pid: proto.String(s.w.master.pid.String())}})
		}
	})
}

func (s *slaveNode) handle(e core.Event) {
	if s.queue = append(s.queue, e); len(s.queue) > 1 {
		return
	}
	for life := s.life; s.up && s.life == life && len(s.queue) > 0; {
		if !s.carryOut(s.core.Handle(s.w.now, s.queue[0]), life) {
			return
		}
		s.queue = s.queue[1:]
	}
}

// carryOut reports whether the life goes on.
func (s *slaveNode) carryOut(effects []core.Effect, life int) bool {
	for _, e := range effects {
		if s.crashIn--; s.crashIn == 0 {
			s.crash()
			s.w.after(s.w.between(100*time.Millisecond, 20*time.Second), s.start)
			return false
		}
		if write, ok := e.(core.Write); ok {
			if err := s.disk.Write(write.Checkpoint); err != nil {
				s.w.wrong("%s cannot write: %v", s.name, err)
				return false
			}
			s.note(write.Checkpoint)
			if !s.carryOut(write.Then, life) {
				return false
			}
			continue
		}
		s.do(e)
		if !s.up || s.life != life {
			return false
		}
	}
	return true
}

// note remembers which updates are acknowledged for good.
func (s *slaveNode) note(c core.Checkpoint) {
	if u, ok := c.(core.SaveUpdate); ok && u.Record.GetType() == wire.StatusUpdateRecord_ACK {
		s.acknowledged[string(u.Record.GetUuid())] = true
	}
}

func (s *slaveNode) do(effect core.Effect) {
	switch e := effect.(type) {
	case core.ToMaster:
		s.send(e)
	case core.Link:
		s.link(e.PID)
	case core.Detect:
		s.detect()
	case core.Answer:
		if answer := s.answers[e.Request]; answer != nil {
			delete(s.answers, e.Request)
			answer(e.Status)
		}
	case core.OpenStream:
		delete(s.answers, e.Request)
	case core.Send:
		if c := s.streams[e.Stream]; c != nil {
			c.down.send(func() { c.heard(e.Stream, e.Event) })
		}
	case core.CloseStream:
		if c := s.streams[e.Stream]; c != nil {
			delete(s.streams, e.Stream)
			c.down.send(func() { c.closed(e.Stream) })
		}
	case core.LaunchContainer:
		s.launch(e)
	case core.WatchContainer:
		s.watch(e.Container)
	case core.DestroyContainer:
		if c := s.containers[e.Container.GetValue()]; c != nil {
			c.destroy()
		}
	case core.UpdateContainer:
		s.later(func() { s.handle(core.Updated{Ticket: e.Ticket}) })
	case core.StatusOf:
		s.later(func() {
			s.handle(core.ContainerStatus{Ticket: e.Ticket, Status: &mesosv1.ContainerStatus{ContainerId: e.Container}})
		})
	case core.Exit:
		s.w.wrong("%s wants to end: %s", s.name, e.Reason)
	case core.Log:
		s.w.say("%s: %s", s.name, e.Text)
	}
}

// later does something in this life, soon.
func (s *slaveNode) later(do func()) {
	life := s.life
	s.w.after(s.w.between(time.Millisecond, 30*time.Millisecond), func() {
		if s.up && s.life == life {
			do()
		}
	})
}

// send sends a message to the master, if it can be reached.
func (s *slaveNode) send(e core.ToMaster) {
	if u, ok := e.Message.(*wire.StatusUpdateMessage); ok && s.acknowledged[string(u.GetUpdate().GetUuid())] {
		s.w.wrong("%s sends an update of task %s again whose acknowledgement it has kept", s.name, u.GetUpdate().GetStatus().GetTaskId().GetValue())
	}
	s.w.say("%s sends %s", s.name, e.Message.ProtoReflect().Descriptor().Name())
	m := s.w.master
	if !m.up || s.parted {
		return
	}
	life := m.life
	s.road.toMaster.send(func() {
		if m.up && m.life == life {
			m.handle(mastercore.AgentMessage{From: s.pid, To: e.To.Name, Message: e.Message})
		}
	})
}

func (s *slaveNode) link(pid libprocess.PID) {
	if s.w.master.up && !s.parted {
		s.road.slaveWatch = true
		return
	}
	s.later(func() { s.exited(pid) })
}

// launch makes a container, which lives on whatever becomes of the agent.
func (s *slaveNode) launch(e core.LaunchContainer) {
	id := e.Container.GetValue()
	c := &container{s: s, id: e.Container, config: e.Config}
	s.containers[id] = c
	s.order = append(s.order, id)
	s.later(func() {
		if c.gone {
			s.handle(core.Launched{Ticket: e.Ticket, Err: errors.New("destroyed while it was launched")})
			return
		}
		c.watched = s.life
		c.begin()
		s.handle(core.Launched{Ticket: e.Ticket})
	})
}

// watch has the agent told when a container has ended, or that it has.
func (s *slaveNode) watch(id *mesosv1.ContainerID) {
	c := s.containers[id.GetValue()]
	if c == nil {
		s.later(func() { s.handle(core.Terminated{Container: id}) })
		return
	}
	c.watched = s.life
	if c.gone {
		s.later(func() { s.handle(core.Terminated{Container: id, Termination: c.termination}) })
	}
}

func (w *World) slaveAt(pid libprocess.PID) *slaveNode {
	for _, s := range w.slaves {
		if s.pid == pid {
			return s
		}
	}
	return nil
}

func slavePID(n int) libprocess.PID {
	return libprocess.PID{Name: "slave(1)", Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(n)}), 5051)}
}
