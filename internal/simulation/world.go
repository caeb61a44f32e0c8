package simulation

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// World is the clock, chance, and what is to happen. Everything in it runs in the
// goroutine that calls Run.
type World struct {
	now     time.Time
	random  *rand.Rand
	pending agenda
	count   uint64 // of all that was ever put on the agenda: the order of what is at one time
	ticking []ticker

	master     *masterNode
	slaves     []*slaveNode
	frameworks []*framework

	trace    func(line string)
	problems []string
}

// ticker is a core that wants to be woken.
type ticker interface {
	next() time.Time // zero: it does not
	tick()
}

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at puts something on the agenda.
func (w *World) at(t time.Time, do func()) {
	w.count++
	heap.Push(&w.pending, item{t, w.count, do})
}

// after is at, counted from now.
func (w *World) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

// Run goes through the agenda until a time.
func (w *World) run(until time.Time) {
	for len(w.problems) == 0 {
		next, who := until, ticker(nil)
		for _, t := range w.ticking {
			if n := t.next(); !n.IsZero() && n.Before(next) {
				next, who = n, t
			}
		}
		switch {
		case len(w.pending) > 0 && !w.pending[0].at.After(next):
			i := heap.Pop(&w.pending).(item)
			w.advance(i.at)
			i.do()
		case who != nil:
			w.advance(next)
			who.tick()
		default:
			w.advance(until)
			return
		}
	}
}

func (w *World) advance(t time.Time) {
	if t.After(w.now) {
		w.now = t
	}
}

// between is a random duration.
func (w *World) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.random.Int64N(int64(most-least)))
}

// one in n is true.
func (w *World) oneIn(n int) bool { return w.random.IntN(n) == 0 }

func (w *World) uuid() []byte {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(w.random.Uint32())
	}
	return b
}

// say writes into the trace.
func (w *World) say(format string, args ...any) {
	if w.trace != nil {
		w.trace(fmt.Sprintf("%12v  ", w.now.Sub(begin)) + fmt.Sprintf(format, args...))
	}
}

// wrong holds something against the cores; the run ends.
func (w *World) wrong(format string, args ...any) {
	problem := fmt.Sprintf("after %v: ", w.now.Sub(begin)) + fmt.Sprintf(format, args...)
	w.say("PROBLEM %s", problem)
	w.problems = append(w.problems, problem)
}

// agenda is a heap by time and, at one time, by order of arrival.
type agenda []item

type item struct {
	at    time.Time
	count uint64
	do    func()
}

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].count < a[j].count
	}
	return a[i].at.Before(a[j].at)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(item)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
