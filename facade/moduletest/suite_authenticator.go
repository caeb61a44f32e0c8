package moduletest

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authenticator"
)

// unknownMechanism is one that no module offers.
const unknownMechanism = "X-MODULETEST"

func authenticatorChecks() []check {
	return []check{
		{"Mechanisms returns the names peers may choose from", func(b *bench) {
			_, a := initialized(b)
			all, err := a.Mechanisms(b.Context())
			require.NoError(b, err)
			assert.NotEmpty(b, all)
			assert.NotContains(b, all, "")
		}},
		{"a peer is accepted who is who it says, with its principal", func(b *bench) {
			_, a := initialized(b)
			c := b.o.credentialOr()
			answer, err := b.attempt(a, "session", c)
			accepted(b, answer, err, c.GetPrincipal())
		}},
		{"a peer is refused whose secret is wrong", func(b *bench) {
			_, a := initialized(b)
			answer, err := b.attempt(a, "session", wrong(b.o.credentialOr()))
			refused(b, answer, err)
		}},
		{"a peer is refused whose principal is unknown", func(b *bench) {
			_, a := initialized(b)
			answer, err := b.attempt(a, "session", stranger(b.o.credentialOr()))
			refused(b, answer, err)
		}},
		{"an operator may have configured no credentials", func(b *bench) {
			k, a := loaded[authenticator.Authenticator](b)
			_ = a.Initialize(b.Context(), nil) // an error is an answer
			assert.Empty(b, panics(k))
		}},
		{"sessions come from any number of goroutines at once, each with its own outcome", func(b *bench) {
			k, a := initialized(b)
			peers, c := b.authenticatees(), b.o.credentialOr()
			k.Hammer(8, 10, func(ctx context.Context, g, call int) error {
				mine, want := c, handshake.Answer_ACCEPTED
				if (g+call)%2 == 1 {
					mine, want = wrong(c), handshake.Answer_REFUSED
				}
				e, err := peers()
				if err != nil {
					return err
				}
				answer, err := shake(ctx, a, e, fmt.Sprint("session-", g, "-", call), mine)
				if err == nil && answer.GetOutcome() != want {
					err = fmt.Errorf("the outcome is %v, and %v is right", answer.GetOutcome(), want)
				}
				return err
			})
		}},
		{"End closes a session whatever became of it, and what was kept is dropped", endsDropped},
		{"a mechanism that was not offered lets nobody in", func(b *bench) {
			_, a := initialized(b)
			answer, err := a.Start(b.Context(), "session", agentAddress, unknownMechanism, []byte("data"))
			if err == nil {
				assert.NotEqual(b, handshake.Answer_ACCEPTED.String(), answer.GetOutcome().String())
			}
			assert.NoError(b, a.End(b.Context(), "session"))
		}},
		{"credentials and data belong in no error and no log", authenticatorSilent},
		{"a call returns when its ctx ends", func(b *bench) {
			k, a := initialized(b)
			b.returns("Mechanisms", func() { _, _ = a.Mechanisms(ended()) })
			b.returns("Start", func() { _, _ = a.Start(ended(), "session", agentAddress, mechanismOf(b, a), nil) })
			b.returns("Step", func() { _, _ = a.Step(ended(), "session", nil) })
			assert.NoError(b, a.End(b.Context(), "session"))
			assert.Empty(b, panics(k))
		}},
	}
}

// initialized is the module with the suite's credential.
func initialized(b *bench) (*Kit, authenticator.Authenticator) {
	b.Helper()
	k, a := loaded[authenticator.Authenticator](b)
	require.NoError(b, a.Initialize(b.Context(), credentialsOf(b.o.credentialOr())))
	return k, a
}

// attempt is one handshake of a fresh peer with the module.
func (b *bench) attempt(a authenticator.Authenticator, session string, c *mesosv1.Credential) (*handshake.Answer, error) {
	b.Helper()
	e, err := b.authenticatees()()
	require.NoError(b, err)
	return shake(b.Context(), a, e, session, c)
}

func wrong(c *mesosv1.Credential) *mesosv1.Credential {
	return &mesosv1.Credential{Principal: c.Principal, Secret: proto.String("not-" + c.GetSecret())}
}

func stranger(c *mesosv1.Credential) *mesosv1.Credential {
	return &mesosv1.Credential{Principal: proto.String("not-" + c.GetPrincipal()), Secret: c.Secret}
}

func mechanismOf(b *bench, a authenticator.Authenticator) string {
	b.Helper()
	all, err := a.Mechanisms(b.Context())
	require.NoError(b, err)
	require.NotEmpty(b, all)
	return all[0]
}

// endsDropped leaves sessions in all states. Of one that was ended nothing is left
// that could be stepped on.
func endsDropped(b *bench) {
	k, a := initialized(b)
	assert.NoError(b, a.End(b.Context(), "never-started"))

	c, mechanism := b.o.credentialOr(), mechanismOf(b, a)
	e, err := b.authenticatees()()
	require.NoError(b, err)
	start, err := e.Start(b.Context(), masterAddress, agentAddress, c, []string{mechanism})
	require.NoError(b, err)
	answer, err := a.Start(b.Context(), "left", agentAddress, mechanism, start.GetData())
	require.NoError(b, err)
	assert.NoError(b, a.End(b.Context(), "left"), "End of a session whose peer has not come back")
	if answer.GetOutcome() == handshake.Answer_CONTINUE {
		data, err := e.Step(b.Context(), answer.GetData())
		require.NoError(b, err)
		if late, err := a.Step(b.Context(), "left", data); err == nil {
			assert.NotEqual(b, handshake.Answer_ACCEPTED, late.GetOutcome(), "a session that was ended goes on")
		}
	}
	assert.Empty(b, panics(k))
}

func authenticatorSilent(b *bench) {
	k, a := initialized(b)
	c := b.o.credentialOr()
	guess := wrong(c)
	var errs []error
	for i, x := range []*mesosv1.Credential{c, guess, stranger(c)} {
		_, err := b.attempt(a, fmt.Sprint("session-", i), x)
		errs = append(errs, err)
	}
	const garbage = "moduletest-garbage"
	_, err := a.Start(b.Context(), "garbage", agentAddress, mechanismOf(b, a), []byte(garbage))
	errs = append(errs, err)
	_, err = a.Step(b.Context(), "garbage", []byte(garbage+" "+c.GetSecret()))
	errs = append(errs, err, a.End(b.Context(), "garbage"))
	silent(b, k, []string{c.GetSecret(), garbage}, errs...)
	assert.Empty(b, panics(k))
}
