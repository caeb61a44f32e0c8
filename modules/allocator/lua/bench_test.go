package lua_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/modules/allocator/lua"
	"github.com/mesos-modules/mms/roles/allocator"
)

// host is a daemon that gives no more than the module asks for.
type host struct {
	facade.Host
	life context.Context
	dir  string
}

type nothing struct{}

func (nothing) Add(float64) {}
func (nothing) Set(float64) {}

func (nothing) Counter(string, string) facade.Counter { return nothing{} }
func (nothing) Gauge(string, string) facade.Gauge     { return nothing{} }

func (h host) Lifetime() context.Context { return h.life }
func (h host) Logger() *slog.Logger      { return slog.New(slog.DiscardHandler) }
func (h host) Metrics() facade.Metrics   { return nothing{} }

func (h host) StateDir() (string, error) {
	if h.dir == "" {
		return "", errors.New("there is none")
	}
	return h.dir, nil
}

// field is an allocator and the master's side of it: agents and frameworks as in the
// benchmarks of package hierarchical.
type field struct {
	tb         testing.TB
	a          allocator.Allocator
	agents     int
	frameworks int
	came       chan []*allocation.Share
}

const (
	agentHas  = "cpus:24;mem:4096;disk:4096;ports:[31000-32000]"
	agentUses = "cpus:12;mem:2048;disk:2048"
)

func parsed(tb testing.TB, text string) resources.Resources {
	r, err := resources.Parse(text, resources.AnyRole)
	require.NoError(tb, err)
	return r
}

func newField(tb testing.TB, lib facade.Library, parameters facade.Parameters, agents, frameworks int, role func(i int) string) *field {
	instance, err := lib.Modules[0].Declare().New(tb.Context(), host{life: tb.Context(), dir: tb.TempDir()}, append(parameters, facade.Parameter{Key: "seed", Value: "1"}))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, instance.(facade.Closer).Close(context.Background())) })
	f := &field{tb: tb, a: instance.(allocator.Allocator), agents: agents, frameworks: frameworks, came: make(chan []*allocation.Share, frameworks)}
	ctx := tb.Context()
	require.NoError(tb, f.a.Initialize(ctx, &allocation.Options{
		AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Hour))}, FilterGpuResources: proto.Bool(true),
		MinAllocatableResources: []*mesosv1.OfferFilters_ResourceQuantities{{Quantities: parsed(tb, "cpus:0.01").Quantities().Message()}},
	}))
	require.NoError(tb, f.a.Pause(ctx))
	for i := range frameworks {
		require.NoError(tb, f.a.AddFramework(ctx, &mesosv1.FrameworkInfo{
			Id: frameworkID(i), Roles: []string{role(i)},
			Capabilities: []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
		}, nil, true, nil, nil))
	}
	capabilities := []*mesosv1.AgentInfo_Capability{{Type: mesosv1.AgentInfo_Capability_MULTI_ROLE.Enum()}}
	total, used := parsed(tb, agentHas), parsed(tb, agentUses)
	for i := range agents {
		id := &mesosv1.AgentID{Value: proto.String(fmt.Sprintf("agent-%05d", i))}
		require.NoError(tb, f.a.AddSlave(ctx, &mesosv1.AgentInfo{Id: id}, capabilities, nil, total.Messages(),
			[]*allocation.Share{{FrameworkId: frameworkID(i % frameworks), AgentId: id, Resources: used.Allocate(role(i % frameworks)).Messages()}}))
	}
	require.NoError(tb, f.a.Offers(ctx, func(shares []*allocation.Share) { f.came <- shares }))
	return f
}

func frameworkID(i int) *mesosv1.FrameworkID {
	return &mesosv1.FrameworkID{Value: proto.String(fmt.Sprintf("framework-%04d", i))}
}

// cycle is one run over all agents, each of which is offered. It returns what the process
// has worked meanwhile.
func (f *field) cycle() (spent time.Duration, shares []*allocation.Share) {
	ctx := f.tb.Context()
	require.NoError(f.tb, f.a.Resume(ctx))
	before := cpu()
	require.NoError(f.tb, f.a.ActivateFramework(ctx, frameworkID(0))) // which asks for a run
	for len(shares) < f.agents {
		shares = append(shares, <-f.came...)
	}
	require.NoError(f.tb, f.a.Pause(ctx)) // and the run is over
	return cpu() - before, shares
}

// decline gives all back, never to be offered again.
func (f *field) decline(shares []*allocation.Share) {
	for _, s := range shares {
		require.NoError(f.tb, f.a.RecoverResources(f.tb.Context(), s.GetFrameworkId(), s.GetAgentId(), s.GetResources(),
			&mesosv1.Filters{RefuseSeconds: proto.Float64(1e9)}, false))
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var shapes = []struct {
	name string
	role func(i int) string
}{
	{"one role", func(int) string { return "*" }},
	{"a role each", func(i int) string { return fmt.Sprintf("role-%04d", i) }},
}

// BenchmarkDeclineOffers measures runs of which all offers are declined for good: each has
// fewer candidates than the one before. It begins anew when half of them are gone.
func BenchmarkDeclineOffers(b *testing.B) {
	script := func(name string) facade.Parameters {
		return facade.Parameters{{Key: "script", Value: example(b, name)}}
	}
	for _, shape := range shapes {
		for _, size := range []struct{ agents, frameworks int }{{1000, 100}, {5000, 200}} {
			for _, c := range []struct {
				name       string
				library    facade.Library
				parameters facade.Parameters
			}{
				{"hierarchical", hierarchical.Library, nil},
				{"fair_share.lua", lua.Library, script("fair_share.lua")},
				{"in_order.lua", lua.Library, script("in_order.lua")},
			} {
				b.Run(fmt.Sprintf("%s/agents=%d/frameworks=%d/%s", shape.name, size.agents, size.frameworks, c.name), func(b *testing.B) {
					b.StopTimer()
					var f *field
					var worked time.Duration
					for i := range b.N {
						if i%(size.frameworks/2) == 0 {
							f = newField(b, c.library, c.parameters, size.agents, size.frameworks, shape.role)
						}
						b.StartTimer()
						spent, shares := f.cycle()
						b.StopTimer()
						worked += spent
						f.decline(shares)
					}
					b.ReportMetric(float64(worked)/float64(b.N)/1e6, "cpu-ms/op")
				})
			}
		}
	}
}
