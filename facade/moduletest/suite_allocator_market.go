package moduletest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/roles/allocator"
)

// market is the master's side of an allocator whose every offer is foreseen. It is in a
// bubble of testing/synctest: after each call, what the allocator does because of it is
// awaited, and time passes only where a behaviour says so.
type market struct {
	t testing.TB
	a allocator.Allocator

	mu      sync.Mutex
	came    []*allocation.Share // since the last look
	inverse []*allocation.InverseShare
	out     map[string][]*mesosv1.Resource // offered and not given back, by framework, role and agent
}

// marketInterval is that between runs over all agents.
const marketInterval = time.Second

// openMarket initializes the allocator with the master's defaults, or changed ones.
func openMarket(t testing.TB, a allocator.Allocator, change ...func(*allocation.Options)) *market {
	m := &market{t: t, a: a, out: map[string][]*mesosv1.Resource{}}
	o := &allocation.Options{
		AllocationInterval:         duration(marketInterval),
		FilterGpuResources:         proto.Bool(true),
		MinAllocatableResources:    []*mesosv1.OfferFilters_ResourceQuantities{quantities("cpus:0.01"), quantities("mem:32")},
		MaxCompletedFrameworks:     proto.Uint64(50),
		PublishPerFrameworkMetrics: proto.Bool(true),
		RecoveryTimeout:            duration(10 * time.Minute),
		AgentRecoveryFactor:        proto.Float64(0.8),
	}
	for _, c := range change {
		c(o)
	}
	m.must(a.Initialize(t.Context(), o))
	life, end := context.WithCancel(context.Background())
	t.Cleanup(end)
	m.must(a.Offers(life, m.sink))
	m.must(a.InverseOffers(life, func(all []*allocation.InverseShare) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.inverse = append(m.inverse, all...)
	}))
	return m
}

func (m *market) sink(shares []*allocation.Share) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range shares {
		role := s.GetResources()[0].GetAllocationInfo().GetRole()
		key := s.GetFrameworkId().GetValue() + " " + role + " " + s.GetAgentId().GetValue()
		m.out[key] = append(m.out[key], s.GetResources()...)
	}
	m.came = append(m.came, shares...)
}

func (m *market) must(err error) {
	m.t.Helper()
	require.NoError(m.t, err)
	synctest.Wait()
}

// pass lets time pass, with the runs that come in it.
func (m *market) pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// run is the next run over all agents.
func (m *market) run() { m.pass(marketInterval) }

// expect wants exactly these offers to have come since it was asked last: each is a
// framework, a role, an agent, and resources as short prints them.
func (m *market) expect(want ...string) {
	m.t.Helper()
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	got := []string{}
	for _, s := range m.came {
		got = append(got, fmt.Sprintf("%s %s %s %s", s.GetFrameworkId().GetValue(),
			s.GetResources()[0].GetAllocationInfo().GetRole(), s.GetAgentId().GetValue(), short(s.GetResources())))
	}
	m.came = nil
	for i, line := range want {
		fields := strings.SplitN(line, " ", 4)
		parts := strings.Split(fields[3], ";")
		slices.Sort(parts)
		want[i] = strings.Join(fields[:3], " ") + " " + strings.Join(parts, ";")
	}
	slices.Sort(got)
	slices.Sort(want)
	assert.Equal(m.t, append([]string{}, want...), got)
}

// look returns what came since, without wanting anything.
func (m *market) look() []*allocation.Share {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	came := m.came
	m.came = nil
	return came
}

// noFilter is for giveBack: the like may be offered at once.
const noFilter = 0

// giveBack gives back all that a framework was offered of an agent in a role. With a
// number of seconds it does not want the like for so long.
func (m *market) giveBack(framework, role, agent string, refuse float64) {
	m.t.Helper()
	key := framework + " " + role + " " + agent
	require.NotEmpty(m.t, m.out[key], key)
	all := m.out[key]
	delete(m.out, key)
	m.giveBackPart(framework, agent, all, refuse, false)
}

func (m *market) giveBackPart(framework, agent string, r []*mesosv1.Resource, refuse float64, allocated bool) {
	m.t.Helper()
	var f *mesosv1.Filters
	if refuse != noFilter {
		f = &mesosv1.Filters{RefuseSeconds: &refuse}
	}
	m.must(m.a.RecoverResources(m.t.Context(), frameworkID(framework), agentID(agent), r, f, allocated))
}

