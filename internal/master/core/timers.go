package core

import (
	"container/heap"
	"time"
)

// timer is something to be done later. It is done once, unless it is stopped before.
type timer struct {
	at    time.Time
	seq   uint64 // of those due at one moment, the older goes first
	do    func()
	index int // in the heap; -1 when it is not there
}

// timers are a heap, the next one on top.
type timers struct {
	heap timerHeap
	seq  uint64
}

// after does something when time d has passed.
func (c *Core) after(d time.Duration, do func()) *timer {
	c.timers.seq++
	t := &timer{at: c.now.Add(d), seq: c.timers.seq, do: do}
	heap.Push(&c.timers.heap, t)
	return t
}

// stop ends a timer, which may be nil, done or stopped already.
func (c *Core) stop(t *timer) {
	if t != nil && t.index >= 0 {
		heap.Remove(&c.timers.heap, t.index)
	}
}

// setBack has everything happen earlier by d, as the clock now shows it.
func (t *timers) setBack(d time.Duration) {
	for _, one := range t.heap {
		one.at = one.at.Add(-d)
	}
}

// tick does what is due. What a timer starts anew is not due in the same tick, even
// without delay, so that a tick ends.
func (c *Core) tick() {
	last := c.timers.seq
	for len(c.timers.heap) > 0 {
		t := c.timers.heap[0]
		if t.at.After(c.now) || t.seq > last {
			return
		}
		heap.Pop(&c.timers.heap)
		t.do()
	}
}

// Next is when the core wants a Tick; zero if it waits for nothing.
func (c *Core) Next() time.Time {
	if len(c.timers.heap) == 0 {
		return time.Time{}
	}
	return c.timers.heap[0].at
}

type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].seq < h[j].seq
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = -1
	return t
}
