package master

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/authenticator"
)

// sessionName is what the process of a handshake is called, as in Mesos.
const sessionName = "crammd5-authenticator-session("

// maxSessions is how many handshakes are under way at a time.
const maxSessions = 4096

// sessions are the handshakes with agents. Each has a goroutine and a process name.
type sessions struct {
	m       *Master
	running sync.WaitGroup

	settling sync.Mutex // held while an authenticator is told its credentials
	settled  bool       // guarded by settling

	mu     sync.Mutex
	loaded bool // there is an authenticator that works
	last   int
	byName map[string]*session
	byPID  map[libprocess.PID]*session
}

// session is one handshake.
type session struct {
	name  string
	pid   libprocess.PID // the agent that wants in
	peer  libprocess.PID // the process of it that speaks
	inbox chan proto.Message
	end   context.CancelCauseFunc
}

func newSessions(m *Master) *sessions {
	return &sessions{m: m, byName: map[string]*session{}, byPID: map[libprocess.PID]*session{}}
}

// start settles the authenticator.
func (s *sessions) start(ctx context.Context) error {
	if s.m.c.Authenticator == nil {
		return nil
	}
	s.settling.Lock()
	defer s.settling.Unlock()
	if err := s.settle(ctx, s.m.c.Authenticator); err != nil {
		return err
	}
	s.settled = true
	return nil
}

// settle hands over the credentials. An authenticator that does not take them is fatal
// if agents have to be authenticated; else nobody is.
func (s *sessions) settle(ctx context.Context, with authenticator.Authenticator) error {
	err := with.Initialize(ctx, s.m.c.Credentials)
	if err != nil && s.m.c.Core.AuthenticateAgents {
		return fmt.Errorf("initialize the authenticator: %w", err)
	} else if err != nil {
		s.m.c.Log.Warn("nobody is authenticated", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = err == nil
	return nil
}

// renew tells an authenticator what the one before was told. The handshakes that are
// under way end with that one: their peers are told, and begin anew.
func (s *sessions) renew(ctx context.Context, fresh authenticator.Authenticator) error {
	s.settling.Lock()
	defer s.settling.Unlock()
	if !s.settled {
		return nil // start will come to it
	}
	if err := s.settle(ctx, fresh); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range s.byName {
		it.end(errRestarted)
	}
	return nil
}

func (s *sessions) wait() { s.running.Wait() }

// begin begins a handshake with an agent; one that is under way with it is over.
func (s *sessions) begin(from libprocess.PID, m *wire.AuthenticateMessage) {
	pid, err := libprocess.ParsePID(m.GetPid())
	if err != nil {
		s.tell(process, from, &wire.AuthenticationErrorMessage{Error: proto.String(err.Error())})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.loaded:
		s.tell(process, from, &wire.AuthenticationErrorMessage{Error: proto.String("No authenticator loaded")})
		return
	case len(s.byName) >= maxSessions:
		s.tell(process, from, &wire.AuthenticationErrorMessage{Error: proto.String("Too many authentications are under way")})
		return
	}
	if former := s.byPID[pid]; former != nil {
		former.end(errBegunAnew)
	}
	s.last++
	ctx, end := context.WithCancelCause(s.m.ctx)
	it := &session{name: fmt.Sprintf("%s%d)", sessionName, s.last), pid: pid, peer: from, inbox: make(chan proto.Message, 4), end: end}
	s.byName[it.name], s.byPID[pid] = it, it
	s.m.queue.post(core.Authenticating{PID: pid})
	s.running.Go(func() { s.run(ctx, it) })
}

var (
	errBegunAnew = errors.New("the peer has begun anew")
	errRestarted = errors.New("the authenticator was restarted meanwhile")
	errTime      = errors.New("the authentication took too long")
)

// deliver hands a message to its session, and reports whether it is there. What is
// too much is dropped.
func (s *sessions) deliver(name string, m proto.Message) bool {
	s.mu.Lock()
	it := s.byName[name]
	s.mu.Unlock()
	if it == nil {
		return false
	}
	select {
	case it.inbox <- m:
	default: // a handshake has one message at a time
	}
	return true
}

func (s *sessions) tell(from string, to libprocess.PID, m proto.Message) {
	s.m.sender.Post(to, from, s.m.c.Self, m)
}

// run makes a handshake, and tells the core and the peer what came of it.
func (s *sessions) run(ctx context.Context, it *session) {
	timer := time.AfterFunc(s.m.c.AuthenticationTimeout, func() { it.end(errTime) })
	principal, err := s.handshake(ctx, it)
	timer.Stop()
	s.close(it)
	s.mu.Lock()
	delete(s.byName, it.name)
	current := s.byPID[it.pid] == it
	if current {
		delete(s.byPID, it.pid)
	}
	it.end(nil)
	s.mu.Unlock()
	if !current || s.m.ctx.Err() != nil {
		return // whoever came after speaks for the agent
	}
	switch {
	case err == nil && principal != "":
		s.m.queue.post(core.Authenticated{PID: it.pid, Principal: principal})
		s.tell(it.name, it.peer, &wire.AuthenticationCompletedMessage{})
	case err == nil:
		s.m.queue.post(core.NotAuthenticated{PID: it.pid})
		s.tell(it.name, it.peer, &wire.AuthenticationFailedMessage{})
	default:
		s.m.c.Log.Warn("an authentication failed", "agent", it.pid.String(), "error", err)
		s.m.queue.post(core.NotAuthenticated{PID: it.pid})
		s.tell(it.name, it.peer, &wire.AuthenticationErrorMessage{Error: proto.String(err.Error())})
	}
}

// closing is how long an authenticator may take to forget a session.
const closing = 10 * time.Second

// close has the authenticator forget a session, whatever became of it.
func (s *sessions) close(it *session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.m.ctx), closing)
	defer cancel()
	if err := s.m.c.Authenticator.End(ctx, it.name); err != nil {
		s.m.c.Log.Warn("the authenticator did not close a session", "error", err)
	}
}

