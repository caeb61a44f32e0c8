package diskdu

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// rest is how many times as long as a measurement took its folder is left in peace, so
// that the largest sandbox does not keep the disk busy.
const rest = 4

// job is one folder that is measured again and again.
type job struct {
	due    time.Time
	at     int // place in the queue; -1: not in it
	ctx    context.Context
	cancel context.CancelFunc
	hurry  bool // it is to be measured once more as soon as it is over
	run    func(ctx context.Context)
}

// schedule measures folders, some at once, each an interval after its last time.
type schedule struct {
	interval time.Duration
	wake     chan struct{}
	work     sync.WaitGroup
	cancel   context.CancelFunc
	ctx      context.Context

	mu    sync.Mutex
	queue queue
}

// newSchedule starts the workers, which end with stop.
func newSchedule(interval time.Duration, workers int) *schedule {
	s := &schedule{interval: interval, wake: make(chan struct{}, workers)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for range workers {
		s.work.Go(s.worker)
	}
	return s
}

// stop interrupts what is being measured, and waits.
func (s *schedule) stop() {
	s.cancel()
	s.work.Wait()
}

// add has run called for the first time in a while, and then until remove.
func (s *schedule) add(in time.Duration, run func(ctx context.Context)) *job {
	j := &job{due: time.Now().Add(in), run: run}
	j.ctx, j.cancel = context.WithCancel(s.ctx)
	s.mu.Lock()
	heap.Push(&s.queue, j)
	s.mu.Unlock()
	s.rouse()
	return j
}

// remove interrupts the job if it runs, and does not wait for that.
func (s *schedule) remove(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.cancel()
	if j.at >= 0 {
		heap.Remove(&s.queue, j.at)
	}
}

// hurry has the job run at once, or once more if it is running.
func (s *schedule) hurry(j *job) {
	s.mu.Lock()
	if j.at >= 0 {
		j.due = time.Now()
		heap.Fix(&s.queue, j.at)
	} else {
		j.hurry = true
	}
	s.mu.Unlock()
	s.rouse()
}

// rouse has a worker look at the queue; one that is under way does so anyway.
func (s *schedule) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *schedule) worker() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		j, wait := s.take()
		if j != nil {
			began := time.Now()
			j.run(j.ctx)
			s.again(j, time.Since(began))
			continue
		}
		timer.Reset(wait)
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// take returns the first job that is due, or how long to wait.
func (s *schedule) take() (*job, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || len(s.queue) == 0 {
		return nil, time.Hour
	}
	if wait := time.Until(s.queue[0].due); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&s.queue).(*job), 0
}

func (s *schedule) again(j *job, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.ctx.Err() != nil {
		return
	}
	j.due = time.Now().Add(max(s.interval, rest*took))
	if j.hurry {
		j.hurry, j.due = false, time.Now()
	}
	heap.Push(&s.queue, j)
}

// queue is a heap of jobs by when they are due.
type queue []*job

func (q queue) Len() int           { return len(q) }
func (q queue) Less(a, b int) bool { return q[a].due.Before(q[b].due) }
func (q queue) Swap(a, b int) {
	q[a], q[b] = q[b], q[a]
	q[a].at, q[b].at = a, b
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	j := x.(*job)
	j.at = len(*q)
	*q = append(*q, j)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	j := (*q)[last]
	(*q)[last] = nil
	*q, j.at = (*q)[:last], -1
	return j
}
