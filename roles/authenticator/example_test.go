package authenticator_test

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authenticator"
)

// plain believes a peer that sends principal and secret in the clear. It needs
// one message and so keeps no sessions.
type plain struct {
	secrets map[string]string
}

func (p *plain) Initialize(_ context.Context, credentials *mesosv1.Credentials) error {
	p.secrets = make(map[string]string)
	for _, c := range credentials.GetCredentials() {
		p.secrets[c.GetPrincipal()] = c.GetSecret()
	}
	return nil
}

func (p *plain) Mechanisms(context.Context) ([]string, error) {
	return []string{"PLAIN"}, nil
}

func (p *plain) Start(_ context.Context, _, _, mechanism string, data []byte) (*handshake.Answer, error) {
	if mechanism != "PLAIN" {
		return nil, fmt.Errorf("mechanism %q is not PLAIN", mechanism)
	}
	principal, secret, _ := strings.Cut(string(data), "\x00")
	want, known := p.secrets[principal]
	if !known || subtle.ConstantTimeCompare([]byte(secret), []byte(want)) == 0 {
		return &handshake.Answer{Outcome: handshake.Answer_REFUSED.Enum()}, nil
	}
	return &handshake.Answer{Outcome: handshake.Answer_ACCEPTED.Enum(), Principal: &principal}, nil
}

func (p *plain) Step(context.Context, string, []byte) (*handshake.Answer, error) {
	return nil, fmt.Errorf("PLAIN has no second message")
}

func (p *plain) End(context.Context, string) error { return nil }

var _ authenticator.Authenticator = (*plain)(nil)

func Example() {
	ctx := context.Background()
	var a authenticator.Authenticator = &plain{}
	_ = a.Initialize(ctx, &mesosv1.Credentials{Credentials: []*mesosv1.Credential{
		{Principal: proto.String("agent"), Secret: proto.String("s3cret")},
	}})

	for _, data := range []string{"agent\x00s3cret", "agent\x00guess"} {
		answer, _ := a.Start(ctx, "session", "slave(1)@10.0.0.1:5051", "PLAIN", []byte(data))
		fmt.Println(answer.GetOutcome(), answer.GetPrincipal())
		_ = a.End(ctx, "session")
	}
	// Output:
	// ACCEPTED agent
	// REFUSED
}
