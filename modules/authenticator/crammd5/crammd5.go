// Package crammd5 is the authenticator that Mesos has by default: CRAM-MD5 (RFC
// 2195), with the credentials of the operator.
//
// The secret never crosses the network, but whoever records a handshake can try
// secrets at leisure, and nothing protects what is said after it.
package crammd5

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authenticator"
)

// Name is what manifests and flags call the module; crammd5 is its short name.
const Name = "org_apache_mesos_CRAMMD5Authenticator"

// Mechanism is the name under which SASL knows what the module does.
const Mechanism = "CRAM-MD5"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[authenticator.Authenticator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Authenticates agents by CRAM-MD5.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (authenticator.Authenticator, error) {
			host, err := os.Hostname()
			if err != nil {
				host = "localhost" // it only makes the challenge more unique
			}
			return &sessions{host: host, challenges: map[string][]byte{}}, nil
		},
	},
}}

// sessions are the handshakes under way. The credentials are set once, before the
// first of them.
type sessions struct {
	authenticator.Unimplemented

	host    string
	secrets map[string][]byte

	mu         sync.Mutex
	challenges map[string][]byte // by session
}

func (s *sessions) Initialize(_ context.Context, credentials *mesosv1.Credentials) error {
	s.secrets = make(map[string][]byte, len(credentials.GetCredentials()))
	for _, c := range credentials.GetCredentials() {
		s.secrets[c.GetPrincipal()] = []byte(c.GetSecret())
	}
	return nil
}

func (s *sessions) Mechanisms(context.Context) ([]string, error) { return []string{Mechanism}, nil }

// Start makes a challenge that nobody has seen before. CRAM-MD5 has no first data of
// the peer's.
func (s *sessions) Start(_ context.Context, session, _, mechanism string, _ []byte) (*handshake.Answer, error) {
	if mechanism != Mechanism {
		return nil, fmt.Errorf("mechanism %q was not offered; it is %s", mechanism, Mechanism)
	}
	challenge := fmt.Appendf(nil, "<%s@%s>", rand.Text(), s.host)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.challenges[session] = challenge
	return &handshake.Answer{Outcome: handshake.Answer_CONTINUE.Enum(), Data: challenge}, nil
}

// Step looks whether the peer knows the secret of the principal it names: it sends
// the name, a space and the HMAC of the challenge in hexadecimal digits.
func (s *sessions) Step(_ context.Context, session string, data []byte) (*handshake.Answer, error) {
	s.mu.Lock()
	challenge, ok := s.challenges[session]
	delete(s.challenges, session) // a challenge is good for one answer
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("session %s has no challenge that waits for an answer", session)
	}
	principal, proof, ok := cutLast(string(data))
	if !ok {
		return refused(), nil
	}
	// The work is the same for a principal that is not known.
	secret, known := s.secrets[principal]
	mac := hmac.New(md5.New, secret)
	mac.Write(challenge)
	want := hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(strings.ToLower(proof))) || !known {
		return refused(), nil
	}
	return &handshake.Answer{Outcome: handshake.Answer_ACCEPTED.Enum(), Principal: proto.String(principal)}, nil
}

func (s *sessions) End(_ context.Context, session string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.challenges, session)
	return nil
}

func refused() *handshake.Answer {
	return &handshake.Answer{Outcome: handshake.Answer_REFUSED.Enum()}
}

// cutLast splits at the last space: principals may have spaces in them.
func cutLast(text string) (before, after string, ok bool) {
	at := strings.LastIndexByte(text, ' ')
	if at < 0 {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}
