package nativetest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	ours "github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	theirs "github.com/mesos-modules/mms/modules/authenticator/crammd5"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authenticator"
)

const (
	authenticatorSource = "authenticator/crammd5/native/authenticator.cpp"
	authenticateeSource = "authenticatee/crammd5/native/authenticatee.cpp"
)

func TestAuthenticatorConforms(t *testing.T) {
	moduletest.Conformance(t, library(t, authenticatorSource), theirs.Name)
	t.Run("with the authenticatee in Go", func(t *testing.T) {
		moduletest.Conformance(t, library(t, authenticatorSource), theirs.Name, moduletest.Peer(ours.Library, ours.Name))
	})
}

func TestAuthenticateeConforms(t *testing.T) {
	moduletest.Conformance(t, library(t, authenticateeSource), ours.Name)
	t.Run("with the authenticator in Go", func(t *testing.T) {
		moduletest.Conformance(t, library(t, authenticateeSource), ours.Name, moduletest.Peer(theirs.Library, theirs.Name))
	})
}

// credentials have principals and secrets of every length around the blocks of MD5.
func credentials() *mesosv1.Credentials {
	all := &mesosv1.Credentials{}
	for _, n := range []int{0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 200} {
		all.Credentials = append(all.Credentials, &mesosv1.Credential{
			Principal: proto.String(fmt.Sprintf("an agent %d", n)), Secret: proto.String(strings.Repeat("\xe9 \x00s", n)[:n])})
	}
	return all
}

// handshake is one between two modules, and its last answer.
func shake(t *testing.T, a authenticator.Authenticator, e authenticatee.Authenticatee, session string, c *mesosv1.Credential) *handshake.Answer {
	t.Helper()
	ctx := context.Background()
	mechanisms, err := a.Mechanisms(ctx)
	require.NoError(t, err)
	start, err := e.Start(ctx, "master@127.0.0.1:5050", "slave(1)@127.0.0.1:5051", c, mechanisms)
	require.NoError(t, err)
	answer, err := a.Start(ctx, session, "slave(1)@127.0.0.1:5051", start.GetMechanism(), start.GetData())
	require.NoError(t, err)
	require.Equal(t, handshake.Answer_CONTINUE, answer.GetOutcome())
	data, err := e.Step(ctx, answer.GetData())
	require.NoError(t, err)
	answer, err = a.Step(ctx, session, data)
	require.NoError(t, err)
	require.NoError(t, a.End(ctx, session))
	return answer
}

func TestHandshakesAcrossLanguages(t *testing.T) {
	authenticators := map[string]*moduletest.Kit{
		"Go": moduletest.New(t, theirs.Library), "C++": moduletest.New(t, library(t, authenticatorSource)),
	}
	authenticatees := map[string]*moduletest.Kit{
		"Go": moduletest.New(t, ours.Library), "C++": moduletest.New(t, library(t, authenticateeSource)),
	}
	for m, master := range authenticators {
		a := moduletest.Load[authenticator.Authenticator](master, theirs.Name)
		require.NoError(t, a.Initialize(t.Context(), credentials()))
		for s, slave := range authenticatees {
			moduletest.Load[authenticatee.Authenticatee](slave, ours.Name)
			t.Run("a master in "+m+" and an agent in "+s, func(t *testing.T) {
				for i, c := range credentials().Credentials {
					attempt := func(c *mesosv1.Credential) *handshake.Answer {
						e, closing, err := moduletest.Create[authenticatee.Authenticatee](slave, ours.Name)
						require.NoError(t, err)
						defer func() { assert.NoError(t, closing()) }()
						return shake(t, a, e, fmt.Sprint("session ", i), c)
					}
					answer := attempt(c)
					assert.Equal(t, handshake.Answer_ACCEPTED, answer.GetOutcome(), "%q", c.GetSecret())
					assert.Equal(t, c.GetPrincipal(), answer.GetPrincipal())
					for _, wrong := range []*mesosv1.Credential{
						{Principal: c.Principal, Secret: proto.String(c.GetSecret() + "!")},
						{Principal: proto.String("nobody"), Secret: c.Secret},
						{Principal: proto.String("nobody")},
					} {
						answer := attempt(wrong)
						assert.Equal(t, handshake.Answer_REFUSED, answer.GetOutcome())
						assert.Nil(t, answer.Principal)
					}
				}
			})
		}
	}
}

func TestAnswersAreThoseOfTheTwin(t *testing.T) {
	for name, kit := range map[string]*moduletest.Kit{
		"Go": moduletest.New(t, theirs.Library), "C++": moduletest.New(t, library(t, authenticatorSource)),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			a := moduletest.Load[authenticator.Authenticator](kit, theirs.Name)
			require.NoError(t, a.Initialize(ctx, nil), "no credentials at all")
			require.NoError(t, a.Initialize(ctx, credentials()))
			_, err := a.Start(ctx, "s", "p", "PLAIN", nil)
			assert.EqualError(t, err, `mechanism "PLAIN" was not offered; it is CRAM-MD5`)
			_, err = a.Step(ctx, "s", []byte("x y"))
			assert.EqualError(t, err, "session s has no challenge that waits for an answer")
			challenges := map[string]bool{}
			for _, data := range []string{"", "nothing", "an agent 1 ", "an agent 1 00000000000000000000000000000000", strings.Repeat(" ", 1<<16)} {
				answer, err := a.Start(ctx, "s", "p", "CRAM-MD5", []byte(data))
				require.NoError(t, err)
				assert.Regexp(t, `^<[A-Z2-7]{26,32}@[^>]+>$`, string(answer.GetData()))
				challenges[string(answer.GetData())] = true
				answer, err = a.Step(ctx, "s", []byte(data))
				require.NoError(t, err)
				assert.Equal(t, handshake.Answer_REFUSED, answer.GetOutcome(), "%q", data)
			}
			assert.Len(t, challenges, 5, "a challenge came twice")
			require.NoError(t, a.End(ctx, "nobody's"))
			for _, c := range credentials().Credentials[2:] {
				assert.Empty(t, kit.Shown(c.GetSecret()))
			}
		})
	}
}

// The work of one handshake is what an agent and a master do together.
func BenchmarkHandshake(b *testing.B) {
	for name, kit := range map[string]*moduletest.Kit{
		"go": moduletest.New(b, theirs.Library), "cpp": moduletest.New(b, library(b, authenticatorSource)),
	} {
		a := moduletest.Load[authenticator.Authenticator](kit, theirs.Name)
		require.NoError(b, a.Initialize(b.Context(), credentials()))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = a.Start(b.Context(), "s", "p", "CRAM-MD5", nil)
				_, _ = a.Step(b.Context(), "s", []byte("an agent 1 00000000000000000000000000000000"))
			}
		})
	}
}
