package hierarchical

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
)

// wild is an algorithm that tries everything, fails at random, and ends in order.
type wild struct {
	rng                     *rand.Rand
	offered, refused, undid int
}

var errWild = errors.New("it went wrong")

func (w *wild) Divide(run Run) {
	before := picture(run.r)
	err := run.Attempt(func() error {
		w.offers(run)
		if w.rng.IntN(2) == 0 {
			return errWild
		}
		return nil
	})
	if err != nil {
		w.undid++
		if after := picture(run.r); before != after {
			panic(fmt.Sprintf("after a failed attempt:\n%s\nand before:\n%s", after, before))
		}
	}
	run.InOrder()
}

// offers offers what it may and what it may not.
func (w *wild) offers(run Run) {
	var members []Member
	for _, role := range run.r.a.sorter.Sort() {
		for _, m := range role.frameworks.Sort() {
			members = append(members, Member{m})
		}
	}
	for _, ag := range run.r.a.agents {
		candidates := run.Candidates(nil, Agent{ag})
		for range w.rng.IntN(4) {
			if len(members) == 0 {
				return
			}
			m := members[w.rng.IntN(len(members))]
			may := slices.Contains(candidates, m) && ag.candidate && ag.active
			part := []Part{nil, nil, {"cpus": 1}, {"cpus": 0.5, "mem": math.Inf(1)}, {"cpus": 1e6}, {"mem": -1}}[w.rng.IntN(6)]
			what, err := run.Offer(Agent{ag}, m, part)
			switch {
			case err != nil:
				w.refused++
			case !may:
				panic(m.Framework() + " is offered something and is no candidate")
			case what.Empty():
				panic("nothing is an offer")
			default:
				w.offered++
			}
			if err != nil && part == nil && may {
				panic(err)
			}
			candidates = run.Candidates(nil, Agent{ag})
		}
	}
}

// picture is everything that a run changes.
func picture(r *run) string {
	text := fmt.Sprintln(r.headroom, len(r.offers), len(r.served), r.a.allocated)
	for _, o := range r.offers {
		text += fmt.Sprintln(o.agent.id, o.member.framework.id, inAnyOrder(o.what))
	}
	for _, ag := range r.a.agents {
		text += fmt.Sprintln(ag.id, inAnyOrder(ag.free), inAnyOrder(ag.taken), inAnyOrder(ag.lent), ag.offers)
		for _, s := range ag.shares {
			text += fmt.Sprintln(s.framework, s.role.name, inAnyOrder(s.has))
		}
	}
	for _, role := range (Run{r}).Roles() {
		text += fmt.Sprintln(role.Name(), role.Consumed(), role.r.shares, role.r.members)
		if role.r.client != nil {
			for _, m := range role.r.frameworks.Sort() {
				text += fmt.Sprintln((Run{r}).Standings(Member{m}), m.shares, m.framework.offers)
			}
		}
	}
	return text
}

// inAnyOrder shows resources whose order says nothing.
func inAnyOrder(r resources.Resources) string {
	parts := strings.Split(r.String(), "; ")
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

func TestWhateverAnAlgorithmDoes(t *testing.T) {
	var all wild
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			algorithm := &wild{rng: rand.New(rand.NewPCG(seed, 2))}
			w := newWorld(t, seed, drf, algorithm)
			for range 120 {
				w.step()
				w.settle()
			}
			w.everythingIsOfferedAgain()
			all.offered += algorithm.offered
			all.refused += algorithm.refused
			all.undid += algorithm.undid
		})
	}
	assert.Greater(t, all.offered, 300)
	assert.Greater(t, all.refused, 300)
	assert.Greater(t, all.undid, 300)
}

// told is an algorithm that does what the test says, once.
type told struct{ do func(Run) }

func (a *told) Divide(run Run) {
	if a.do != nil {
		a.do(run)
	}
}

