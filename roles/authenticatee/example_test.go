package authenticatee_test

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/authenticatee"
)

// plain sends principal and secret in the clear.
type plain struct{}

func (plain) Start(_ context.Context, _, _ string, credential *mesosv1.Credential,
	mechanisms []string) (*handshake.Start, error) {
	if !slices.Contains(mechanisms, "PLAIN") {
		return nil, nil
	}
	return &handshake.Start{
		Mechanism: proto.String("PLAIN"),
		Data:      []byte(credential.GetPrincipal() + "\x00" + credential.GetSecret()),
	}, nil
}

func (plain) Step(context.Context, []byte) ([]byte, error) {
	return nil, fmt.Errorf("PLAIN has no second message")
}

var _ authenticatee.Authenticatee = plain{}

func Example() {
	ctx := context.Background()
	var a authenticatee.Authenticatee = plain{}
	credential := &mesosv1.Credential{Principal: proto.String("agent"), Secret: proto.String("s3cret")}

	start, _ := a.Start(ctx, "master@10.0.0.2:5050", "slave(1)@10.0.0.1:5051", credential, []string{"CRAM-MD5", "PLAIN"})
	fmt.Printf("%s %q\n", start.GetMechanism(), start.GetData())

	start, _ = a.Start(ctx, "master@10.0.0.2:5050", "slave(1)@10.0.0.1:5051", credential, []string{"CRAM-MD5"})
	fmt.Println(start == nil)
	// Output:
	// PLAIN "agent\x00s3cret"
	// true
}
