package lifecycle

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"
)

// DefaultCapacity is the number of events a [Bus] keeps for replay.
const DefaultCapacity = 16 << 10

// maxKept bounds the text (stacks, error texts) of the kept events, in bytes: a
// module that panics in every call must not fill the memory.
const maxKept = 8 << 20

// Observer is called with every event, in order of sequence, never two at a time.
// It may publish, subscribe and observe; it should return soon, because some
// publisher waits for it. One that panics is removed, with a [Notice].
type Observer func(Event)

// BusOptions are the settings of a [Bus]. The zero value is good.
type BusOptions struct {
	Now      func() time.Time // clock of events and durations; nil: time.Now
	Capacity int              // events kept for replay; 0: DefaultCapacity
}

// Bus numbers events, keeps the last ones, and hands them on.
//
// Observers are called by whoever publishes. If two goroutines publish at once,
// one of them delivers the events of both, and the other does not wait; so too an
// observer that publishes: its event is delivered after the present one. No lock
// is held meanwhile.
//
// Subscribers read the kept events at their own pace and wait for new ones in
// their own goroutine. They cannot hold up anything: who is too slow finds a
// [Gap] in place of what was dropped.
//
// A nil *Bus swallows everything.
type Bus struct {
	now      func() time.Time
	capacity int

	mu         sync.Mutex // guards all below; never held while foreign code runs
	kept       []Event    // ring
	head       int        // index of the oldest in kept
	count      int
	text       int    // textLen of all kept
	last       uint64 // sequence number of the newest event
	delivered  uint64 // … up to which observers have been served
	delivering bool
	observers  []*Observer   // copied on change
	wake       chan struct{} // closed by the next event; nil if nobody waits
}

// NewBus returns an empty bus; its first event gets sequence number 1.
func NewBus(o BusOptions) *Bus {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Capacity <= 0 {
		o.Capacity = DefaultCapacity
	}
	return &Bus{now: o.Now, capacity: o.Capacity}
}

// Now returns the time of the bus.
func (b *Bus) Now() time.Time {
	if b == nil {
		return time.Now()
	}
	return b.now()
}

