package hierarchical

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
)

// The shapes are those of Apache Mesos' HierarchicalAllocator_BENCHMARK_Test
// (src/tests/hierarchical_allocator_benchmarks.cpp), so that figures can be compared.

// sizes are agents and frameworks.
var sizes = []struct{ agents, frameworks int }{{1000, 100}, {5000, 500}, {10000, 1000}, {20000, 1000}, {50000, 1000}}

// field is an allocator that runs only when it is told to, with what the master has of it.
type field struct {
	tb     testing.TB
	a      *Allocator
	shares []*allocation.Share // that came out
	agents int
}

func newField(tb testing.TB) *field {
	f := &field{tb: tb, a: newAllocator(tb.Context(), slog.New(slog.DiscardHandler), parameters{RoleSorter: drf, FrameworkSorter: drf, Seed: 1}, inOrder{})}
	tb.Cleanup(func() { require.NoError(tb, f.a.Close(context.Background())) })
	require.NoError(tb, f.a.Initialize(tb.Context(), &allocation.Options{
		AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Hour))},
		FilterGpuResources: proto.Bool(true),
		MinAllocatableResources: []*mesosv1.OfferFilters_ResourceQuantities{
			quantitiesOf(tb, "cpus:0.01"), quantitiesOf(tb, "mem:32"),
		},
	}))
	require.NoError(tb, f.a.Pause(tb.Context()))
	require.NoError(tb, f.a.Offers(tb.Context(), func(shares []*allocation.Share) { f.shares = append(f.shares, shares...) }))
	return f
}

func quantitiesOf(tb testing.TB, text string) *mesosv1.OfferFilters_ResourceQuantities {
	q, err := resources.ParseQuantities(text)
	require.NoError(tb, err)
	return &mesosv1.OfferFilters_ResourceQuantities{Quantities: q.Message()}
}

func parsed(tb testing.TB, text string) resources.Resources {
	r, err := resources.Parse(text, resources.AnyRole)
	require.NoError(tb, err)
	return r
}

// cycle is one run over all agents.
func (f *field) cycle() {
	f.a.mu.Lock()
	defer f.a.mu.Unlock()
	f.shares = f.shares[:0]
	f.a.paused = false
	f.a.allocateNow(true)
	f.a.paused = true // whatever the goroutine does before and after is nothing
}

func (f *field) addFrameworks(n int, role func(i int) string) {
	for i := range n {
		require.NoError(f.tb, f.a.AddFramework(f.tb.Context(), &mesosv1.FrameworkInfo{
			Id: &mesosv1.FrameworkID{Value: proto.String(fmt.Sprintf("framework-%04d", i))}, Roles: []string{role(i)},
			Capabilities: []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
		}, nil, true, nil, nil))
	}
}

var modern = []*mesosv1.AgentInfo_Capability{
	{Type: mesosv1.AgentInfo_Capability_MULTI_ROLE.Enum()},
	{Type: mesosv1.AgentInfo_Capability_HIERARCHICAL_ROLE.Enum()},
	{Type: mesosv1.AgentInfo_Capability_RESERVATION_REFINEMENT.Enum()},
}

// declineOffersAgent is what an agent has, and what is in use of it: the ports that are
// left are in 16 pieces.
const declineOffersAgent = "cpus:24;mem:4096;disk:4096;ports:[31000-32000]"

func declineOffersUsed(tb testing.TB) resources.Resources {
	ports := ""
	for i := range 16 {
		ports += fmt.Sprintf(",%d-%d", 31000+i*60, 31000+i*60+4)
	}
	return parsed(tb, "cpus:12;mem:2048;disk:2048;ports:["+ports[1:]+"]")
}

func (f *field) addAgents(n, frameworks int, role func(i int) string) {
	total, used := parsed(f.tb, declineOffersAgent), declineOffersUsed(f.tb)
	for i := range n {
		id := fmt.Sprintf("agent-%05d", f.agents)
		f.agents++
		require.NoError(f.tb, f.a.AddSlave(f.tb.Context(),
			&mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: &id}, Hostname: proto.String("host-" + id)}, modern, nil, total.Messages(),
			[]*allocation.Share{{
				FrameworkId: &mesosv1.FrameworkID{Value: proto.String(fmt.Sprintf("framework-%04d", i%frameworks))},
				AgentId:     &mesosv1.AgentID{Value: &id},
				Resources:   used.Allocate(role(i % frameworks)).Messages(),
			}}))
	}
}

// decline gives all back, never to be offered again.
func (f *field) decline() {
	for _, s := range f.shares {
		require.NoError(f.tb, f.a.RecoverResources(f.tb.Context(), s.GetFrameworkId(), s.GetAgentId(), s.GetResources(),
			&mesosv1.Filters{RefuseSeconds: proto.Float64(1e9)}, false))
	}
}

var roleShapes = []struct {
	name string
	role func(i int) string
}{
	{"one role", func(int) string { return "*" }},
	{"a role each", func(i int) string { return fmt.Sprintf("role-%04d", i) }},
}

