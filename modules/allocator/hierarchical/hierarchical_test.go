package hierarchical_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/roles/allocator"
)

func TestConformance(t *testing.T) {
	for _, sorter := range []string{"drf", "random"} {
		t.Run(sorter, func(t *testing.T) {
			moduletest.Conformance(t, hierarchical.Library, hierarchical.Name,
				moduletest.Parameter(hierarchical.Name, "role_sorter", sorter), moduletest.Parameter(hierarchical.Name, "framework_sorter", sorter))
		})
	}
}

// TestLots: by lot, each of many frameworks is offered an agent about as often, whatever it has.
func TestLots(t *testing.T) {
	const runs, frameworks = 2000, 4
	a := create(t, facade.Parameter{Key: "role_sorter", Value: "random"}, facade.Parameter{Key: "framework_sorter", Value: "random"},
		facade.Parameter{Key: "seed", Value: "1"})
	came := make(chan *allocation.Share)
	ctx := t.Context()
	require.NoError(t, a.Initialize(ctx, &allocation.Options{AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Hour))}}))
	for i := range frameworks {
		require.NoError(t, a.AddFramework(ctx, &mesosv1.FrameworkInfo{Id: &mesosv1.FrameworkID{Value: proto.String(fmt.Sprint("f", i))}, Role: proto.String("web")},
			nil, true, nil, nil))
	}
	require.NoError(t, a.Offers(ctx, func(shares []*allocation.Share) { came <- shares[0] }))
	agent := &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("s")}}
	total, err := resources.Parse("cpus:1", resources.AnyRole)
	require.NoError(t, err)
	served := map[string]int{}
	for range runs {
		require.NoError(t, a.AddSlave(ctx, agent, nil, nil, total.Messages(), nil))
		served[(<-came).GetFrameworkId().GetValue()]++
		require.NoError(t, a.RemoveSlave(ctx, agent.GetId()))
	}
	for i := range frameworks {
		assert.InDelta(t, runs/frameworks, served[fmt.Sprint("f", i)], runs/frameworks/5, "%v", served)
	}
}

func TestBehaviours(t *testing.T) {
	moduletest.AllocatorBehaviours(t, func(t *testing.T) allocator.Allocator {
		return moduletest.Load[allocator.Allocator](moduletest.New(t, hierarchical.Library), hierarchical.Name)
	})
}

func TestBehavioursWithoutHandle(t *testing.T) {
	moduletest.AllocatorBehaviours(t, func(t *testing.T) allocator.Allocator { return create(t) })
}

// host is a daemon that gives no more than the module asks for.
type host struct {
	facade.Host
	life context.Context
}

func (h host) Lifetime() context.Context { return h.life }
func (h host) Logger() *slog.Logger      { return slog.New(slog.DiscardHandler) }

// create returns the instance itself, which is closed with the test.
func create(t *testing.T, parameters ...facade.Parameter) allocator.Allocator {
	instance, err := hierarchical.Library.Modules[0].Declare().New(t.Context(), host{life: context.Background()}, parameters)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, instance.(facade.Closer).Close(context.Background()))
		require.NoError(t, instance.(facade.Closer).Close(context.Background()), "closing again does nothing")
	})
	return instance.(allocator.Allocator)
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
