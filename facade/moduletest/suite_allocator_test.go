package moduletest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	v1allocator "github.com/mesos-modules/mms/facade/mesos/v1/allocator"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/roles/allocator"
)

// greedy gives all that is free to the framework whose turn it is. Its flaws make it
// wrong.
type greedy struct {
	flaws struct {
		oversells, keeps, inactive, suppressed, wrongAgent, anyHost, ignoresUsed, restless, noRole, stuck, unsorted bool
	}
	stay chan struct{}

	mu         sync.Mutex
	sink       func([]*allocation.Share)
	agents     []*greedyAgent
	frameworks []*greedyFramework
	hosts      []string // nil: all
	paused     bool
	turn       int
	wake       chan struct{}
	life       context.Context
	end        context.CancelFunc
	done       chan struct{}
}

type greedyAgent struct {
	id     string
	active bool
	free   map[string]float64
	order  []string
}

type greedyFramework struct {
	id, role           string
	active, suppressed bool
}

func (g *greedy) run() {
	defer close(g.done)
	for {
		select {
		case <-g.life.Done():
			return
		case <-g.wake:
			g.mu.Lock()
			g.allocate()
			g.mu.Unlock()
		}
	}
}

func (g *greedy) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// allocate is called with g.mu held; the sink does not block.
func (g *greedy) allocate() {
	if g.sink == nil || g.paused && !g.flaws.restless || len(g.frameworks) == 0 {
		return
	}
	for range g.frameworks {
		g.turn++
		f := g.frameworks[g.turn%len(g.frameworks)]
		if !f.active && !g.flaws.inactive || f.suppressed && !g.flaws.suppressed {
			continue
		}
		var shares []*allocation.Share
		for _, a := range g.agents {
			if !a.active && !g.flaws.wrongAgent || g.hosts != nil && !slices.Contains(g.hosts, a.id) && !g.flaws.anyHost {
				continue
			}
			s := &allocation.Share{FrameworkId: frameworkID(f.id), AgentId: agentID(a.id)}
			for _, name := range a.order {
				if a.free[name] > 0 {
					r := scalar(name, a.free[name])
					if !g.flaws.noRole {
						r = allocatedTo(f.role, r)
					}
					s.Resources = append(s.Resources, r)
					if !g.flaws.oversells {
						a.free[name] = 0
					}
				}
			}
			if len(s.Resources) > 0 {
				shares = append(shares, s)
			}
		}
		if len(shares) == 0 {
			continue
		}
		g.sink(shares)
		return // nothing is left
	}
}

func (g *greedy) change(do func()) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	do()
	if g.flaws.restless {
		g.allocate()
	}
	g.poke()
	return nil
}

func (g *greedy) framework(id *mesosv1.FrameworkID) *greedyFramework {
	for _, f := range g.frameworks {
		if f.id == id.GetValue() {
			return f
		}
	}
	return &greedyFramework{}
}

func (g *greedy) agent(id *mesosv1.AgentID) *greedyAgent {
	for _, a := range g.agents {
		if a.id == id.GetValue() {
			return a
		}
	}
	return &greedyAgent{free: map[string]float64{}}
}

