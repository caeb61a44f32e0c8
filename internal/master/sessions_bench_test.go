package master

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
	agentside "github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	masterside "github.com/mesos-modules/mms/modules/authenticator/crammd5"
	roleof "github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authenticator"
)

// BenchmarkHandshake is one handshake by CRAM-MD5 over the link as agents have it: seven
// messages between two processes' worth of servers, with the modules that ship at both
// ends, from so many agents at a time.
func BenchmarkHandshake(b *testing.B) {
	for _, agents := range []int{1, 16} {
		b.Run(fmt.Sprintf("agents=%d", agents), func(b *testing.B) {
			instance, err := masterside.Library.Modules[0].Declare().New(b.Context(), nil, nil)
			require.NoError(b, err)
			w := start(b, options{config: func(c *Config) {
				c.Authenticator, c.Core.AuthenticateAgents = instance.(authenticator.Authenticator), true
				c.Credentials = &mesosv1.Credentials{Credentials: []*mesosv1.Credential{{Principal: proto.String("agent"), Secret: proto.String("s3cret")}}}
			}})
			peers := make([]*peer, agents)
			for i := range peers {
				peers[i] = w.peer()
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var all sync.WaitGroup
			for _, p := range peers {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						if err := p.prove(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
		})
	}
}

// prove is a handshake of an agent's, to its good end.
func (p *peer) prove() error {
	instance, err := agentside.Library.Modules[0].Declare().New(p.t.Context(), nil, nil)
	if err != nil {
		return err
	}
	a := instance.(roleof.Authenticatee)
	p.send(authenticatee, process, &wire.AuthenticateMessage{Pid: proto.String("slave(1)@" + p.addr.String())})
	e, m := p.next()
	mechanisms, ok := m.(*wire.AuthenticationMechanismsMessage)
	if !ok {
		return fmt.Errorf("the master begins with a %T", m)
	}
	begin, err := a.Start(p.t.Context(), process, authenticatee, &mesosv1.Credential{Principal: proto.String("agent"), Secret: proto.String("s3cret")}, mechanisms.GetMechanisms())
	if err != nil {
		return err
	}
	p.send(authenticatee, e.From.Name, &wire.AuthenticationStartMessage{Mechanism: begin.Mechanism, Data: begin.Data})
	_, m = p.next()
	challenge, ok := m.(*wire.AuthenticationStepMessage)
	if !ok {
		return fmt.Errorf("the master goes on with a %T", m)
	}
	answer, err := a.Step(p.t.Context(), challenge.GetData())
	if err != nil {
		return err
	}
	p.send(authenticatee, e.From.Name, &wire.AuthenticationStepMessage{Data: answer})
	if _, m = p.next(); m.ProtoReflect().Descriptor() != (&wire.AuthenticationCompletedMessage{}).ProtoReflect().Descriptor() {
		return fmt.Errorf("the master ends with a %T", m)
	}
	return nil
}