// Last returns the sequence number of the newest event, 0 if there is none.
// Subscribe(ctx, Last()+1) gives only what is yet to come.
func (b *Bus) Last() uint64 {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// Publish gives the event its number and time and hands it on. It does not wait
// for subscribers. Time is read under the lock, so that it rises with the numbers.
func (b *Bus) Publish(e Event) { b.publish(e) }

// publish is Publish and returns the time of the event, monotonic reading included.
func (b *Bus) publish(e Event) time.Time {
	return b.issue(func(seq uint64, at time.Time) Event { return e.stamped(seq, stamp(at)) })
}

// issue is publish for an event that is made when its number and time are known, in
// one piece of memory. made runs under the lock.
func (b *Bus) issue(made func(seq uint64, at time.Time) Event) time.Time {
	if b == nil {
		return time.Now()
	}
	b.mu.Lock()
	at := b.now()
	b.last++
	b.keep(made(b.last, at))
	if b.wake != nil {
		close(b.wake)
		b.wake = nil
	}
	if b.delivering {
		b.mu.Unlock()
		return at
	}
	b.delivering = true
	b.mu.Unlock()
	b.deliver()
	return at
}

// Observe adds an observer for all events from now on and returns the function
// that removes it, which may be called more than once, also by the observer.
func (b *Bus) Observe(o Observer) (remove func()) {
	if b == nil {
		return func() {}
	}
	entry := &o
	b.mu.Lock()
	defer b.mu.Unlock()
	b.observers = append(slices.Clip(b.observers), entry)
	return func() { b.remove(entry) }
}

// Subscribe returns the events from sequence number from on: first the kept ones,
// then new ones as they come, until ctx ends or the loop is left. If the first
// ones asked for are no longer kept, a [Gap] stands for them; 0 is the same as 1.
// A number beyond the next event (of an earlier run of the daemon) means the next.
//
// The iterator may be used once, by one goroutine; nothing needs to be released.
func (b *Bus) Subscribe(ctx context.Context, from uint64) iter.Seq[Event] {
	next := max(1, min(from, b.Last()+1))
	return func(yield func(Event) bool) {
		for ctx.Err() == nil {
			e, wait := b.fetch(next, true)
			if e == nil {
				select {
				case <-wait:
				case <-ctx.Done():
				}
				continue
			}
			if !yield(e) {
				return
			}
			next = e.Head().Seq + 1
		}
	}
}

// fetch returns the event with the number next, a gap that ends before the oldest
// one kept, or nil: then, if asked, wait is closed at the next event.
func (b *Bus) fetch(next uint64, waiting bool) (e Event, wait <-chan struct{}) {
	if b == nil {
		return nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fetchLocked(next, waiting)
}

func (b *Bus) fetchLocked(next uint64, waiting bool) (Event, <-chan struct{}) {
	if next > b.last {
		if waiting && b.wake == nil {
			b.wake = make(chan struct{})
		}
		return nil, b.wake
	}
	oldest := b.last - uint64(b.count) + 1
	if next < oldest {
		return Gap{First: next, Last: oldest - 1}.stamped(oldest-1, stamp(b.now())), nil
	}
	return b.kept[(b.head+int(next-oldest))%len(b.kept)], nil
}

// keep stores e as the newest and drops the oldest as needed; b.mu is held.
func (b *Bus) keep(e Event) {
	for b.count > 0 && (b.count == b.capacity || b.text+e.textLen() > maxKept) {
		b.text -= b.kept[b.head].textLen()
		b.kept[b.head] = nil
		b.head = (b.head + 1) % len(b.kept)
		b.count--
	}
	if b.count == len(b.kept) { // full below capacity: grow, oldest first
		bigger := make([]Event, min(b.capacity, max(64, 2*b.count)))
		n := copy(bigger, b.kept[b.head:])
		copy(bigger[n:], b.kept[:b.head])
		b.kept, b.head = bigger, 0
	}
	b.kept[(b.head+b.count)%len(b.kept)] = e
	b.count++
	b.text += e.textLen()
}

// deliver serves the observers until none of the events is left. Only the
// goroutine that set b.delivering may call it.
func (b *Bus) deliver() {
	for {
		b.mu.Lock()
		e, _ := b.fetchLocked(b.delivered+1, false)
		if e == nil {
			b.delivering = false
			b.mu.Unlock()
			return
		}
		if len(b.observers) == 0 { // nobody to miss anything
			b.delivered = b.last
			b.mu.Unlock()
			continue
		}
		b.delivered = e.Head().Seq
		observers := b.observers
		b.mu.Unlock()
		for _, o := range observers {
			b.call(o, e)
		}
	}
}

// call guards one observer.
func (b *Bus) call(o *Observer, e Event) {
	returned := false
	defer func() {
		if returned {
			return
		}
		b.remove(o)
		v := recover()
		if v != nil {
			b.Publish(Notice{Text: clip(fmt.Sprintf("an observer panicked at event %d and was removed: %v", e.Head().Seq, v), maxText)})
			return
		}
		// runtime.Goexit ends this goroutine: the next publisher delivers the rest.
		b.mu.Lock()
		b.delivering = false
		b.mu.Unlock()
	}()
	(*o)(e)
	returned = true
}

func (b *Bus) remove(o *Observer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.observers = slices.DeleteFunc(slices.Clone(b.observers), func(other *Observer) bool { return other == o })
}

// stamp makes the time of an event: comparable, also after a round trip through JSON.
func stamp(t time.Time) time.Time { return t.Round(0).UTC() }

// since is the time passed on the bus' clock.
func (b *Bus) since(t time.Time) time.Duration { return max(0, b.Now().Sub(t)) }
