package hierarchical

import (
	"math"
	"slices"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// filters are what frameworks refused of one agent. An offer is kept back if all of it
// is in what was refused.
//
// A cluster has as many filters as agents times members, all looked at in each run:
// so they lie in the agent by the slots of the members, in pages without pointers, and
// what was refused, which is the same for most, is there once.
type filters struct {
	tally    *tally
	pages    []*page
	refusals []refusal
	unused   []uint32            // places in refusals
	more     map[uint32][]filter // of slots that have several
}

// page is the filters of some slots.
type page [slotsPerPage]filter

const slotsPerPage = 32

// filter is one; the zero filter is none. There are tens of millions of them.
type filter struct {
	until moment
	// The place of the refusal, and 1; with the mark if the slot has several.
	refusal uint32
}

const moreMark = 1 << 31

func (f filter) place() uint32 { return f.refusal&^moreMark - 1 }
func (f filter) more() bool    { return f.refusal&moreMark != 0 }
func (f filter) none() bool    { return f.refusal == 0 }

// moment is a time since the allocator was made, in tenths of a second: enough for
// filters, and for thirteen years.
type moment uint32

const tenth = time.Second / 10

// momentOf is the one that a time is in. So a filter is over when the moment in which it
// ends is: never too early.
func momentOf(t time.Duration) moment { return moment(t / tenth) }

func (m moment) time() time.Duration { return time.Duration(m) * tenth }

type refusal struct {
	what resources.Resources
	uses int

	// The answer to the last question, for one view.
	view  uint64
	holds bool
}

// expired says whether a filter is over. It holds at the very moment itself: that may be
// the one of the next run.
func (f filter) expired(now moment) bool { return now > f.until }

// add keeps the like of what back until a moment. It makes those superfluous that refuse no
// more and no longer.
func (f *filters) add(slot uint32, what resources.Resources, until, now moment) {
	kept := make([]filter, 0, 1)
	for _, old := range f.of(slot) {
		has := f.refusals[old.place()].what
		switch {
		case old.expired(now) || old.until <= until && what.Contains(has):
			continue
		case old.until >= until && has.Contains(what):
			return
		}
		kept = append(kept, old)
	}
	fresh := filter{until: until, refusal: f.refuse(what) + 1} // before the old are let go
	f.set(slot, append(kept, fresh))
}

// refuse returns the place of resources among the refusals.
func (f *filters) refuse(what resources.Resources) uint32 {
	for i := range f.refusals {
		if r := &f.refusals[i]; r.uses > 0 && r.what.Equal(what) {
			return uint32(i)
		}
	}
	if last := len(f.unused) - 1; last >= 0 {
		at := f.unused[last]
		f.unused = f.unused[:last]
		f.refusals[at] = refusal{what: what}
		return at
	}
	f.refusals = append(f.refusals, refusal{what: what})
	return uint32(len(f.refusals) - 1)
}

// at returns the place of a slot's first filter, or nil.
func (f *filters) at(slot uint32) *filter {
	number := slot / slotsPerPage
	if int(number) >= len(f.pages) || f.pages[number] == nil {
		return nil
	}
	return &f.pages[number][slot%slotsPerPage]
}

// of are the filters of a slot.
func (f *filters) of(slot uint32) []filter {
	first := f.at(slot)
	switch {
	case first == nil || first.none():
		return nil
	case first.more():
		return append([]filter{{first.until, first.refusal &^ moreMark}}, f.more[slot]...)
	default:
		return []filter{*first}
	}
}

// set replaces the filters of a slot. With the last filter all memory goes.
func (f *filters) set(slot uint32, all []filter) {
	for i := range all {
		f.refusals[all[i].place()].uses++
		f.tally.count(slot, all[i].until, 1)
	}
	for _, old := range f.of(slot) {
		f.tally.count(slot, old.until, -1)
		r := &f.refusals[old.place()]
		if r.uses--; r.uses == 0 {
			*r = refusal{}
			f.unused = append(f.unused, old.place())
		}
	}
	delete(f.more, slot)
	first := f.at(slot)
	switch {
	case len(all) == 0 && len(f.unused) == len(f.refusals):
		*f = filters{tally: f.tally}
		return
	case len(all) == 0:
		if first != nil {
			*first = filter{}
		}
		return
	case first == nil:
		first = f.room(slot)
	}
	*first = all[0]
	if len(all) > 1 {
		first.refusal |= moreMark
		if f.more == nil {
			f.more = map[uint32][]filter{}
		}
		f.more[slot] = all[1:]
	}
}

func (f *filters) room(slot uint32) *filter {
	number := int(slot / slotsPerPage)
	if number >= len(f.pages) {
		f.pages = append(f.pages, make([]*page, number+1-len(f.pages))...)
	}
	f.pages[number] = &page{}
	return f.at(slot)
}

// drop removes the filters of a slot.
func (f *filters) drop(slot uint32) {
	if first := f.at(slot); first != nil && !first.none() {
		f.set(slot, nil)
	}
}

// clear removes all filters.
func (f *filters) clear() {
	for slot := range uint32(len(f.pages) * slotsPerPage) {
		f.drop(slot)
	}
}

// block says whether a slot has a filter that refuses all of a view.
func (f *filters) block(slot uint32, v *view, now moment) bool {
	first := f.at(slot)
	switch {
	case first == nil || first.none():
		return false
	case first.expired(now) || first.more():
		return f.blockSlowly(slot, v, now)
	default:
		return f.refuses(first, v)
	}
}

func (f *filters) refuses(one *filter, v *view) bool {
	r := &f.refusals[one.place()]
	if r.view != v.number {
		r.view, r.holds = v.number, r.what.Contains(v.what)
	}
	return r.holds
}

// blockSlowly also removes what has expired.
func (f *filters) blockSlowly(slot uint32, v *view, now moment) bool {
	all := slices.DeleteFunc(f.of(slot), func(one filter) bool { return one.expired(now) })
	f.set(slot, all)
	return slices.ContainsFunc(all, func(one filter) bool { return f.refuses(&one, v) })
}

const (
	longestRefusal = 365 * 24 * time.Hour
	usualRefusal   = 5 * time.Second
)

// refusalOf is how long a framework refuses. What makes no sense is the usual time.
func refusalOf(f *mesosv1.Filters) time.Duration {
	switch seconds := f.GetRefuseSeconds(); {
	case seconds > longestRefusal.Seconds():
		return longestRefusal
	case seconds < 0 || math.IsNaN(seconds):
		return usualRefusal
	default:
		return time.Duration(seconds * float64(time.Second))
	}
}

// dropFilters removes all filters of a member.
func (a *Allocator) dropFilters(m *member) {
	for _, ag := range a.agents {
		ag.filters.drop(m.slot)
	}
}

// refuse keeps the like of resources back from a member, at least until the next run over
// all agents is over: that is at now and an interval at the latest, in the time of runs.
func (a *Allocator) refuse(ag *agent, m *member, what resources.Resources, f *mesosv1.Filters) {
	span := refusalOf(f)
	if span == 0 {
		return
	}
	now := a.now()
	ag.filters.add(m.slot, what.Unallocate(), momentOf(now+max(span, a.options.interval)), momentOf(now))
}
