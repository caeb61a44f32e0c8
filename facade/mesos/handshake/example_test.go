package handshake_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
)

// An answer lets in only if it says so.
func Example() {
	fmt.Println((&handshake.Answer{}).GetOutcome())
	answer := &handshake.Answer{Outcome: handshake.Answer_ACCEPTED.Enum(), Principal: proto.String("agent")}
	fmt.Println(answer.GetOutcome(), answer.GetPrincipal())
	// Output:
	// CONTINUE
	// ACCEPTED agent
}