func TestParts(t *testing.T) {
	run := func(t *testing.T, total string, do func(run Run, a Agent, m Member)) string {
		f := stage(t, total)
		f.a.algorithm = &told{func(run Run) {
			agents := run.Agents()
			require.Len(t, agents, 1)
			candidates := run.Candidates(nil, agents[0])
			require.Len(t, candidates, 1)
			do(run, agents[0], candidates[0])
		}}
		f.cycle()
		if len(f.shares) == 0 {
			return ""
		}
		require.Len(t, f.shares, 1, "one offer for each agent and role")
		text := ""
		for _, r := range f.shares[0].GetResources() {
			text += r.GetName() + " "
		}
		return text
	}
	const total = "cpus:4;mem:1024;disk:100;ports:[1-10];cpus(a):2"
	for _, c := range []struct {
		about, problem, want string
		part                 Part
	}{
		{about: "all", part: nil, want: "cpus(reservations: [(STATIC,a)]):2; cpus:4; disk:100; mem:1024; ports:[1-10]"},
		{about: "what is reserved comes whole, what is not named stays", part: Part{"cpus": 1, "mem": 64}, want: "cpus(reservations: [(STATIC,a)]):2; cpus:1; mem:64"},
		{about: "no number comes whole", part: Part{"ports": 1, "mem": 64}, want: "mem:64; ports:[1-10]"},
		{about: "all of some", part: Part{"mem": math.Inf(1)}, want: "mem:1024"},
		{about: "infinitely much of nothing", part: Part{"mem": 64, "gpus": math.Inf(1)}, want: "mem:64"},
		{about: "too much", part: Part{"mem": 1025}, problem: "a part of agent s1 for framework framework-0000 in role a: 1025 of mem is asked for, and it may have 1024"},
		{about: "what is not there", part: Part{"gpus": 1}, problem: "1 of gpus is asked for, and it may have 0"},
		{about: "less than nothing", part: Part{"cpus": -1}, problem: "-1 is no amount of cpus"},
		{about: "no number", part: Part{"cpus": math.NaN()}, problem: "NaN is no amount of cpus"},
		{about: "too little", part: Part{"mem": 1}, problem: "mem:1 is less than an offer has to be"},
		{about: "nothing", part: Part{}, problem: "is less than an offer has to be"},
	} {
		t.Run(c.about, func(t *testing.T) {
			run(t, total, func(run Run, a Agent, m Member) {
				before := a.Free()
				what, err := run.Offer(a, m, c.part)
				if c.problem != "" {
					require.ErrorContains(t, err, c.problem)
					assert.True(t, before.Equal(a.Free()), "nothing has changed")
					return
				}
				require.NoError(t, err)
				assert.True(t, parsed(t, "").Add(what).Equal(before.Sub(a.Free())))
				assert.Equal(t, c.want, inAnyOrder(what))
				assert.True(t, m.Has().Equal(what.ScalarQuantities()))
			})
		})
	}
	t.Run("several parts are one offer", func(t *testing.T) {
		assert.Equal(t, "mem cpus ", run(t, "cpus:4;mem:1024", func(run Run, a Agent, m Member) {
			for _, p := range []Part{{"mem": 64}, {"cpus": 1}, {"mem": 64}} {
				_, err := run.Offer(a, m, p)
				require.NoError(t, err)
			}
		}))
	})
}

func TestWhatAnAlgorithmSees(t *testing.T) {
	f := stage(t, "cpus:4;mem:1024;cpus(a):2")
	require.NoError(t, f.a.UpdateQuota(t.Context(), &quota.QuotaConfig{Role: proto.String("a"), Limits: parsed(t, "cpus:3").Quantities().Message()}))
	f.a.algorithm = &told{func(run Run) {
		a := run.Agents()[0]
		m := run.Candidates(nil, a)[0]
		assert.Equal(t, "s1", a.ID())
		assert.Equal(t, "s1", a.Info().GetId().GetValue())
		assert.True(t, a.Total().Equal(a.Free()))
		assert.Equal(t, "framework-0000 a", m.Framework()+" "+m.Role())
		assert.Equal(t, "cpus:6; mem:1024", run.Total().String())
		require.Len(t, run.Roles(), 1)
		role := run.Roles()[0]
		assert.Equal(t, "a {} cpus:3 cpus:2", fmt.Sprint(role.Name(), " ", role.Guarantee(), " ", role.Limit(), " ", role.Consumed()))
		what, err := run.Offer(a, m, nil)
		require.NoError(t, err)
		assert.Equal(t, "cpus:1; mem:1024", inAnyOrder(what.Unreserved()), "two of the three are reserved")
		standings := run.Standings(m)
		require.Len(t, standings, 2)
		assert.Equal(t, "a", standings[0].Path)
		assert.InDelta(t, 1, standings[0].Share, 1e-9, "all memory")
		assert.InDelta(t, 1, standings[1].Weight, 1e-9)
		assert.EqualValues(t, 1, standings[1].Allocations)
		assert.Empty(t, run.Candidates(nil, a))
		_, err = run.Offer(a, m, nil)
		assert.ErrorContains(t, err, "framework framework-0000 cannot be offered agent s1 in role a: nothing is left that it may have")
		assert.Less(t, run.Chance(), 1.0)
	}}
	f.cycle()
	require.Len(t, f.shares, 1)
}

func TestAnAttemptThatPanicsIsTakenBack(t *testing.T) {
	f := stage(t, "cpus:4;mem:1024")
	f.a.algorithm = &told{func(run Run) {
		assert.PanicsWithValue(t, "boom", func() {
			_ = run.Attempt(func() error {
				a := run.Agents()[0]
				_, err := run.Offer(a, run.Candidates(nil, a)[0], nil)
				assert.NoError(t, err)
				panic("boom")
			})
		})
	}}
	f.cycle()
	assert.Empty(t, f.shares)
	require.NoError(t, f.a.AddSlave(t.Context(), &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("s2")}}, modern, nil,
		parsed(t, "cpus:1").Messages(), nil))
	f.a.algorithm = inOrder{}
	f.cycle()
	assert.Len(t, f.shares, 2)
}
