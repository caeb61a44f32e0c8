package crammd5_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	clientside "github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	"github.com/mesos-modules/mms/modules/authenticator/crammd5"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authenticator"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, crammd5.Library, crammd5.Name)
	t.Run("with the authenticatee that ships", func(t *testing.T) {
		moduletest.Conformance(t, crammd5.Library, crammd5.Name, moduletest.Peer(clientside.Library, clientside.Name))
	})
}

func started(t *testing.T) (authenticator.Authenticator, []byte) {
	t.Helper()
	a := moduletest.Load[authenticator.Authenticator](moduletest.New(t, crammd5.Library), crammd5.Name)
	require.NoError(t, a.Initialize(t.Context(), &mesosv1.Credentials{Credentials: []*mesosv1.Credential{
		{Principal: proto.String("an agent"), Secret: proto.String("s3cret")},
	}}))
	answer, err := a.Start(t.Context(), "s", "slave(1)@127.0.0.1:5051", crammd5.Mechanism, nil)
	require.NoError(t, err)
	return a, answer.GetData()
}

func proof(secret string, challenge []byte) string {
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write(challenge)
	return hex.EncodeToString(mac.Sum(nil))
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name, principal, secret string
		want                    handshake.Answer_Outcome
	}{
		{"the right secret is accepted", "an agent", "s3cret", handshake.Answer_ACCEPTED},
		{"a wrong secret is refused", "an agent", "guess", handshake.Answer_REFUSED},
		{"an unknown principal is refused, also with an empty secret", "nobody", "", handshake.Answer_REFUSED},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, challenge := started(t)
			answer, err := a.Step(t.Context(), "s", []byte(c.principal+" "+proof(c.secret, challenge)))
			require.NoError(t, err)
			assert.Equal(t, c.want, answer.GetOutcome())
			if c.want == handshake.Answer_ACCEPTED {
				assert.Equal(t, c.principal, answer.GetPrincipal())
			}
		})
	}
	t.Run("data that is no answer is refused", func(t *testing.T) {
		a, _ := started(t)
		answer, err := a.Step(t.Context(), "s", []byte("nothing"))
		require.NoError(t, err)
		assert.Equal(t, handshake.Answer_REFUSED, answer.GetOutcome())
	})
	t.Run("an answer counts once", func(t *testing.T) {
		a, challenge := started(t)
		data := []byte("an agent " + proof("s3cret", challenge))
		_, err := a.Step(t.Context(), "s", data)
		require.NoError(t, err)
		_, err = a.Step(t.Context(), "s", data)
		assert.ErrorContains(t, err, "no challenge")
	})
	t.Run("an answer to the challenge of another session is refused", func(t *testing.T) {
		a, overheard := started(t)
		_, err := a.Start(t.Context(), "another", "slave(1)@127.0.0.1:5052", crammd5.Mechanism, nil)
		require.NoError(t, err)
		answer, err := a.Step(t.Context(), "another", []byte("an agent "+proof("s3cret", overheard)))
		require.NoError(t, err)
		assert.Equal(t, handshake.Answer_REFUSED, answer.GetOutcome())
	})
	t.Run("garbage is refused", func(t *testing.T) {
		for _, data := range [][]byte{nil, {0}, []byte(" "), []byte("an agent "), []byte("an agent \xff\xfe"), bytes.Repeat([]byte("a "), 1<<16)} {
			a, _ := started(t)
			answer, err := a.Step(t.Context(), "s", data)
			require.NoError(t, err)
			assert.Equal(t, handshake.Answer_REFUSED, answer.GetOutcome())
		}
	})
	t.Run("a mechanism that was not offered is an error", func(t *testing.T) {
		a, _ := started(t)
		for _, mechanism := range []string{"", "PLAIN", "cram-md5"} {
			_, err := a.Start(t.Context(), "another", "", mechanism, nil)
			assert.ErrorContains(t, err, "was not offered")
		}
	})
	t.Run("a session that is over has no challenge any more", func(t *testing.T) {
		a, challenge := started(t)
		require.NoError(t, a.End(t.Context(), "s"))
		_, err := a.Step(t.Context(), "s", []byte("an agent "+proof("s3cret", challenge)))
		assert.ErrorContains(t, err, "no challenge")
		assert.NoError(t, a.End(t.Context(), "s"), "to end it again does nothing")
	})
	t.Run("without credentials everybody is refused", func(t *testing.T) {
		a := moduletest.Load[authenticator.Authenticator](moduletest.New(t, crammd5.Library), crammd5.Name)
		require.NoError(t, a.Initialize(t.Context(), nil))
		challenge, err := a.Start(t.Context(), "s", "", crammd5.Mechanism, nil)
		require.NoError(t, err)
		answer, err := a.Step(t.Context(), "s", []byte("an agent "+proof("", challenge.GetData())))
		require.NoError(t, err)
		assert.Equal(t, handshake.Answer_REFUSED, answer.GetOutcome())
	})
	t.Run("no two challenges are equal", func(t *testing.T) {
		_, one := started(t)
		_, other := started(t)
		assert.NotEqual(t, one, other)
	})
}

// BenchmarkHandshake is what both modules do for one handshake, without what carries it.
func BenchmarkHandshake(b *testing.B) {
	ctx := b.Context()
	instance, err := crammd5.Library.Modules[0].Declare().New(ctx, nil, nil)
	require.NoError(b, err)
	a := instance.(authenticator.Authenticator)
	credential := &mesosv1.Credential{Principal: proto.String("agent"), Secret: proto.String("s3cret")}
	require.NoError(b, a.Initialize(ctx, &mesosv1.Credentials{Credentials: []*mesosv1.Credential{credential}}))
	other := clientside.Library.Modules[0].Declare()
	for b.Loop() {
		instance, _ := other.New(ctx, nil, nil)
		e := instance.(authenticatee.Authenticatee)
		_, _ = e.Start(ctx, "", "", credential, []string{crammd5.Mechanism})
		challenge, _ := a.Start(ctx, "s", "", crammd5.Mechanism, nil)
		data, _ := e.Step(ctx, challenge.GetData())
		answer, err := a.Step(ctx, "s", data)
		_ = a.End(ctx, "s")
		if err != nil || answer.GetOutcome() != handshake.Answer_ACCEPTED {
			b.Fatal(answer, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
}

func Example() {
	ctx := context.Background()
	declared := crammd5.Library.Modules[0].Declare()
	instance, _ := declared.New(ctx, nil, nil)
	a := instance.(authenticator.Authenticator)
	_ = a.Initialize(ctx, &mesosv1.Credentials{Credentials: []*mesosv1.Credential{
		{Principal: proto.String("agent"), Secret: proto.String("s3cret")},
	}})
	challenge, _ := a.Start(ctx, "session", "slave(1)@10.0.0.1:5051", crammd5.Mechanism, nil)
	answer, _ := a.Step(ctx, "session", []byte("agent "+proof("s3cret", challenge.GetData())))
	fmt.Println(answer.GetOutcome(), answer.GetPrincipal())
	// Output: ACCEPTED agent
}
