package hierarchical

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
)

// measures are what happens over time.
type measures struct {
	runs         uint64
	run, latency timer
}

// timer keeps the last durations of one hour.
type timer struct {
	ends  []time.Duration // when
	spans []time.Duration
	last  time.Duration
	used  bool
}

const (
	timerWindow  = time.Hour
	timerSamples = 1000 // at most
)

func (t *timer) add(now, span time.Duration) {
	t.last, t.used = span, true
	t.ends, t.spans = append(t.ends, now), append(t.spans, span)
	t.cut(now)
}

// cut forgets what is old, or too much.
func (t *timer) cut(now time.Duration) {
	from := max(0, len(t.ends)-timerSamples)
	for from < len(t.ends) && t.ends[from] < now-timerWindow {
		from++
	}
	t.ends, t.spans = slices.Delete(t.ends, 0, from), slices.Delete(t.spans, 0, from)
}

// book collects metrics.
type book []*allocation.Metric

func (b *book) add(name string, v float64) {
	*b = append(*b, &allocation.Metric{Name: proto.String(name), Value: proto.Float64(v)})
}

// timer has no value before the first measurement, and statistics from the second on.
func (b *book) timer(name string, t *timer, now time.Duration) {
	if !t.used {
		return
	}
	t.cut(now)
	name += "_ms"
	b.add(name, milliseconds(t.last))
	if len(t.spans) < 2 {
		return
	}
	sorted := slices.Sorted(slices.Values(t.spans))
	b.add(name+"/count", float64(len(sorted)))
	b.add(name+"/min", milliseconds(sorted[0]))
	b.add(name+"/max", milliseconds(sorted[len(sorted)-1]))
	for _, p := range []struct {
		name string
		part float64
	}{{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}} {
		b.add(name+"/"+p.name, percentile(sorted, p.part))
	}
}

// percentile is between the two nearest.
func percentile(sorted []time.Duration, part float64) float64 {
	place := part * float64(len(sorted)-1)
	low := int(place)
	if low == len(sorted)-1 {
		return milliseconds(sorted[low])
	}
	rest := place - float64(low)
	return milliseconds(sorted[low]) + rest*(milliseconds(sorted[low+1])-milliseconds(sorted[low]))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Metrics implements the role, with upstream's names.
func (a *Allocator) Metrics(context.Context) ([]*allocation.Metric, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return nil, err
	}
	now := a.now()
	var b book
	b.add("mesos/allocation_runs", float64(a.measures.runs))
	b.timer("mesos/allocation_run", &a.measures.run, now)
	b.timer("mesos/allocation_run_latency", &a.measures.latency, now)
	for _, name := range []string{"cpus", "disk", "mem"} {
		b.add("mesos/resources/"+name+"/total", a.totals.Sum().Get(name).Float())
		b.add("mesos/resources/"+name+"/offered_or_allocated", a.allocated.Get(name).Float())
	}
	filters := a.activeFilters(now)
	for _, name := range slices.Sorted(maps.Keys(a.roles)) {
		a.roleMetrics(&b, a.roles[name], filters)
	}
	slices.SortFunc(b, func(x, y *allocation.Metric) int { return strings.Compare(x.GetName(), y.GetName()) })
	return b, nil
}

// activeFilters are the filters by role.
func (a *Allocator) activeFilters(now time.Duration) map[*role]int {
	sums := map[*role]int{}
	for _, f := range a.frameworks {
		for _, m := range f.members {
			sums[m.role] += a.tally.active(m.slot, now)
		}
	}
	return sums
}

func (a *Allocator) roleMetrics(b *book, r *role, filters map[*role]int) {
	if r.members > 0 {
		b.add("mesos/offer_filters/roles/"+r.name+"/active", float64(filters[r]))
		if a.parameters.RoleSorter == drf {
			b.add("mesos/roles/"+r.name+"/shares/dominant", a.sorter.Share(r.client))
		}
	}
	quota := func(resource, what string, v float64) {
		b.add(fmt.Sprintf("mesos/quota/roles/%s/resources/%s/%s", r.name, resource, what), v)
	}
	limited := map[string]bool{}
	for name, amount := range r.quota.guarantee.All() {
		limited[name] = true
		quota(name, "guarantee", amount.Float())
	}
	for name, amount := range r.quota.limit.All() {
		limited[name] = true
		quota(name, "limit", amount.Float())
	}
	for name := range limited {
		v := 0.0
		if r.client != nil {
			v = a.sorter.Has(r.client).Get(name).Float()
		}
		quota(name, "offered_or_allocated", v)
	}
	for name, amount := range r.reserved.Add(r.used).All() {
		quota(name, "consumed", amount.Float())
	}
}
