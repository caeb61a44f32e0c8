package master

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/authenticator"
)

// asking is an authenticator that asks for a name and then for its secret.
type asking struct {
	initialize error
	hold       chan struct{} // what Start waits for; nil: nothing

	mu     sync.Mutex
	begun  []string
	ended  []string
	closed chan string
}

var _ authenticator.Authenticator = (*asking)(nil)

func (a *asking) Initialize(context.Context, *mesosv1.Credentials) error { return a.initialize }
func (a *asking) Mechanisms(context.Context) ([]string, error)           { return []string{"CRAM-MD5"}, nil }

func (a *asking) Start(ctx context.Context, session, peer, mechanism string, _ []byte) (*handshake.Answer, error) {
	a.mu.Lock()
	a.begun = append(a.begun, session+" "+peer+" "+mechanism)
	a.mu.Unlock()
	if a.hold != nil {
		select {
		case <-a.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &handshake.Answer{Outcome: handshake.Answer_CONTINUE.Enum(), Data: []byte("challenge")}, nil
}

func (a *asking) Step(_ context.Context, _ string, data []byte) (*handshake.Answer, error) {
	switch string(data) {
	case "right":
		return &handshake.Answer{Outcome: handshake.Answer_ACCEPTED.Enum(), Principal: proto.String("bob")}, nil
	case "broken":
		return nil, errors.New("the store of secrets is away")
	case "nothing":
		return nil, nil
	default:
		return &handshake.Answer{Outcome: handshake.Answer_REFUSED.Enum()}, nil
	}
}

func (a *asking) End(_ context.Context, session string) error {
	a.mu.Lock()
	a.ended = append(a.ended, session)
	a.mu.Unlock()
	if a.closed != nil {
		a.closed <- session
	}
	return nil
}

const authenticatee = "crammd5-authenticatee(1)"

// opened begins a handshake and returns the name of its session.
func (p *peer) opened() string {
	p.t.Helper()
	p.send(authenticatee, process, &wire.AuthenticateMessage{Pid: proto.String("slave(1)@" + p.addr.String())})
	e, m := p.next()
	require.IsType(p.t, &wire.AuthenticationMechanismsMessage{}, m)
	assert.Equal(p.t, []string{"CRAM-MD5"}, m.(*wire.AuthenticationMechanismsMessage).GetMechanisms())
	assert.Equal(p.t, authenticatee, e.To)
	return e.From.Name
}

func (p *peer) start(session string) {
	p.send(authenticatee, session, &wire.AuthenticationStartMessage{Mechanism: proto.String("CRAM-MD5"), Data: []byte("")})
}

func (p *peer) answer(session, data string) proto.Message {
	p.t.Helper()
	p.start(session)
	_, m := p.next()
	require.IsType(p.t, &wire.AuthenticationStepMessage{}, m)
	assert.Equal(p.t, "challenge", string(m.(*wire.AuthenticationStepMessage).GetData()))
	p.send(authenticatee, session, &wire.AuthenticationStepMessage{Data: []byte(data)})
	_, m = p.next()
	return m
}

func TestHandshake(t *testing.T) {
	begin := func(t *testing.T, a *asking, change func(*Config)) *peer {
		return start(t, options{config: func(c *Config) {
			c.Authenticator, c.Core.AuthenticateAgents = a, true
			if change != nil {
				change(c)
			}
		}}).peer()
	}
	register := func(p *peer) {
		p.send("slave(1)", process, &wire.RegisterSlaveMessage{Version: proto.String("1.12.0"), Slave: &mesosv1.AgentInfo{
			Hostname: proto.String("h"), Port: proto.Int32(int32(p.addr.Port()))}})
	}
	t.Run("an agent that is accepted may register", func(t *testing.T) {
		a := &asking{}
		p := begin(t, a, nil)
		session := p.opened()
		assert.Equal(t, "crammd5-authenticator-session(1)", session)
		register(p)                        // it waits for the handshake
		told := map[string]proto.Message{} // to two processes of the peer, in no order between them
		for m := p.answer(session, "right"); ; _, m = p.next() {
			if told[string(m.ProtoReflect().Descriptor().Name())] = m; len(told) == 2 {
				break
			}
		}
		assert.Contains(t, told, "AuthenticationCompletedMessage")
		require.Contains(t, told, "SlaveRegisteredMessage")
		assert.Equal(t, "M-S0", told["SlaveRegisteredMessage"].(*wire.SlaveRegisteredMessage).GetSlaveId().GetValue())
		assert.Equal(t, []string{session + " slave(1)@" + p.addr.String() + " CRAM-MD5"}, a.begun)
		assert.Equal(t, []string{session}, a.ended)
	})
	t.Run("one that is refused is told, and its registration dropped", func(t *testing.T) {
		p := begin(t, &asking{}, nil)
		session := p.opened()
		register(p)
		assert.IsType(t, &wire.AuthenticationFailedMessage{}, p.answer(session, "wrong"))
		// What comes next is of the next attempt: the registration has brought nothing.
		assert.Equal(t, "crammd5-authenticator-session(2)", p.opened())
	})
	t.Run("a failing module is an error to the agent", func(t *testing.T) {
		p := begin(t, &asking{}, nil)
		m := p.answer(p.opened(), "broken")
		assert.Equal(t, "the store of secrets is away", m.(*wire.AuthenticationErrorMessage).GetError())
	})
	t.Run("no answer of the module is an error too", func(t *testing.T) {
		p := begin(t, &asking{}, nil)
		m := p.answer(p.opened(), "nothing")
		assert.Equal(t, "the authenticator has given no answer", m.(*wire.AuthenticationErrorMessage).GetError())
	})
	t.Run("a message that does not belong there is an error", func(t *testing.T) {
		p := begin(t, &asking{}, nil)
		p.send(authenticatee, p.opened(), &wire.AuthenticationStepMessage{Data: []byte("right")})
		_, m := p.next()
		assert.Equal(t, "unexpected message AuthenticationStep", m.(*wire.AuthenticationErrorMessage).GetError())
	})
	t.Run("a new attempt ends the one before, also in a module that hangs", func(t *testing.T) {
		a := &asking{hold: make(chan struct{}), closed: make(chan string, 2)}
		p := begin(t, a, nil)
		first := p.opened()
		p.start(first)
		second := p.opened()
		assert.NotEqual(t, first, second)
		assert.Equal(t, first, <-a.closed, "the module is told of the end")
		close(a.hold)
		assert.IsType(t, &wire.AuthenticationCompletedMessage{}, p.answer(second, "right"))
	})
	t.Run("one that takes too long is over", func(t *testing.T) {
		p := begin(t, &asking{}, func(c *Config) { c.AuthenticationTimeout = time.Millisecond })
		p.opened()
		_, m := p.next()
		assert.Equal(t, "the authentication took too long", m.(*wire.AuthenticationErrorMessage).GetError())
	})
	t.Run("without an authenticator there is none", func(t *testing.T) {
		p := start(t, options{}).peer()
		p.send(authenticatee, process, &wire.AuthenticateMessage{Pid: proto.String("slave(1)@" + p.addr.String())})
		_, m := p.next()
		assert.Equal(t, "No authenticator loaded", m.(*wire.AuthenticationErrorMessage).GetError())
	})
	t.Run("nor is there with one that cannot be initialized, unless it is needed", func(t *testing.T) {
		a := &asking{initialize: errors.New("no credentials")}
		p := start(t, options{config: func(c *Config) { c.Authenticator = a }}).peer()
		p.send(authenticatee, process, &wire.AuthenticateMessage{Pid: proto.String("x")})
		_, m := p.next()
		assert.Contains(t, m.(*wire.AuthenticationErrorMessage).GetError(), `"x" is no process id`)

		m2 := bare(Config{Authenticator: a, Log: discard})
		m2.c.Core.AuthenticateAgents = true
		require.ErrorContains(t, m2.sessions.start(t.Context()), "initialize the authenticator: no credentials")
	})
	t.Run("who does not lead has none", func(t *testing.T) {
		w := start(t, options{idle: true, config: func(c *Config) { c.Authenticator, c.Detector = &asking{}, &ruled{} }})
		p := w.peer()
		p.send(authenticatee, process, &wire.AuthenticateMessage{Pid: proto.String("slave(1)@" + p.addr.String())})
		for w.m.dropped.Load() == 0 {
			_, err := w.m.View(t.Context())
			require.NoError(t, err)
		}
		assert.Empty(t, p.got)
	})
}
