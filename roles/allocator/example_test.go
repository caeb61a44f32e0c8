package allocator_test

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/roles/allocator"
)

// greedy offers every new agent to the framework that came first. A real module
// implements all methods; what this one leaves out panics.
type greedy struct {
	allocator.Allocator
	offer func([]*allocation.Share)
	first *mesosv1.FrameworkInfo
}

func (g *greedy) Offers(_ context.Context, sink func([]*allocation.Share)) error {
	g.offer = sink
	return nil
}

func (g *greedy) AddFramework(_ context.Context, info *mesosv1.FrameworkInfo, _ []*allocation.Share, _ bool,
	_ []string, _ *scheduler.OfferConstraints) error {
	if g.first == nil {
		g.first = info
	}
	return nil
}

func (g *greedy) AddSlave(_ context.Context, info *mesosv1.AgentInfo, _ []*mesosv1.AgentInfo_Capability,
	_ *mesosv1.Unavailability, total []*mesosv1.Resource, _ []*allocation.Share) error {
	for _, r := range total {
		r.AllocationInfo = &mesosv1.Resource_AllocationInfo{Role: proto.String(g.first.GetRoles()[0])}
	}
	g.offer([]*allocation.Share{{FrameworkId: g.first.GetId(), AgentId: info.GetId(), Resources: total}})
	return nil
}

// The master gives the module a receiver of offers, then tells it what there is.
func Example() {
	ctx := context.Background()
	var a allocator.Allocator = &greedy{}

	_ = a.Offers(ctx, func(shares []*allocation.Share) {
		for _, s := range shares {
			fmt.Println(s.GetFrameworkId().GetValue(), "is offered", s.GetResources()[0].GetScalar().GetValue(),
				s.GetResources()[0].GetName(), "of", s.GetAgentId().GetValue(),
				"for", s.GetResources()[0].GetAllocationInfo().GetRole())
		}
	})
	_ = a.AddFramework(ctx, &mesosv1.FrameworkInfo{
		Id: &mesosv1.FrameworkID{Value: proto.String("F1")}, Roles: []string{"web"},
	}, nil, true, nil, nil)
	_ = a.AddSlave(ctx, &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("S1")}}, nil, nil,
		[]*mesosv1.Resource{{
			Name:   proto.String("cpus"),
			Type:   mesosv1.Value_SCALAR.Enum(),
			Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(4)},
		}}, nil)
	// Output: F1 is offered 4 cpus of S1 for web
}
