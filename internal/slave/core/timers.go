package core

import (
	"container/heap"
	"time"
)

// timer is something to be done at a time. A nil timer can be stopped.
type timer struct {
	at    time.Time
	order uint64 // of those at the same time, the first made is the first done
	do    func()
	index int // in the heap; -1: not there any more
	all   *timers
}

// stop has it not happen.
func (t *timer) stop() {
	if t != nil && t.index >= 0 {
		heap.Remove(&t.all.heap, t.index)
	}
}

type timers struct {
	heap timerHeap
	made uint64
}

// after has do called by a Handle that comes at least d from now.
func (c *Core) after(d time.Duration, do func()) *timer {
	c.timers.made++
	t := &timer{at: c.now.Add(d), order: c.timers.made, do: do, all: &c.timers}
	heap.Push(&c.timers.heap, t)
	return t
}

// setBack has everything happen earlier by d, as the clock now shows it.
func (t *timers) setBack(d time.Duration) {
	for _, one := range t.heap {
		one.at = one.at.Add(-d)
	}
}

func (t *timers) next() time.Time {
	if len(t.heap) == 0 {
		return time.Time{}
	}
	return t.heap[0].at
}

// due takes a timer out whose time has come, of those made up to the one with the
// order last.
func (t *timers) due(now time.Time, last uint64) *timer {
	if len(t.heap) == 0 || t.heap[0].at.After(now) || t.heap[0].order > last {
		return nil
	}
	return heap.Pop(&t.heap).(*timer)
}

type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].order < h[j].order
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
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
