package hierarchical

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
)

// world is what the master knows, kept as simply as possible, and an allocator that is
// called at random. The allocator's books are compared with it after each call.
type world struct {
	t    *testing.T
	seed uint64
	rng  *rand.Rand
	a    *Allocator

	begin      time.Time
	frameworks map[string]*player
	agents     map[string]*place
	out        map[holding]resources.Resources
	refused    map[holding][]refusedOf
	limits     map[string]resources.Limits
	steps      []string
	offers     []string

	mu   sync.Mutex
	came []delivery // not looked at yet
}

// delivery is one call of the sink.
type delivery struct {
	shares []*allocation.Share
	at     time.Time
}

type player struct {
	roles      []string
	suppressed map[string]bool
	active     bool
}

type place struct {
	total  resources.Resources
	active bool
}

type holding struct{ framework, role, agent string }

type refusedOf struct {
	what  resources.Resources
	until time.Time
}

var worldRoles = []string{"*", "a", "a/b", "a/b/c", "d"}

func newWorld(t *testing.T, seed uint64, kind string, algorithm Algorithm) *world {
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), begin: time.Now(), frameworks: map[string]*player{},
		agents: map[string]*place{}, out: map[holding]resources.Resources{}, refused: map[holding][]refusedOf{}, limits: map[string]resources.Limits{}}
	w.a = newAllocator(t.Context(), slog.New(slog.DiscardHandler), parameters{RoleSorter: kind, FrameworkSorter: kind, Seed: seed + 1}, algorithm)
	t.Cleanup(func() { require.NoError(t, w.a.Close(context.Background())) })
	w.must(w.a.Initialize(t.Context(), &allocation.Options{AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Second))}}))
	w.must(w.a.Offers(t.Context(), func(shares []*allocation.Share) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.came = append(w.came, delivery{shares, time.Now()})
	}))
	return w
}

// settle waits for what a step leads to, and looks at it.
func (w *world) settle() {
	synctest.Wait()
	w.mu.Lock()
	came := w.came
	w.came = nil
	w.mu.Unlock()
	for _, d := range came {
		w.take(d.shares, d.at)
	}
	for _, d := range came {
		w.withinLimits(d.shares)
	}
	w.compare()
}

// withinLimits wants no more to be offered to a role than its limit allows. A role that
// has others below it may have more, since limits do not cut those.
func (w *world) withinLimits(shares []*allocation.Share) {
	for _, s := range shares {
		r, err := resources.New(s.GetResources())
		w.must(err)
		role, _ := slices.Collect(r.All())[0].AllocationRole()
		if role == "a" || w.limits[role].Empty() {
			continue
		}
		var consumed resources.Quantities
		for _, at := range w.agents {
			consumed = consumed.Add(at.total.ReservedTo(role).ScalarQuantities())
		}
		for h, has := range w.out {
			if h.role == role {
				consumed = consumed.Add(has.ScalarQuantitiesOf(chargeable))
			}
		}
		for name, limit := range w.limits[role].All() {
			if r.ScalarQuantitiesOf(chargeable).Get(name) > 0 && consumed.Get(name) > limit {
				w.fail("role %s is offered %s, and has %s of %s", role, r, consumed, w.limits[role])
			}
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.fail("%v", err)
	}
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d: "+format+"\nafter\n%s", append(append([]any{w.seed}, args...), strings.Join(w.steps, "\n"))...)
}

// take holds each offer against what the master knows.
func (w *world) take(shares []*allocation.Share, at time.Time) {
	for _, s := range shares {
		r, err := resources.New(s.GetResources())
		w.must(err)
		role, _ := slices.Collect(r.All())[0].AllocationRole()
		h := holding{s.GetFrameworkId().GetValue(), role, s.GetAgentId().GetValue()}
		f, from := w.frameworks[h.framework], w.agents[h.agent]
		switch {
		case h.framework != shares[0].GetFrameworkId().GetValue():
			w.fail("offers to %s and %s in one call", h.framework, shares[0].GetFrameworkId().GetValue())
		case f == nil || !f.active || f.suppressed[role] || !slices.Contains(f.roles, role):
			w.fail("an offer to %v, which wants none", h)
		case from == nil || !from.active:
			w.fail("an offer to %v, whose agent is away", h)
		case !from.total.Sub(w.taken(h.agent)).Contains(r.Unallocate()):
			w.fail("%v is offered %s, and free are %s", h, r, from.total.Sub(w.taken(h.agent)))
		case !r.Unallocate().AllocatableTo(role).Equal(r.Unallocate()):
			w.fail("%v is offered %s", h, r)
		}
		for _, old := range w.refused[h] {
			if at.Before(old.until) && old.what.Contains(r.Unallocate()) {
				w.fail("%v is offered %s, and has refused %s", h, r, old.what)
			}
		}
		w.out[h] = w.out[h].Add(r)
		w.offers = append(w.offers, fmt.Sprint(h, " ", r))
	}
}

func (w *world) taken(agent string) (sum resources.Resources) {
	for _, h := range w.holdings() {
		if h.agent == agent {
			sum = sum.Add(w.out[h].Unallocate())
		}
	}
	return sum
}

func (w *world) holdings() []holding {
	return slices.SortedFunc(maps.Keys(w.out), func(x, y holding) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
}

func pick[T any](w *world, all map[string]T) string {
	if len(all) == 0 {
		return ""
	}
	return slices.Sorted(maps.Keys(all))[w.rng.IntN(len(all))]
}

func (w *world) role() string { return worldRoles[w.rng.IntN(len(worldRoles))] }

func (w *world) text(most int) string {
	text := fmt.Sprintf("cpus:%d;mem:%d;ports:[%d-%d]", 1+w.rng.IntN(most), 1+w.rng.IntN(most), w.rng.IntN(5), 5+w.rng.IntN(5))
	if w.rng.IntN(3) == 0 {
		role := worldRoles[1+w.rng.IntN(len(worldRoles)-1)]
		text += fmt.Sprintf(";cpus(%s):%d;mem(%s):%d", role, 1+w.rng.IntN(most), role, 1+w.rng.IntN(most))
	}
	return text
}

func (w *world) subscription() ([]string, []string) {
	var roles, suppressed []string
	for _, role := range worldRoles {
		if w.rng.IntN(3) == 0 {
			roles = append(roles, role)
			if w.rng.IntN(4) == 0 {
				suppressed = append(suppressed, role)
			}
		}
	}
	return roles, suppressed
}

func infoOf(id string, roles []string) *mesosv1.FrameworkInfo {
	return &mesosv1.FrameworkInfo{Id: &mesosv1.FrameworkID{Value: &id}, Roles: roles,
		Capabilities: []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_MULTI_ROLE.Enum()}}}
}