// participant is a framework on the market.
type participant struct {
	info        *mesosv1.FrameworkInfo
	suppressed  []string
	constraints *scheduler.OfferConstraints
	used        []*allocation.Share
}

// can gives capabilities beside MULTI_ROLE.
func can(all ...mesosv1.FrameworkInfo_Capability_Type) func(*participant) {
	return func(p *participant) {
		for _, c := range all {
			p.info.Capabilities = append(p.info.Capabilities, &mesosv1.FrameworkInfo_Capability{Type: c.Enum()})
		}
	}
}

// wantsAtLeast is the minimum of a role, each text enough; none is an empty list.
func wantsAtLeast(role string, texts ...string) func(*participant) {
	return func(p *participant) {
		minimum := &mesosv1.OfferFilters_MinAllocatableResources{}
		for _, text := range texts {
			minimum.Quantities = append(minimum.Quantities, quantities(text))
		}
		p.info.OfferFilters = map[string]*mesosv1.OfferFilters{role: {MinAllocatableResources: minimum}}
	}
}

func (m *market) framework(id string, roles []string, options ...func(*participant)) *participant {
	p := &participant{info: frameworkOf(id, roles...)}
	for _, o := range options {
		o(p)
	}
	return p
}

// join adds a framework in one role.
func (m *market) join(id, role string, options ...func(*participant)) {
	m.t.Helper()
	m.joinAs(m.framework(id, []string{role}, options...))
}

func (m *market) joinAs(p *participant) {
	m.t.Helper()
	m.must(m.a.AddFramework(m.t.Context(), p.info, p.used, true, p.suppressed, p.constraints))
}

// agent adds an agent.
func (m *market) agent(id, total string, used ...*allocation.Share) {
	m.t.Helper()
	m.agentWith(id, res(total), used...)
}

func (m *market) agentWith(id string, total []*mesosv1.Resource, used ...*allocation.Share) {
	m.t.Helper()
	m.must(m.a.AddSlave(m.t.Context(), agentOf(id), agentCapabilities(), nil, total, used))
}

// uses is a share in use.
func uses(framework, role, agent string, r []*mesosv1.Resource) *allocation.Share {
	return &allocation.Share{FrameworkId: frameworkID(framework), AgentId: agentID(agent), Resources: to(role, r)}
}

// quota sets guarantees and limits; an empty text sets none.
func (m *market) quota(role, guarantees, limits string) {
	m.t.Helper()
	m.must(m.a.UpdateQuota(m.t.Context(), quotaOf(role, guarantees, limits)))
}

func quotaOf(role, guarantees, limits string) *quota.QuotaConfig {
	return &quota.QuotaConfig{Role: &role, Guarantees: quantities(guarantees).GetQuantities(), Limits: quantities(limits).GetQuantities()}
}

func (m *market) weigh(role string, weight float64) {
	m.t.Helper()
	m.must(m.a.UpdateWeights(m.t.Context(), []*mesosv1.WeightInfo{{Role: &role, Weight: &weight}}))
}

// metric returns one of the allocator's; ok says whether it is there.
func (m *market) metric(name string) (value float64, ok bool) {
	m.t.Helper()
	all, err := m.a.Metrics(m.t.Context())
	require.NoError(m.t, err)
	for _, each := range all {
		if each.GetName() == name {
			return each.GetValue(), true
		}
	}
	return 0, false
}

func (m *market) expectMetric(name string, want float64) {
	m.t.Helper()
	got, ok := m.metric(name)
	assert.True(m.t, ok, "there is no metric %s", name)
	assert.InDelta(m.t, want, got, 1e-9, name)
}

// quantities and res read the suite's own texts.
func quantities(text string) *mesosv1.OfferFilters_ResourceQuantities {
	q, err := resources.ParseQuantities(text)
	if err != nil {
		panic(fmt.Sprintf("moduletest: %v", err))
	}
	return &mesosv1.OfferFilters_ResourceQuantities{Quantities: q.Message()}
}

func res(text string) []*mesosv1.Resource {
	r, err := resources.Parse(text, resources.AnyRole)
	if err != nil {
		panic(fmt.Sprintf("moduletest: %v", err))
	}
	return r.Messages()
}

// to allocates resources to a role.
func to(role string, all []*mesosv1.Resource) []*mesosv1.Resource {
	for _, r := range all {
		allocatedTo(role, r)
	}
	return all
}
