package hierarchical_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/roles/allocator"
)

// A master gives the allocator its settings and a receiver of offers, and tells it what
// there is. The offer comes from a goroutine of the allocator's.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	instance, _ := hierarchical.Library.Modules[0].Declare().New(ctx, host{life: ctx}, facade.Parameters{{Key: "seed", Value: "1"}})
	a := instance.(allocator.Allocator)
	defer instance.(facade.Closer).Close(ctx)

	offers := make(chan *allocation.Share, 1)
	_ = a.Initialize(ctx, &allocation.Options{
		AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Second))},
	})
	_ = a.Offers(ctx, func(shares []*allocation.Share) { offers <- shares[0] })
	_ = a.AddFramework(ctx, &mesosv1.FrameworkInfo{
		Id: &mesosv1.FrameworkID{Value: proto.String("F1")}, Role: proto.String("web"),
	}, nil, true, nil, nil)
	_ = a.AddSlave(ctx, &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("S1")}}, nil, nil,
		[]*mesosv1.Resource{{
			Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(4)},
		}}, nil)

	s := <-offers
	fmt.Println(s.GetFrameworkId().GetValue(), "is offered", s.GetResources()[0].GetScalar().GetValue(),
		s.GetResources()[0].GetName(), "of", s.GetAgentId().GetValue(), "for", s.GetResources()[0].GetAllocationInfo().GetRole())
	// Output: F1 is offered 4 cpus of S1 for web
}

// backwards serves those first whom the order of fair shares has last.
type backwards struct{}

func (backwards) Divide(run hierarchical.Run) {
	for _, agent := range run.Agents() {
		candidates := run.Candidates(nil, agent)
		if _, err := run.Offer(agent, candidates[len(candidates)-1], nil); err != nil {
			fmt.Println(err)
		}
	}
}

// Another algorithm divides what the same books have.
func ExampleNewWith() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a := hierarchical.NewWith(ctx, slog.New(slog.DiscardHandler), 1, backwards{})
	defer a.Close(ctx)

	offers := make(chan *allocation.Share, 1)
	_ = a.Initialize(ctx, &allocation.Options{
		AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Second))},
	})
	_ = a.Offers(ctx, func(shares []*allocation.Share) { offers <- shares[0] })
	for _, id := range []string{"F1", "F2"} {
		_ = a.AddFramework(ctx, &mesosv1.FrameworkInfo{Id: &mesosv1.FrameworkID{Value: &id}, Role: proto.String("web")}, nil, true, nil, nil)
	}
	_ = a.AddSlave(ctx, &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("S1")}}, nil, nil,
		[]*mesosv1.Resource{{
			Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(4)},
		}}, nil)

	fmt.Println((<-offers).GetFrameworkId().GetValue(), "is offered S1")
	// Output: F2 is offered S1
}