// handshake returns the principal, or "" for a peer that was refused.
func (s *sessions) handshake(ctx context.Context, it *session) (string, error) {
	a := s.m.c.Authenticator
	mechanisms, err := a.Mechanisms(ctx)
	if err != nil {
		return "", err
	}
	s.tell(it.name, it.peer, &wire.AuthenticationMechanismsMessage{Mechanisms: mechanisms})
	answer, err := s.await(ctx, it, func(m proto.Message) (*handshake.Answer, error) {
		start, ok := m.(*wire.AuthenticationStartMessage)
		if !ok {
			return nil, unexpected(m)
		}
		return a.Start(ctx, it.name, it.pid.String(), start.GetMechanism(), []byte(start.GetData()))
	})
	for err == nil && answer.GetOutcome() == handshake.Answer_CONTINUE {
		s.tell(it.name, it.peer, &wire.AuthenticationStepMessage{Data: answer.GetData()})
		answer, err = s.await(ctx, it, func(m proto.Message) (*handshake.Answer, error) {
			step, ok := m.(*wire.AuthenticationStepMessage)
			if !ok {
				return nil, unexpected(m)
			}
			return a.Step(ctx, it.name, step.GetData())
		})
	}
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", err
	case answer.GetOutcome() == handshake.Answer_ACCEPTED:
		if answer.GetPrincipal() == "" {
			return "", errors.New("the authenticator has named no principal")
		}
		return answer.GetPrincipal(), nil
	case answer.GetOutcome() == handshake.Answer_REFUSED:
		return "", nil
	default:
		return "", fmt.Errorf("the authenticator's answer %v is not known", answer.GetOutcome())
	}
}

// await gives the next message of the peer to the authenticator.
func (s *sessions) await(ctx context.Context, it *session, take func(proto.Message) (*handshake.Answer, error)) (*handshake.Answer, error) {
	select {
	case m := <-it.inbox:
		answer, err := take(m)
		if err == nil && answer == nil {
			err = errors.New("the authenticator has given no answer")
		}
		return answer, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func unexpected(m proto.Message) error {
	name := string(m.ProtoReflect().Descriptor().Name())
	return fmt.Errorf("unexpected message %s", strings.TrimSuffix(name, "Message"))
}