func (g *greedy) Initialize(context.Context, *allocation.Options) error { return nil }
func (g *greedy) Recover(context.Context, int32, []*quota.QuotaConfig) error {
	return nil
}
func (g *greedy) Offers(_ context.Context, sink func([]*allocation.Share)) error {
	return g.change(func() { g.sink = sink })
}
func (g *greedy) InverseOffers(context.Context, func([]*allocation.InverseShare)) error { return nil }
func (g *greedy) AddFramework(_ context.Context, info *mesosv1.FrameworkInfo, _ []*allocation.Share, active bool, suppressed []string, _ *scheduler.OfferConstraints) error {
	return g.change(func() {
		g.frameworks = append(g.frameworks, &greedyFramework{info.GetId().GetValue(), info.GetRoles()[0], active, len(suppressed) > 0})
	})
}
func (g *greedy) RemoveFramework(context.Context, *mesosv1.FrameworkID) error { return nil }
func (g *greedy) ActivateFramework(_ context.Context, id *mesosv1.FrameworkID) error {
	return g.change(func() { g.framework(id).active = true })
}
func (g *greedy) DeactivateFramework(_ context.Context, id *mesosv1.FrameworkID) error {
	return g.change(func() { g.framework(id).active = false })
}
func (g *greedy) UpdateFramework(context.Context, *mesosv1.FrameworkInfo, []string, *scheduler.OfferConstraints) error {
	return nil
}
func (g *greedy) AddSlave(_ context.Context, info *mesosv1.AgentInfo, _ []*mesosv1.AgentInfo_Capability, _ *mesosv1.Unavailability, total []*mesosv1.Resource, used []*allocation.Share) error {
	return g.change(func() {
		a := &greedyAgent{id: info.GetId().GetValue(), active: true, free: map[string]float64{}}
		for _, r := range total {
			a.order = append(a.order, r.GetName())
			a.free[r.GetName()] += r.GetScalar().GetValue()
		}
		for _, s := range used {
			for _, r := range s.GetResources() {
				if !g.flaws.ignoresUsed {
					a.free[r.GetName()] -= r.GetScalar().GetValue()
				}
			}
		}
		g.agents = append(g.agents, a)
	})
}
func (g *greedy) RemoveSlave(context.Context, *mesosv1.AgentID) error { return nil }
func (g *greedy) UpdateSlave(context.Context, *mesosv1.AgentInfo, []*mesosv1.AgentInfo_Capability, []*mesosv1.Resource) error {
	return nil
}
func (g *greedy) AddResourceProvider(context.Context, *mesosv1.AgentID, []*mesosv1.Resource, []*allocation.Share) error {
	return nil
}
func (g *greedy) ActivateSlave(_ context.Context, id *mesosv1.AgentID) error {
	return g.change(func() { g.agent(id).active = true })
}
func (g *greedy) DeactivateSlave(_ context.Context, id *mesosv1.AgentID) error {
	return g.change(func() { g.agent(id).active = false })
}
func (g *greedy) UpdateWhitelist(_ context.Context, w *allocation.Whitelist) error {
	return g.change(func() { g.hosts = w.GetHostnames() })
}
func (g *greedy) RequestResources(context.Context, *mesosv1.FrameworkID, []*mesosv1.Request) error {
	return nil
}
func (g *greedy) UpdateAllocation(context.Context, *mesosv1.FrameworkID, *mesosv1.AgentID, []*mesosv1.Resource, []*allocation.Conversion) error {
	return nil
}
func (g *greedy) UpdateAvailable(context.Context, *mesosv1.AgentID, []*mesosv1.Offer_Operation) error {
	return nil
}
func (g *greedy) TransitionOfferedToAllocated(context.Context, *mesosv1.AgentID, []*mesosv1.Resource) error {
	return nil
}
func (g *greedy) RecoverResources(_ context.Context, _ *mesosv1.FrameworkID, id *mesosv1.AgentID, all []*mesosv1.Resource, _ *mesosv1.Filters, _ bool) error {
	return g.change(func() {
		for _, r := range all {
			if !g.flaws.keeps && !g.flaws.oversells {
				g.agent(id).free[r.GetName()] += r.GetScalar().GetValue()
			}
		}
	})
}
func (g *greedy) UpdateUnavailability(context.Context, *mesosv1.AgentID, *mesosv1.Unavailability) error {
	return nil
}
func (g *greedy) UpdateInverseOffer(context.Context, *mesosv1.AgentID, *mesosv1.FrameworkID, []*mesosv1.Resource, *mesosv1.Unavailability, *v1allocator.InverseOfferStatus, *mesosv1.Filters) error {
	return nil
}
func (g *greedy) InverseOfferStatuses(context.Context) ([]*allocation.InverseOfferStatuses, error) {
	if g.flaws.unsorted {
		return []*allocation.InverseOfferStatuses{{AgentId: agentID(west)}, {AgentId: agentID(east)}}, nil
	}
	return nil, nil
}
func (g *greedy) SuppressOffers(_ context.Context, id *mesosv1.FrameworkID, _ []string) error {
	return g.change(func() { g.framework(id).suppressed = true })
}
func (g *greedy) ReviveOffers(_ context.Context, id *mesosv1.FrameworkID, _ []string) error {
	return g.change(func() { g.framework(id).suppressed = false })
}
func (g *greedy) UpdateQuota(context.Context, *quota.QuotaConfig) error {
	if g.flaws.stuck {
		<-g.stay
	}
	return nil
}
func (g *greedy) UpdateWeights(context.Context, []*mesosv1.WeightInfo) error { return nil }
func (g *greedy) Pause(context.Context) error {
	return g.change(func() { g.paused = true })
}
func (g *greedy) Resume(context.Context) error {
	return g.change(func() { g.paused = false })
}
func (g *greedy) Metrics(context.Context) ([]*allocation.Metric, error) {
	if !g.flaws.unsorted {
		return nil, nil
	}
	first, second := "runs", "agents"
	return []*allocation.Metric{{Name: &first}, {Name: &second}}, nil
}
func (g *greedy) Close(context.Context) error {
	g.end()
	<-g.done
	return nil
}

