package slave

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	"github.com/mesos-modules/mms/roles/authenticatee"
)

// credible is an agent with a credential; closed counts the instances that were given
// back.
func credible(t *testing.T, closed *atomic.Int32, failed chan<- error) func(*Config) {
	return func(c *Config) {
		c.Core.Credential = true
		c.Core.AuthenticationTimeoutMin, c.Core.AuthenticationTimeoutMax = 5*time.Second, time.Minute
		c.Credential = &mesosv1.Credential{Principal: proto.String("tim"), Secret: proto.String("tanstaaftanstaaf")}
		c.Authenticatee = func(context.Context, facade.Parameters) (authenticatee.Authenticatee, func(context.Context) error, error) {
			return load[authenticatee.Authenticatee](t, crammd5.Library, nil), func(context.Context) error { closed.Add(1); return nil }, nil
		}
		c.Fail = func(reason error) { failed <- reason }
	}
}

func TestTheHandshake(t *testing.T) {
	begin := func(t *testing.T) (*master, received, *atomic.Int32, chan error) {
		m, f := newMaster(t), newFolders(t)
		closed, failed := &atomic.Int32{}, make(chan error, 1)
		f.start(t, m, credible(t, closed, failed))
		ask, from := next[*wire.AuthenticateMessage](m)
		assert.Equal(t, Process+"@"+from.from.Addr.String(), ask.GetPid())
		assert.Equal(t, "crammd5-authenticatee(1)", from.from.Name)
		return m, from, closed, failed
	}
	say := func(m *master, to received, message proto.Message) {
		m.sender.Post(to.from, "crammd5-authenticator-session(1)", m.pid.Addr, message)
	}
	t.Run("comes first, and is answered to the session", func(t *testing.T) {
		m, from, closed, _ := begin(t)
		say(m, from, &wire.AuthenticationMechanismsMessage{Mechanisms: []string{"CRAM-MD5"}})
		start, to := next[*wire.AuthenticationStartMessage](m)
		assert.Equal(t, "crammd5-authenticator-session(1)", to.to)
		assert.Equal(t, "CRAM-MD5", start.GetMechanism())
		say(m, from, &wire.AuthenticationStepMessage{Data: []byte("<1896.697170952@postoffice.reston.mci.net>")})
		step, _ := next[*wire.AuthenticationStepMessage](m)
		assert.Equal(t, "tim b913a602c7eda7a495b4e6e7334d3890", string(step.GetData()))
		say(m, from, &wire.AuthenticationCompletedMessage{})
		m.admit()
		assert.Equal(t, int32(1), closed.Load())
	})
	t.Run("refused ends the agent", func(t *testing.T) {
		m, from, _, failed := begin(t)
		say(m, from, &wire.AuthenticationFailedMessage{})
		select {
		case err := <-failed:
			assert.ErrorContains(t, err, "refused authentication")
		case <-time.After(limit):
			assert.Fail(t, "the agent goes on")
		}
	})
	t.Run("that failed is tried again by another session", func(t *testing.T) {
		m, from, _, _ := begin(t)
		say(m, from, &wire.AuthenticationErrorMessage{Error: proto.String("No authenticator loaded")})
		_, again := next[*wire.AuthenticateMessage](m)
		assert.Equal(t, "crammd5-authenticatee(2)", again.from.Name)
	})
	t.Run("with mechanisms nobody knows is tried again", func(t *testing.T) {
		m, from, _, _ := begin(t)
		say(m, from, &wire.AuthenticationMechanismsMessage{Mechanisms: []string{"PLAIN"}})
		_, again := next[*wire.AuthenticateMessage](m)
		assert.Equal(t, "crammd5-authenticatee(2)", again.from.Name)
	})
}
