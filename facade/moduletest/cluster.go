package moduletest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/allocator"
)

// cluster is the master's side of an allocator: it calls one method at a time, and
// keeps books of its own on what is out.
type cluster struct {
	b   *bench
	kit *Kit
	a   allocator.Allocator

	inside atomic.Int32 // the sink

	mu     sync.Mutex
	books  map[string]map[string]amount // by agent and name of the resource
	queue  [][]*allocation.Share        // what the sink was given and nobody has looked at
	called int
	wrong  string // the first thing that cannot be
	wake   chan struct{}
}

type amount struct{ total, out float64 }

// newCluster initializes the allocator, with runs so frequent that nobody waits.
func newCluster(b *bench) *cluster {
	b.Helper()
	k, a := loaded[allocator.Allocator](b)
	c := &cluster{b: b, kit: k, a: a, books: map[string]map[string]amount{}, wake: make(chan struct{}, 1)}
	c.do("Initialize", func(ctx context.Context) error {
		return a.Initialize(ctx, &allocation.Options{
			AllocationInterval:         duration(10 * time.Millisecond),
			FilterGpuResources:         proto.Bool(false),
			MaxCompletedFrameworks:     proto.Uint64(50),
			PublishPerFrameworkMetrics: proto.Bool(false),
			RecoveryTimeout:            duration(time.Minute),
			AgentRecoveryFactor:        proto.Float64(0.8),
		})
	})
	// Their ctx is that of the daemon, and not of one call.
	life, end := context.WithCancel(context.Background())
	b.Cleanup(end)
	b.returns("Offers", func() { require.NoError(b, a.Offers(life, c.sink)) })
	b.returns("InverseOffers", func() {
		require.NoError(b, a.InverseOffers(life, func([]*allocation.InverseShare) {}))
	})
	return c
}

// do is one call of the master's.
func (c *cluster) do(name string, call func(context.Context) error) {
	c.b.Helper()
	var err error
	c.b.returns(name, func() { err = call(c.b.Context()) })
	require.NoError(c.b, err, name)
}

func (c *cluster) addAgent(id string, used ...*allocation.Share) {
	c.b.Helper()
	c.mu.Lock()
	c.books[id] = map[string]amount{}
	for _, r := range agentTotal() {
		c.books[id][r.GetName()] = amount{total: r.GetScalar().GetValue()}
	}
	for _, s := range used {
		c.enter(s, 1)
	}
	c.mu.Unlock()
	c.do("AddSlave", func(ctx context.Context) error {
		return c.a.AddSlave(ctx, agentOf(id), agentCapabilities(), nil, agentTotal(), used)
	})
}

func (c *cluster) addFramework(id string, active bool, suppressed ...string) {
	c.b.Helper()
	c.do("AddFramework", func(ctx context.Context) error {
		return c.a.AddFramework(ctx, frameworkOf(id, roleOfFramework(id)), nil, active, suppressed, nil)
	})
}

// sink is called by the allocator, from any goroutine.
func (c *cluster) sink(shares []*allocation.Share) {
	if c.inside.Add(1) > 1 {
		c.objection("the sink is called twice at a time")
	}
	defer c.inside.Add(-1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(shares) == 0 {
		return
	}
	c.called++
	for _, s := range shares {
		c.enter(s, 1)
	}
	c.queue = append(c.queue, shares)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// tiny is less than anybody shares out: sums of floating point numbers are not exact.
const tiny = 1e-6

// enter books a share as out, or with -1 as back. c.mu is held.
func (c *cluster) enter(s *allocation.Share, sign float64) {
	agent := c.books[s.GetAgentId().GetValue()]
	for _, r := range s.GetResources() {
		x, ok := agent[r.GetName()]
		if !ok {
			c.wrongLocked(fmt.Sprintf("%s: there is no resource %q", describeShare(s), r.GetName()))
			continue
		}
		x.out += sign * r.GetScalar().GetValue()
		agent[r.GetName()] = x
		if x.out > x.total+tiny {
			c.wrongLocked(fmt.Sprintf("%s: %v %s are out, and the agent has %v", describeShare(s), x.out, r.GetName(), x.total))
		}
	}
}

func (c *cluster) objection(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrongLocked(text)
}

func (c *cluster) wrongLocked(text string) {
	if c.wrong == "" {
		c.wrong = text
	}
}

// calls is how often the sink was called.
func (c *cluster) calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.called
}

// next returns what the sink was given next, and ends the check if nothing comes.
func (c *cluster) next() []*allocation.Share {
	c.b.Helper()
	timer := time.NewTimer(c.b.o.patience)
	defer timer.Stop()
	for {
		c.mu.Lock()
		wrong := c.wrong
		var shares []*allocation.Share
		if len(c.queue) > 0 {
			shares, c.queue = c.queue[0], c.queue[1:]
		}
		c.mu.Unlock()
		require.Empty(c.b, wrong)
		if shares != nil {
			return shares
		}
		select {
		case <-c.wake:
		case <-timer.C:
			c.b.Fatalf("no offer comes within %v, though resources are free and a framework may have them", c.b.o.patience)
		}
	}
}

// giveBack is what frameworks do that decline: no filters.
func (c *cluster) giveBack(shares ...*allocation.Share) {
	c.b.Helper()
	for _, s := range shares {
		c.mu.Lock()
		c.enter(s, -1) // before the call, which may offer it again
		c.mu.Unlock()
		c.do("RecoverResources", func(ctx context.Context) error {
			return c.a.RecoverResources(ctx, proto.CloneOf(s.GetFrameworkId()), proto.CloneOf(s.GetAgentId()), cloned(s.GetResources()), nil, false)
		})
	}
}

// inFlight is how many calls of the sink may come of a run that was under way.
const inFlight = 3

// settle lets pass what was decided before the last call.
func (c *cluster) settle() {
	c.b.Helper()
	for range inFlight {
		c.giveBack(c.next()...)
	}
}

// only holds every share of many runs to a condition, and gives it back.
func (c *cluster) only(right func(*allocation.Share) bool) {
	c.b.Helper()
	for range rounds {
		shares := c.next()
		for _, s := range shares {
			require.True(c.b, right(s), "an offer for %s", describeShare(s))
		}
		c.giveBack(shares...)
	}
}

func cloned(all []*mesosv1.Resource) []*mesosv1.Resource {
	copies := make([]*mesosv1.Resource, len(all))
	for i, r := range all {
		copies[i] = proto.CloneOf(r)
	}
	return copies
}

func duration(d time.Duration) *mesosv1.DurationInfo {
	return &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(d))}
}
