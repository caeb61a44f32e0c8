package hierarchical

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
)

func second() *allocation.Options {
	return &allocation.Options{AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Second))}}
}

func fresh(t *testing.T, life context.Context) *Allocator {
	a := newAllocator(life, slog.New(slog.DiscardHandler), parameters{RoleSorter: drf, FrameworkSorter: drf, Seed: 1}, inOrder{})
	t.Cleanup(func() { require.NoError(t, a.Close(context.Background())) })
	return a
}

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		about      string
		parameters facade.Parameters
		problem    string
	}{
		{"none", nil, ""},
		{"both random", facade.Parameters{{Key: "role_sorter", Value: "random"}, {Key: "framework_sorter", Value: "random"}}, ""},
		{"two kinds", facade.Parameters{{Key: "role_sorter", Value: "random"}}, `parameter framework_sorter is "drf" and role_sorter is "random": they have to be the same`},
		{"an unknown kind", facade.Parameters{{Key: "role_sorter", Value: "best"}, {Key: "framework_sorter", Value: "best"}},
			`parameter role_sorter: there is no sorter "best"; there are drf and random`},
		{"a seed that is none", facade.Parameters{{Key: "seed", Value: "x"}}, "seed"},
	} {
		t.Run(c.about, func(t *testing.T) {
			p, err := facade.Decode[parameters](c.parameters)
			if err == nil {
				err = p.check()
			}
			if c.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.problem)
		})
	}
	assert.Equal(t, parameters{Seed: 3}.chance().Uint64(), parameters{Seed: 3}.chance().Uint64())
	assert.NotEqual(t, parameters{}.chance().Uint64(), parameters{}.chance().Uint64(), "without a seed nobody knows")
}

func TestOrderOfCalls(t *testing.T) {
	ctx := t.Context()
	t.Run("nothing comes before Initialize", func(t *testing.T) {
		a := fresh(t, ctx)
		for name, err := range map[string]error{
			"Offers":           a.Offers(ctx, func([]*allocation.Share) {}),
			"InverseOffers":    a.InverseOffers(ctx, func([]*allocation.InverseShare) {}),
			"Recover":          a.Recover(ctx, 1, nil),
			"AddFramework":     a.AddFramework(ctx, infoOf("f", nil), nil, true, nil, nil),
			"AddSlave":         a.AddSlave(ctx, &mesosv1.AgentInfo{}, nil, nil, nil, nil),
			"UpdateWhitelist":  a.UpdateWhitelist(ctx, nil),
			"UpdateQuota":      a.UpdateQuota(ctx, &quota.QuotaConfig{Role: proto.String("a")}),
			"UpdateWeights":    a.UpdateWeights(ctx, nil),
			"RecoverResources": a.RecoverResources(ctx, nil, nil, nil, nil, false),
			"RequestResources": a.RequestResources(ctx, nil, nil),
			"ActivateSlave":    a.ActivateSlave(ctx, nil),
		} {
			assert.EqualError(t, err, "a call comes before Initialize", name)
		}
		_, err := a.Metrics(ctx)
		require.Error(t, err)
	})
	t.Run("Initialize comes once", func(t *testing.T) {
		a := fresh(t, ctx)
		require.NoError(t, a.Initialize(ctx, second()))
		require.EqualError(t, a.Initialize(ctx, second()), "Initialize is called a second time")
	})
	t.Run("options that make no sense are all named", func(t *testing.T) {
		a := fresh(t, ctx)
		err := a.Initialize(ctx, &allocation.Options{AgentRecoveryFactor: proto.Float64(2),
			MinAllocatableResources: []*mesosv1.OfferFilters_ResourceQuantities{{Quantities: map[string]*mesosv1.Value_Scalar{"cpus": {Value: proto.Float64(-1)}}}}})
		require.ErrorContains(t, err, "the allocation interval is 0s")
		require.ErrorContains(t, err, "the agent recovery factor is 2")
		require.ErrorContains(t, err, "minimal allocatable resources")
		require.NoError(t, a.Initialize(ctx, second()), "and nothing has begun")
	})
	t.Run("Recover comes before all others", func(t *testing.T) {
		a := fresh(t, ctx)
		require.NoError(t, a.Initialize(ctx, second()))
		require.Error(t, a.Recover(ctx, 1, []*quota.QuotaConfig{{Role: proto.String("a//b")}}))
		require.Empty(t, a.roles)
		require.NoError(t, a.AddFramework(ctx, infoOf("f", nil), nil, true, nil, nil))
		require.Error(t, a.Recover(ctx, 1, nil))
	})
}