func (p *player) subscribe(roles, suppressed []string) {
	p.roles, p.suppressed = roles, map[string]bool{}
	for _, role := range suppressed {
		p.suppressed[role] = true
	}
}

// forget drops what was refused where match holds.
func (w *world) forget(match func(holding) bool) {
	maps.DeleteFunc(w.refused, func(h holding, _ []refusedOf) bool { return match(h) })
}

func TestProperties(t *testing.T) {
	for _, kind := range []string{drf, random} {
		t.Run(kind, func(t *testing.T) {
			offered := 0
			for seed := range uint64(60) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, seed, kind, inOrder{})
					for range 120 {
						w.step()
						w.settle()
					}
					offered += len(w.offers)
					w.everythingIsOfferedAgain()
				})
			}
			require.Greater(t, offered, 500)
		})
	}
}

func TestSameCallsSameSeedSameOffers(t *testing.T) {
	kinds := map[string][]string{}
	for _, kind := range []string{drf, random} {
		var offers [2][]string
		for i := range offers {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 7, kind, inOrder{})
				for range 200 {
					w.step()
					w.settle()
				}
				offers[i] = w.offers
			})
		}
		require.NotEmpty(t, offers[0])
		require.Equal(t, offers[0], offers[1], kind)
		kinds[kind] = offers[0]
	}
	require.NotEqual(t, kinds[drf], kinds[random])
}

// everythingIsOfferedAgain gives all back to a cluster without quota, in which one
// framework may have all that is not reserved.
func (w *world) everythingIsOfferedAgain() {
	ctx := w.t.Context()
	for _, id := range slices.Sorted(maps.Keys(w.frameworks)) {
		w.must(w.a.RemoveFramework(ctx, &mesosv1.FrameworkID{Value: &id}))
		delete(w.frameworks, id)
	}
	for _, h := range w.holdings() {
		w.must(w.a.RecoverResources(ctx, &mesosv1.FrameworkID{Value: &h.framework}, &mesosv1.AgentID{Value: &h.agent}, w.out[h].Messages(), nil, true))
		delete(w.out, h)
	}
	for _, role := range worldRoles {
		w.must(w.a.UpdateQuota(ctx, &quota.QuotaConfig{Role: &role}))
	}
	clear(w.limits)
	w.forget(func(holding) bool { return true })
	w.frameworks["last"] = &player{roles: []string{"d"}, active: true}
	w.must(w.a.AddFramework(ctx, infoOf("last", []string{"d"}), nil, true, nil, nil))
	w.settle()
	for id, at := range w.agents {
		if want := at.total.AllocatableTo("d"); at.active && !want.Equal(w.taken(id)) {
			w.fail("of agent %s, %s are offered and %s could be", id, w.taken(id), want)
		}
	}
	w.must(w.a.RemoveFramework(ctx, &mesosv1.FrameworkID{Value: proto.String("last")}))
	for id := range w.agents {
		w.must(w.a.RemoveSlave(ctx, &mesosv1.AgentID{Value: &id}))
	}
	a := w.a
	require.Empty(w.t, a.roles, "seed %d: nothing is left of any role", w.seed)
	require.Empty(w.t, a.strangers)
	require.True(w.t, a.totals.Sum().Empty() && a.allocated.Empty())
	require.Len(w.t, a.slots.free, int(a.slots.next))
}
