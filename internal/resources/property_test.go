package resources

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// twin is the slow way to calculate: by the text of what tells resources from
// each other, every thousandth, number and item on its own. It knows only what
// merges.
type twin map[string]map[string]int64

// twinOf looks at messages only.
func twinOf(messages []*message) twin {
	all := twin{}
	for _, m := range messages {
		m := proto.CloneOf(m)
		units := map[string]int64{}
		switch m.GetType() {
		case mesosv1.Value_SCALAR:
			units["scalar"] = int64(m.GetScalar().GetValue()*1000 + 0.5)
		case mesosv1.Value_RANGES:
			for _, r := range m.GetRanges().GetRange() {
				for n := r.GetBegin(); n <= r.GetEnd(); n++ {
					units[fmt.Sprint(n)] = 1
				}
			}
		case mesosv1.Value_SET:
			for _, item := range m.GetSet().GetItem() {
				units[item] = 1
			}
		}
		m.Scalar, m.Ranges, m.Set = nil, nil, nil
		key := prototext.MarshalOptions{AllowPartial: true}.Format(m)
		all = all.add(twin{key: units})
	}
	return all
}

func (a twin) each(b twin, unit func(x, y int64, single bool) int64) twin {
	result := twin{}
	for _, key := range slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b))) {
		units := map[string]int64{}
		for _, name := range slices.Concat(slices.Collect(maps.Keys(a[key])), slices.Collect(maps.Keys(b[key]))) {
			if left := unit(a[key][name], b[key][name], name != "scalar"); left > 0 {
				units[name] = left
			}
		}
		if len(units) > 0 {
			result[key] = units
		}
	}
	return result
}

func (a twin) add(b twin) twin {
	return a.each(b, func(x, y int64, single bool) int64 {
		if single {
			return max(x, y)
		}
		return x + y
	})
}

func (a twin) sub(b twin) twin {
	return a.each(b, func(x, y int64, _ bool) int64 { return x - y })
}

func (a twin) contains(b twin) bool {
	for key, units := range b {
		for name, n := range units {
			if a[key][name] < n {
				return false
			}
		}
	}
	return true
}

// random makes resources of few kinds, so that they meet.
func random(t testing.TB, rng *rand.Rand) Resources {
	var messages []*message
	for range rng.IntN(6) {
		var m *message
		switch rng.IntN(4) {
		case 0:
			m = scalarMessage("cpus", float64(rng.IntN(40))/8)
		case 1:
			m = scalarMessage("mem", float64(rng.IntN(3000))/1000)
		case 2:
			begin := uint64(rng.IntN(20))
			m = scalarMessage("ports", 0, rangesValue(begin, begin+uint64(rng.IntN(9)), 40, 41))
		default:
			items := []string{"a", "b", "c", "d"}
			rng.Shuffle(4, func(i, j int) { items[i], items[j] = items[j], items[i] })
			m = scalarMessage("zone", 0, setValue(items[:rng.IntN(5)]...))
		}
		switch rng.IntN(4) {
		case 0:
			m.Reservations = append(m.Reservations, static("r"))
		case 1:
			m.Reservations = append(m.Reservations, dynamic("r", "p"))
			if rng.IntN(2) == 0 {
				m.Reservations = append(m.Reservations, dynamic("r/s", "p"))
			}
		}
		if rng.IntN(4) == 0 {
			revocable(m)
		}
		if rng.IntN(4) == 0 {
			allocated([]string{"r", "q"}[rng.IntN(2)])(m)
		}
		messages = append(messages, m)
	}
	return of(t, messages...)
}

func TestArithmeticAgainstTheTwin(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 0))
		a, b, c := random(t, rng), random(t, rng), random(t, rng)
		beforeA, beforeB := a.Messages(), b.Messages()
		ta, tb := twinOf(beforeA), twinOf(beforeB)
		sum, difference := a.Add(b), a.Sub(b)

		require.Equal(t, ta.add(tb), twinOf(sum.Messages()), "seed %d: %s + %s", seed, a, b)
		require.Equal(t, ta.sub(tb), twinOf(difference.Messages()), "seed %d: %s - %s", seed, a, b)
		require.Equal(t, ta.contains(tb), a.Contains(b), "seed %d: %s contains %s", seed, a, b)
		require.Equal(t, ta.contains(tb) && tb.contains(ta), a.Equal(b), "seed %d: %s equals %s", seed, a, b)

		require.True(t, sum.Contains(a) && sum.Contains(b), "seed %d", seed)
		require.True(t, sum.Equal(b.Add(a)), "seed %d: the order does not count", seed)
		require.True(t, sum.Add(c).Equal(a.Add(b.Add(c))), "seed %d", seed)
		require.True(t, a.Contains(difference), "seed %d", seed)
		require.True(t, difference.Add(a).Sub(difference.Add(b)).Equal(difference.Add(a).Sub(b).Sub(difference)), "seed %d", seed)
		if a.Contains(b) {
			require.True(t, difference.Add(b).Equal(a), "seed %d: %s - %s + it", seed, a, b)
		}
		require.True(t, a.Scalars().Add(b.Scalars()).Sub(b.Scalars()).Equal(a.Scalars()), "seed %d: + and - of scalars", seed)
		require.True(t, sum.Shuffled(rng.Shuffle).Equal(sum), "seed %d", seed)
		require.True(t, a.Allocate("x").Add(b.Allocate("x")).Unallocate().Equal(a.Unallocate().Add(b.Unallocate())), "seed %d", seed)
		require.True(t, a.ToUnreserved().Add(b.ToUnreserved()).Equal(sum.ToUnreserved()), "seed %d", seed)
		require.True(t, a.ScalarQuantities().Add(b.ScalarQuantities()).Equal(sum.ScalarQuantities()), "seed %d", seed)
		require.True(t, sum.ContainsQuantities(a.Quantities()), "seed %d", seed)

		for _, r := range []Resources{sum, difference, sum.ToUnreserved(), sum.Unallocate()} {
			requireSound(t, r)
		}
		requireMessages(t, beforeA, a.Messages())
		requireMessages(t, beforeB, b.Messages())
	}
}

// requireSound holds what is true of all Resources: nothing is empty, nothing
// could be merged, and as messages they say the same, in the same order.
func requireSound(t testing.TB, r Resources) {
	t.Helper()
	for i := range r.list {
		require.False(t, r.list[i].empty(), r.String())
		for j := range r.list[:i] {
			require.False(t, addable(&r.list[j], &r.list[i]), r.String())
		}
	}
	for _, shape := range []Shape{Post, PreIfPossible, Endpoint} {
		messages, err := r.MessagesIn(shape)
		require.NoError(t, err)
		again, err := New(messages)
		require.NoError(t, err)
		require.Equal(t, r.String(), again.String())
	}
}

// TestOneBaseForMany is for the race detector: what is calculated from one base
// shares memory with it.
func TestOneBaseForMany(t *testing.T) {
	base := many(t)
	want := base.String()
	for range 4 {
		t.Run("uses the base", func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(50) {
				rng := rand.New(rand.NewPCG(seed, 1))
				r := random(t, rng)
				sum := base.Add(r)
				require.True(t, sum.Contains(base))
				require.True(t, sum.Allocate("x").Unallocate().Contains(r.Unallocate()))
				requireSound(t, sum.Sub(r).ToUnreserved())
			}
			require.Equal(t, want, base.String())
		})
	}
}
