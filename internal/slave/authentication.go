package slave

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/authenticatee"
)

// sessions are the handshakes with masters. Each has a process of its own, so that a
// late answer to an earlier one is nobody's.
type sessions struct {
	mu     sync.Mutex
	made   int
	now    string // name of the process of the one under way
	in     chan libprocess.Envelope
	cancel context.CancelFunc
}

// maxHandshake bounds the messages of one handshake that wait.
const maxHandshake = 16

// begin gives up the session before and returns the mailbox of a new one.
func (a *sessions) begin(cancel context.CancelFunc) (name string, in <-chan libprocess.Envelope) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cancel != nil {
		a.cancel()
	}
	a.made++
	a.now, a.in, a.cancel = fmt.Sprintf("crammd5-authenticatee(%d)", a.made), make(chan libprocess.Envelope, maxHandshake), cancel
	return a.now, a.in
}

// deliver takes a message that is for the session under way.
func (a *sessions) deliver(e libprocess.Envelope) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == "" || e.To != a.now {
		return false
	}
	select {
	case a.in <- e:
	default: // more than any handshake has
	}
	return true
}

// errRefused says that the master does not believe the agent.
var errRefused = errors.New("the master refused")

// authenticate begins a handshake and gives up the one before.
func (s *Slave) authenticate(e core.Authenticate) {
	ctx, cancel := context.WithTimeout(s.ctx, e.Limit)
	name, in := s.sessions.begin(cancel)
	s.spawn(func(context.Context) {
		defer cancel()
		err := s.handshake(ctx, e.Master, name, in)
		refused := errors.Is(err, errRefused)
		if refused {
			err = nil
		}
		s.mail.put(core.AuthenticationDone{Ticket: e.Ticket, Refused: refused, Err: err})
	})
}

// handshake proves to a master who the agent is.
func (s *Slave) handshake(ctx context.Context, master libprocess.PID, name string, in <-chan libprocess.Envelope) error {
	a, closing, err := s.cfg.Authenticatee(ctx, nil)
	if err != nil {
		return fmt.Errorf("make an authenticatee: %w", err)
	}
	defer func() {
		if err := closing(context.WithoutCancel(ctx)); err != nil {
			s.cfg.Log.Warn(fmt.Sprintf("close an authenticatee: %v", err))
		}
	}()
	self := libprocess.PID{Name: Process, Addr: s.cfg.Address}
	s.sender.Post(master, name, s.cfg.Address, &wire.AuthenticateMessage{Pid: proto.String(self.String())})
	for {
		select {
		case e := <-in:
			if e.From.Addr != master.Addr {
				continue
			}
			done, err := s.shake(ctx, a, e, master, self, name)
			if done || err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("the master did not answer in time: %w", ctx.Err())
		}
	}
}

// shake answers one message of a handshake, and says whether it was the last.
func (s *Slave) shake(ctx context.Context, a authenticatee.Authenticatee, e libprocess.Envelope, master, self libprocess.PID, name string) (bool, error) {
	m, err := libprocess.Unmarshal(e)
	if err != nil {
		return true, err
	}
	switch m := m.(type) {
	case *wire.AuthenticationMechanismsMessage:
		start, err := a.Start(ctx, master.String(), self.String(), s.cfg.Credential, m.GetMechanisms())
		if err != nil {
			return true, err
		}
		if start == nil {
			return true, fmt.Errorf("none of the master's mechanisms is known: %v", m.GetMechanisms())
		}
		s.sender.Post(e.From, name, s.cfg.Address, &wire.AuthenticationStartMessage{Mechanism: start.Mechanism, Data: start.Data})
	case *wire.AuthenticationStepMessage:
		data, err := a.Step(ctx, m.GetData())
		if err != nil {
			return true, err
		}
		if data == nil {
			data = []byte{} // the field is required
		}
		s.sender.Post(e.From, name, s.cfg.Address, &wire.AuthenticationStepMessage{Data: data})
	case *wire.AuthenticationCompletedMessage:
		return true, nil
	case *wire.AuthenticationFailedMessage:
		return true, errRefused
	case *wire.AuthenticationErrorMessage:
		return true, fmt.Errorf("the master says: %s", m.GetError())
	default:
		return true, fmt.Errorf("the master sent a %T in a handshake", m)
	}
	return false, nil
}
