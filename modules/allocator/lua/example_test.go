package lua_test

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/lua"
	"github.com/mesos-modules/mms/roles/allocator"
)

// A master gives the module a script, then its settings and a receiver of offers, and tells
// it what there is.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	script, _ := filepath.Abs("scripts/fair_share.lua")
	instance, err := lua.Library.Modules[0].Declare().New(ctx, host{life: ctx}, facade.Parameters{{Key: "script", Value: script}})
	if err != nil {
		fmt.Println(err)
		return
	}
	a := instance.(allocator.Allocator)
	defer instance.(facade.Closer).Close(ctx)

	offers := make(chan *allocation.Share, 1)
	_ = a.Initialize(ctx, &allocation.Options{
		AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Second))},
	})
	_ = a.Offers(ctx, func(shares []*allocation.Share) { offers <- shares[0] })
	_ = a.AddFramework(ctx, &mesosv1.FrameworkInfo{Id: frameworkNamed("F1"), Role: proto.String("web")}, nil, true, nil, nil)
	total, _ := resources.Parse("cpus:4", resources.AnyRole)
	_ = a.AddSlave(ctx, &mesosv1.AgentInfo{Id: agentNamed("S1")}, nil, nil, total.Messages(), nil)

	s := <-offers
	fmt.Println(s.GetFrameworkId().GetValue(), "is offered", s.GetResources()[0].GetScalar().GetValue(),
		s.GetResources()[0].GetName(), "of", s.GetAgentId().GetValue(), "for", s.GetResources()[0].GetAllocationInfo().GetRole())
	// Output: F1 is offered 4 cpus of S1 for web
}