// TestEnds is about every way in which offers end.
func TestEnds(t *testing.T) {
	begin := func(t *testing.T, life, offers context.Context) (*Allocator, *atomic.Int32) {
		a := fresh(t, life)
		ctx := t.Context()
		require.NoError(t, a.Initialize(ctx, second()))
		n := new(atomic.Int32)
		require.NoError(t, a.Offers(offers, func(shares []*allocation.Share) { n.Add(int32(len(shares))) }))
		require.NoError(t, a.AddFramework(ctx, infoOf("f", []string{"a"}), nil, true, nil, nil))
		require.NoError(t, a.AddSlave(ctx, &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("s1")}}, modern, nil, parsed(t, "cpus:1").Messages(), nil))
		synctest.Wait()
		require.EqualValues(t, 1, n.Load())
		return a, n
	}
	more := func(t *testing.T, a *Allocator) {
		require.NoError(t, a.AddSlave(t.Context(), &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("s2")}}, modern, nil, parsed(t, "cpus:1").Messages(), nil))
		synctest.Wait()
		<-time.NewTimer(5 * time.Second).C
		synctest.Wait()
	}
	for _, c := range []struct {
		about string
		end   func(a *Allocator, life, offers context.CancelFunc)
	}{
		{"the receiver's context", func(_ *Allocator, _, offers context.CancelFunc) { offers() }},
		{"the host's lifetime", func(_ *Allocator, life, _ context.CancelFunc) { life() }},
		{"Close", func(a *Allocator, _, _ context.CancelFunc) { assert.NoError(t, a.Close(context.Background())) }},
		{"Close twice", func(a *Allocator, _, _ context.CancelFunc) {
			assert.NoError(t, a.Close(context.Background()))
			assert.NoError(t, a.Close(context.Background()))
		}},
	} {
		t.Run(c.about, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				life, endLife := context.WithCancel(context.Background())
				offers, endOffers := context.WithCancel(context.Background())
				defer endLife()
				defer endOffers()
				a, n := begin(t, life, offers)
				c.end(a, endLife, endOffers)
				synctest.Wait()
				more(t, a) // calls go on being answered
				assert.EqualValues(t, 1, n.Load())
			})
		})
	}
	t.Run("Close before Initialize", func(t *testing.T) {
		require.NoError(t, fresh(t, context.Background()).Close(context.Background()))
	})
	t.Run("Close does not wait for ever", func(t *testing.T) {
		a := fresh(t, context.Background())
		require.NoError(t, a.Initialize(t.Context(), second()))
		inside, leave := make(chan struct{}), make(chan struct{})
		require.NoError(t, a.Offers(t.Context(), func([]*allocation.Share) { close(inside); <-leave }))
		require.NoError(t, a.AddFramework(t.Context(), infoOf("f", []string{"a"}), nil, true, nil, nil))
		require.NoError(t, a.AddSlave(t.Context(), &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("s1")}}, modern, nil, parsed(t, "cpus:1").Messages(), nil))
		<-inside
		ended, end := context.WithCancel(context.Background())
		end()
		assert.ErrorContains(t, a.Close(ended), "the allocation does not end: context canceled")
		close(leave)
	})
}

func TestOneRunServesAllThatAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := fresh(t, context.Background())
		require.NoError(t, a.Initialize(t.Context(), second()))
		require.NoError(t, a.Offers(t.Context(), func([]*allocation.Share) {}))
		synctest.Wait()
		before := a.measures.runs
		a.mu.Lock() // as while a run is under way
		for range 100 {
			a.wantAll()
		}
		a.mu.Unlock()
		synctest.Wait()
		assert.Equal(t, before+1, a.measures.runs)
	})
}

func TestRunsInBetweenTakeHalfOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass := func(d time.Duration) {
			<-time.NewTimer(d).C
			synctest.Wait()
		}
		add := func(a *Allocator, id string) {
			require.NoError(t, a.AddSlave(t.Context(), &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: &id}}, modern, nil, parsed(t, "cpus:1").Messages(), nil))
			synctest.Wait()
		}
		a := fresh(t, context.Background())
		require.NoError(t, a.Initialize(t.Context(), second()))
		var n atomic.Int32
		require.NoError(t, a.Offers(t.Context(), func([]*allocation.Share) {
			n.Add(1)
			<-time.NewTimer(100 * time.Millisecond).C // so long is the run
		}))
		require.NoError(t, a.AddFramework(t.Context(), infoOf("f", []string{"a"}), nil, true, nil, nil))
		synctest.Wait()
		add(a, "s1")
		pass(150 * time.Millisecond)
		require.EqualValues(t, 1, n.Load())
		add(a, "s2")
		add(a, "s3")
		require.EqualValues(t, 1, n.Load(), "it rests")
		pass(100 * time.Millisecond)
		require.EqualValues(t, 2, n.Load(), "one run for both")
	})
}

// TestAdopt is about frameworks that come after the agents on which they use something.
func TestAdopt(t *testing.T) {
	ctx := t.Context()
	a := fresh(t, ctx)
	require.NoError(t, a.Initialize(ctx, second()))
	used := func(agent, framework string) *allocation.Share {
		return &allocation.Share{FrameworkId: &mesosv1.FrameworkID{Value: &framework}, AgentId: &mesosv1.AgentID{Value: &agent},
			Resources: parsed(t, "cpus:1").Allocate("a").Messages()}
	}
	for _, id := range []string{"s1", "s2"} {
		require.NoError(t, a.AddSlave(ctx, &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: &id}}, modern, nil, parsed(t, "cpus:4").Messages(),
			[]*allocation.Share{used(id, "f")}))
	}
	assert.Equal(t, map[string]int{"f": 2}, a.strangers)
	require.NoError(t, a.AddSlave(ctx, &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("s3")}}, modern, nil, parsed(t, "cpus:4").Messages(), nil))
	require.NoError(t, a.AddFramework(ctx, infoOf("f", nil), []*allocation.Share{used("s1", "f"), used("s3", "f"), used("s9", "f")}, true, nil, nil))
	assert.Empty(t, a.strangers)
	m := a.frameworks["f"].members["a"]
	assert.Equal(t, 3, m.shares, "of s3 no agent knew; s9 is not there")
	assert.Equal(t, "cpus:3", m.role.frameworks.Has(m.client).String())
	assert.False(t, m.serving, "it has not subscribed to the role")
	require.NoError(t, a.RemoveFramework(ctx, &mesosv1.FrameworkID{Value: proto.String("f")}))
	assert.Equal(t, map[string]int{"f": 3}, a.strangers)
	assert.Equal(t, "cpus:3", a.roles["a"].held.String(), "quota knows of it all the same")
}
