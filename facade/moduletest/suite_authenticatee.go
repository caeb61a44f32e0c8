package moduletest

import (
	"context"
	"fmt"
	"slices"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	"github.com/mesos-modules/mms/roles/authenticatee"
)

func authenticateeChecks() []check {
	return []check{
		{"Start chooses one of the mechanisms the master has named", func(b *bench) {
			_, e := loaded[authenticatee.Authenticatee](b)
			named, err := b.authenticator(b.o.credentialOr()).Mechanisms(b.Context())
			require.NoError(b, err)
			start, err := e.Start(b.Context(), masterAddress, agentAddress, b.o.credentialOr(), slices.Clone(named))
			require.NoError(b, err)
			require.NotNil(b, start, "it knows none of %v; name a module with moduletest.Peer that offers what it knows", named)
			assert.Contains(b, named, start.GetMechanism())
		}},
		{"Start is nil if the module knows none of them", func(b *bench) {
			_, e := loaded[authenticatee.Authenticatee](b)
			for _, none := range [][]string{{unknownMechanism}, nil} {
				start, err := e.Start(b.Context(), masterAddress, agentAddress, b.o.credentialOr(), none)
				require.NoError(b, err)
				assert.Nil(b, start)
			}
		}},
		{"the master accepts who has the secret", func(b *bench) {
			_, e := loaded[authenticatee.Authenticatee](b)
			c := b.o.credentialOr()
			answer, err := shake(b.Context(), b.authenticator(c), e, "session", c)
			accepted(b, answer, err, c.GetPrincipal())
		}},
		{"the master refuses who has another", func(b *bench) {
			_, e := loaded[authenticatee.Authenticatee](b)
			c := b.o.credentialOr()
			answer, err := shake(b.Context(), b.authenticator(c), e, "session", wrong(c))
			refused(b, answer, err)
		}},
		{"an instance serves one attempt, and others serve theirs at the same time", func(b *bench) {
			k, _ := loaded[authenticatee.Authenticatee](b)
			c, next := b.o.credentialOr(), attempts(k, b.module)
			a := b.authenticator(c)
			k.Hammer(4, 5, func(ctx context.Context, g, call int) error {
				e, err := next()
				if err != nil {
					return err
				}
				answer, err := shake(ctx, a, e, fmt.Sprint("session-", g, "-", call), c)
				if err == nil && answer.GetOutcome() != handshake.Answer_ACCEPTED {
					err = fmt.Errorf("the outcome is %v", answer.GetOutcome())
				}
				return err
			})
		}},
		{"credentials and data belong in no error and no log", func(b *bench) {
			k, e := loaded[authenticatee.Authenticatee](b)
			c := b.o.credentialOr()
			_, refusal := shake(b.Context(), b.authenticator(wrong(c)), e, "session", c)
			const garbage = "moduletest-garbage"
			_, odd := e.Step(b.Context(), []byte(garbage))
			_, again := e.Step(b.Context(), nil)
			_, late := e.Step(ended(), []byte(garbage))
			silent(b, k, []string{c.GetSecret(), garbage}, refusal, odd, again, late)
			assert.Empty(b, panics(k))
		}},
		{"a call returns when its ctx ends", func(b *bench) {
			k, e := loaded[authenticatee.Authenticatee](b)
			named, err := b.authenticator(b.o.credentialOr()).Mechanisms(b.Context())
			require.NoError(b, err)
			b.returns("Start", func() {
				_, _ = e.Start(ended(), masterAddress, agentAddress, b.o.credentialOr(), slices.Clone(named))
			})
			b.returns("Step", func() { _, _ = e.Step(ended(), []byte("data")) })
			assert.Empty(b, panics(k))
		}},
	}
}
