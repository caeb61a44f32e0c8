package registry

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
)

// victimOf is set in a copy of this program that is to be killed.
const victimOf = "REGISTRY_TEST_VICTIM_OF"

func TestMain(m *testing.M) {
	if folder := os.Getenv(victimOf); folder != "" {
		victim(folder)
		return
	}
	goleak.VerifyTestMain(m)
}

// victim changes the registry in a folder until it is killed, and says what it was
// told to be kept. Every third agent becomes unreachable at once.
func victim(folder string) {
	ctx := context.Background()
	r, err := Open(folder)
	if err != nil {
		fmt.Println("open", err)
		os.Exit(1)
	}
	found, err := r.Recover(ctx, masterInfo("victim"))
	if err != nil {
		fmt.Println("recover", err)
		os.Exit(1)
	}
	out := bufio.NewWriter(os.Stdout)
	for i := len(found.GetSlaves().GetSlaves()) + len(found.GetUnreachable().GetSlaves()); ; i++ {
		id := fmt.Sprintf("S%06d", i)
		changes := []core.RegistryChange{core.AdmitAgent{Info: agentInfo(id)}}
		if i%3 == 0 {
			changes = append(changes, core.MarkAgentUnreachable{ID: agentID(id), At: at(int64(i))})
		}
		if refused, err := r.Apply(ctx, changes); err != nil || refused[0] != nil {
			fmt.Println("apply", refused, err)
			os.Exit(1)
		}
		fmt.Fprintln(out, i)
		out.Flush()
	}
}

func masterInfo(id string) *mesosv1.MasterInfo {
	return &mesosv1.MasterInfo{Id: &id, Ip: proto.Uint32(1), Port: proto.Uint32(5050)}
}

func agentInfo(id string) *mesosv1.AgentInfo {
	return &mesosv1.AgentInfo{Id: agentID(id), Hostname: proto.String("host-" + id)}
}

func agentID(id string) *mesosv1.AgentID { return &mesosv1.AgentID{Value: &id} }

func at(ns int64) *mesosv1.TimeInfo { return &mesosv1.TimeInfo{Nanoseconds: &ns} }