func greedyLibrary(stay chan struct{}, flaw func(*greedy)) facade.Library {
	return facade.Library{Modules: []facade.Declared{facade.Module[allocator.Allocator]{Name: "org_example_greedy",
		New: func(_ context.Context, h facade.Host, _ facade.Parameters) (allocator.Allocator, error) {
			g := &greedy{stay: stay, wake: make(chan struct{}, 1), done: make(chan struct{})}
			g.life, g.end = context.WithCancel(h.Lifetime()) // an instance may be closed before the lifetime ends
			flaw(g)
			go g.run()
			return g, nil
		}}}}
}

func TestAllocators(t *testing.T) {
	const (
		name        = "org_example_greedy"
		named       = "offers name a framework, an agent, and resources allocated to one role"
		more        = "never more is offered than there is"
		again       = "what is brought back is offered again"
		whileActive = "a framework gets offers only while it is active"
		suppressed  = "a framework gets no offers for roles that are suppressed, until it revives them"
		noAgent     = "of an agent that is not active nothing is offered"
		whitelist   = "of a host that is not on the whitelist nothing is offered"
		used        = "what frameworks use on an agent is not offered"
		pauses      = "Pause stops all offers until Resume"
		returns     = "every call returns while offers are made"
		inOrder     = "InverseOfferStatuses are in the order of ids"
		metrics     = "Metrics are in the order of the names, each there once"
	)
	t.Run("right", func(t *testing.T) { Conformance(t, greedyLibrary(nil, func(*greedy) {}), name) })
	for about, c := range map[string]struct {
		flaw     func(*greedy)
		sentence string
		want     string
	}{
		"one that sells twice":           {func(g *greedy) { g.flaws.oversells = true }, more, "are out, and the agent has"},
		"one that offers to the absent":  {func(g *greedy) { g.flaws.inactive = true }, whileActive, "an offer for framework-ann"},
		"one that offers to the sated":   {func(g *greedy) { g.flaws.suppressed = true }, suppressed, "an offer for framework-ann"},
		"one that offers absent agents":  {func(g *greedy) { g.flaws.wrongAgent = true }, noAgent, "on agent-east"},
		"one that knows no whitelist":    {func(g *greedy) { g.flaws.anyHost = true }, whitelist, "on agent-east"},
		"one that forgets what is used":  {func(g *greedy) { g.flaws.ignoresUsed = true }, used, "are out, and the agent has"},
		"one that names no role":         {func(g *greedy) { g.flaws.noRole = true }, named, "role-framework-ann"},
		"one that does not pause":        {func(g *greedy) { g.flaws.restless = true }, pauses, "offers while it is paused"},
		"one that is out of order":       {func(g *greedy) { g.flaws.unsorted = true }, inOrder, "Should be true"},
		"one that measures in any order": {func(g *greedy) { g.flaws.unsorted = true }, metrics, "runs comes before agents"},
	} {
		t.Run(about, func(t *testing.T) {
			assert.Contains(t, outcomeOf(t, c.sentence, greedyLibrary(nil, c.flaw), name), c.want)
		})
	}
	t.Run("one that keeps what comes back", func(t *testing.T) {
		text := outcomeOf(t, again, greedyLibrary(nil, func(g *greedy) { g.flaws.keeps = true }), name, impatient)
		assert.Contains(t, text, "no offer comes within")
	})
	t.Run("one that hangs", func(t *testing.T) {
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		text := outcomeOf(t, returns, greedyLibrary(stay, func(g *greedy) { g.flaws.stuck = true }), name, impatient)
		assert.Contains(t, text, "UpdateQuota does not return within")
	})
	t.Run("one that calls the sink twice at a time", func(t *testing.T) {
		c := &cluster{}
		c.inside.Add(1)
		c.sink(nil)
		assert.Equal(t, "the sink is called twice at a time", c.wrong)
	})
}
