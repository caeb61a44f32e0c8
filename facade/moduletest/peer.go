package moduletest

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authenticator"
)

// Credential is the principal and secret with which the conformance suites of
// authenticators and authenticatees work, for modules that have their own source of
// them. Without it they make some up.
func Credential(principal, secret string) Option {
	return func(s *settings) {
		s.credential = &mesosv1.Credential{Principal: &principal, Secret: &secret}
	}
}

// Peer is the module at the other end of the handshake, for the conformance suites of
// authenticators and authenticatees. Without it the other end speaks CRAM-MD5 (RFC
// 2195), as Apache Mesos does.
func Peer(library facade.Library, module string, options ...Option) Option {
	return func(s *settings) { s.peer = &peer{library, module, options} }
}

type peer struct {
	library facade.Library
	module  string
	options []Option
}

func (s settings) credentialOr() *mesosv1.Credential {
	if s.credential != nil {
		return proto.CloneOf(s.credential)
	}
	return &mesosv1.Credential{Principal: proto.String("moduletest-principal"), Secret: proto.String("moduletest-s3cret")}
}

// authenticatees returns what makes one for each attempt.
func (b *bench) authenticatees() func() (authenticatee.Authenticatee, error) {
	b.Helper()
	if b.o.peer == nil {
		return func() (authenticatee.Authenticatee, error) { return &cramClient{}, nil }
	}
	k := New(b.TB, b.o.peer.library, b.o.peer.options...)
	Load[authenticatee.Authenticatee](k, b.o.peer.module)
	return attempts(k, b.o.peer.module)
}

func attempts(k *Kit, module string) func() (authenticatee.Authenticatee, error) {
	return func() (authenticatee.Authenticatee, error) {
		e, _, err := Create[authenticatee.Authenticatee](k, module)
		return e, err
	}
}

// authenticator returns one that knows the credential.
func (b *bench) authenticator(c *mesosv1.Credential) authenticator.Authenticator {
	b.Helper()
	var a authenticator.Authenticator = &cramServer{challenges: map[string]string{}}
	if b.o.peer != nil {
		a = Load[authenticator.Authenticator](New(b.TB, b.o.peer.library, b.o.peer.options...), b.o.peer.module)
	}
	require.NoError(b, a.Initialize(b.Context(), credentialsOf(c)))
	return a
}

func credentialsOf(c *mesosv1.Credential) *mesosv1.Credentials {
	return &mesosv1.Credentials{Credentials: []*mesosv1.Credential{proto.CloneOf(c)}}
}

// The addresses in a handshake, which prove nothing.
const (
	masterAddress = "master@192.0.2.1:5050"
	agentAddress  = "slave(1)@192.0.2.2:5051"
)

// maxRounds ends a handshake that does not end.
const maxRounds = 32

// shake is what master and agent do in between: one handshake, to the last answer.
// The answer is nil if the authenticatee knows none of the mechanisms.
func shake(ctx context.Context, a authenticator.Authenticator, e authenticatee.Authenticatee,
	session string, c *mesosv1.Credential) (answer *handshake.Answer, err error) {
	mechanisms, err := a.Mechanisms(ctx)
	if err != nil {
		return nil, fmt.Errorf("Mechanisms: %w", err)
	}
	start, err := e.Start(ctx, masterAddress, agentAddress, proto.CloneOf(c), slices.Clone(mechanisms))
	if err != nil || start == nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.End(context.WithoutCancel(ctx), session)) }()
	answer, err = a.Start(ctx, session, agentAddress, start.GetMechanism(), slices.Clone(start.GetData()))
	for range maxRounds {
		if err != nil || answer.GetOutcome() != handshake.Answer_CONTINUE {
			return answer, err
		}
		data, err := e.Step(ctx, slices.Clone(answer.GetData()))
		if err != nil {
			return nil, fmt.Errorf("the authenticatee ends the attempt: %w", err)
		}
		if answer, err = a.Step(ctx, session, data); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("the handshake does not end within %d rounds", maxRounds)
}

const cramMD5 = "CRAM-MD5"

func digest(secret, challenge string) string {
	h := hmac.New(md5.New, []byte(secret))
	h.Write([]byte(challenge))
	return hex.EncodeToString(h.Sum(nil))
}

// cramClient is the reference for the agent's side.
type cramClient struct{ credential *mesosv1.Credential }

func (c *cramClient) Start(_ context.Context, _, _ string, credential *mesosv1.Credential, mechanisms []string) (*handshake.Start, error) {
	if !slices.Contains(mechanisms, cramMD5) {
		return nil, nil
	}
	c.credential = credential
	return &handshake.Start{Mechanism: proto.String(cramMD5)}, nil
}

func (c *cramClient) Step(_ context.Context, data []byte) ([]byte, error) {
	return []byte(c.credential.GetPrincipal() + " " + digest(c.credential.GetSecret(), string(data))), nil
}

// cramServer is the reference for the master's side.
type cramServer struct {
	mu         sync.Mutex
	secrets    map[string]string
	challenges map[string]string // by session
}

func (s *cramServer) Initialize(_ context.Context, all *mesosv1.Credentials) error {
	s.secrets = map[string]string{}
	for _, c := range all.GetCredentials() {
		s.secrets[c.GetPrincipal()] = c.GetSecret()
	}
	return nil
}

func (s *cramServer) Mechanisms(context.Context) ([]string, error) { return []string{cramMD5}, nil }

func (s *cramServer) Start(_ context.Context, session, _, mechanism string, _ []byte) (*handshake.Answer, error) {
	if mechanism != cramMD5 {
		return nil, fmt.Errorf("the mechanism %q is none that was offered", mechanism)
	}
	challenge := "<" + rand.Text() + "@moduletest>"
	s.mu.Lock()
	defer s.mu.Unlock()
	s.challenges[session] = challenge
	return &handshake.Answer{Outcome: handshake.Answer_CONTINUE.Enum(), Data: []byte(challenge)}, nil
}

func (s *cramServer) Step(_ context.Context, session string, data []byte) (*handshake.Answer, error) {
	s.mu.Lock()
	challenge, open := s.challenges[session]
	delete(s.challenges, session)
	s.mu.Unlock()
	principal, proof, _ := strings.Cut(string(data), " ")
	secret, known := s.secrets[principal]
	if !open || !known || !hmac.Equal([]byte(proof), []byte(digest(secret, challenge))) {
		return &handshake.Answer{Outcome: handshake.Answer_REFUSED.Enum()}, nil
	}
	return &handshake.Answer{Outcome: handshake.Answer_ACCEPTED.Enum(), Principal: &principal}, nil
}

func (s *cramServer) End(_ context.Context, session string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.challenges, session)
	return nil
}

// accepted holds that a handshake came to its good end.
func accepted(t testing.TB, answer *handshake.Answer, err error, principal string) {
	t.Helper()
	require.NoError(t, err)
	require.NotNil(t, answer, "the two sides have no mechanism in common; name a module that has one with moduletest.Peer")
	require.Equal(t, handshake.Answer_ACCEPTED.String(), answer.GetOutcome().String())
	require.Equal(t, principal, answer.GetPrincipal())
}

// refused holds that the peer is told that it is not who it says.
func refused(t testing.TB, answer *handshake.Answer, err error) {
	t.Helper()
	require.NoError(t, err, "an error is a failure of the module, not of the peer")
	require.Equal(t, handshake.Answer_REFUSED.String(), answer.GetOutcome().String())
}