// BenchmarkDeclineOffers measures cycles of which all offers are declined for good: each
// finds more filters.
func BenchmarkDeclineOffers(b *testing.B) {
	for _, shape := range roleShapes {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/agents=%d/frameworks=%d", shape.name, size.agents, size.frameworks), func(b *testing.B) {
				f := newField(b)
				f.addFrameworks(size.frameworks, shape.role)
				f.addAgents(size.agents, size.frameworks, shape.role)
				b.ReportAllocs()
				b.ResetTimer()
				var spent time.Duration
				for range b.N {
					before := cpu()
					f.cycle()
					spent += cpu() - before
					b.StopTimer()
					require.Len(b, f.shares, size.agents)
					f.decline()
					b.StartTimer()
				}
				b.ReportMetric(float64(spent)/float64(b.N)/1e6, "cpu-ms/op")
			})
		}
	}
}

// BenchmarkAllDeclined measures the cycle in which every framework has declined every
// agent: the last and longest one of upstream's DeclineOffers.
func BenchmarkAllDeclined(b *testing.B) {
	for _, shape := range roleShapes {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/agents=%d/frameworks=%d", shape.name, size.agents, size.frameworks), func(b *testing.B) {
				before := heap()
				f := newField(b)
				f.addFrameworks(size.frameworks, shape.role)
				f.addAgents(size.agents, size.frameworks, shape.role)
				bare := heap()
				for _, ag := range f.a.agents {
					for _, fr := range f.a.frameworks {
						for _, m := range fr.members {
							f.a.refuse(ag, m, ag.free, &mesosv1.Filters{RefuseSeconds: proto.Float64(1e9)})
						}
					}
				}
				filtered := heap()
				b.ReportAllocs()
				spent := cpu()
				for b.Loop() {
					f.cycle()
				}
				b.ReportMetric(float64(cpu()-spent)/float64(b.N)/1e6, "cpu-ms/op")
				require.Empty(b, f.shares)
				b.ReportMetric(float64(bare-before)/float64(size.agents), "B/agent")
				b.ReportMetric(float64(filtered-bare)/float64(size.agents*size.frameworks), "B/filter")
			})
		}
	}
}

// cpu is what the process has worked, on all cores: what a machine with other work to do
// falsifies least.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is what is alive.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkAddAgents adds agents with something in use to an allocator that runs, as after
// a change of leader: upstream's AddAndUpdateSlave.
func BenchmarkAddAgents(b *testing.B) {
	for _, guaranteed := range []bool{false, true} {
		for _, size := range []struct{ agents, frameworks int }{{10000, 1000}, {40000, 1000}} {
			b.Run(fmt.Sprintf("guarantees=%v/agents=%d/frameworks=%d", guaranteed, size.agents, size.frameworks), func(b *testing.B) {
				for range b.N {
					b.StopTimer()
					role := roleShapes[1].role
					f := newField(b)
					f.addFrameworks(size.frameworks, role)
					if guaranteed {
						require.NoError(b, f.a.UpdateQuota(b.Context(), &quota.QuotaConfig{Role: proto.String(role(1)),
							Guarantees: parsed(b, "cpus:100000").Quantities().Message()}))
					}
					require.NoError(b, f.a.Resume(b.Context()))
					b.StartTimer()
					f.addAgents(size.agents, size.frameworks, role)
					f.a.mu.Lock()
					runs := f.a.measures.runs
					f.a.mu.Unlock()
					b.ReportMetric(float64(runs), "runs")
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(size.agents), "ns/agent")
			})
		}
	}
}

// BenchmarkLargeAndSmallQuota measures cycles in which every role has a guarantee, which is
// its limit: the first, and one in which nothing is left to give.
func BenchmarkLargeAndSmallQuota(b *testing.B) {
	for _, size := range []struct{ small, large int }{{25, 5}, {250, 50}, {2500, 500}} {
		for _, accept := range []bool{false, true} {
			b.Run(fmt.Sprintf("small=%d/large=%d/accepted=%v", size.small, size.large, accept), func(b *testing.B) {
				role := roleShapes[1].role
				f := newField(b)
				f.addFrameworks(size.small+size.large, role)
				for i := range size.small + size.large {
					amounts := parsed(b, "cpus:1;mem:170").Quantities().Message()
					if i%(1+size.small/size.large) == 0 {
						amounts = parsed(b, "cpus:10;mem:1700").Quantities().Message()
					}
					name := role(i)
					require.NoError(b, f.a.UpdateQuota(b.Context(), &quota.QuotaConfig{Role: &name, Guarantees: amounts, Limits: amounts}))
				}
				f.addAgents(size.small+size.large, 1, func(int) string { return "other" })
				var spent time.Duration
				b.ResetTimer()
				for range b.N {
					if accept {
						b.StopTimer()
						f.cycle() // takes all that quotas allow
						b.StartTimer()
					}
					before := cpu()
					f.cycle()
					spent += cpu() - before
					b.StopTimer()
					f.a.mu.Lock()
					for _, ag := range f.a.agents {
						for _, s := range append([]*share(nil), ag.shares...) {
							if s.role.name != "other" {
								f.a.give(ag, s, s.has)
							}
						}
					}
					f.a.mu.Unlock()
					b.StartTimer()
				}
				b.ReportMetric(float64(spent)/float64(b.N)/1e6, "cpu-ms/op")
			})
		}
	}
}
