package master

import (
	"context"
	"sync"

	"github.com/mesos-modules/mms/internal/master/core"
)

// maxEntering is how many events from outside wait for the core at a time; who
// brings more has to wait with them.
const maxEntering = 10_000

// item is one thing for the core's goroutine to do.
type item struct {
	event   core.Event
	view    chan<- *core.View // instead of an event: takes one
	ask     func(*core.Core)  // or asks something, without changing it
	entered bool              // it holds a slot
}

// queue is what waits for the core. The answers of modules are never refused, as
// there is one for each question. Requests and messages from outside take slots.
type queue struct {
	slots chan struct{}
	work  chan struct{}

	mu    sync.Mutex
	items []item
	count backlog
}

// backlog is what waits, by where it comes from.
type backlog struct{ messages, dispatches, requests int }

func newQueue() *queue {
	return &queue{slots: make(chan struct{}, maxEntering), work: make(chan struct{}, 1)}
}

// post adds what must not be refused. It never blocks.
func (q *queue) post(e core.Event) { q.push(item{event: e}) }

// enter adds an event from outside, when there is room for it.
func (q *queue) enter(ctx context.Context, e core.Event) error {
	return q.enterItem(ctx, item{event: e})
}

func (q *queue) enterItem(ctx context.Context, i item) error {
	select {
	case q.slots <- struct{}{}:
		i.entered = true
		q.push(i)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *queue) push(i item) {
	q.mu.Lock()
	q.items = append(q.items, i)
	*q.count.of(i)++
	q.mu.Unlock()
	select {
	case q.work <- struct{}{}:
	default: // it will look anyway
	}
}

// take returns all that waits.
func (q *queue) take() []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items, q.count = nil, backlog{}
	return items
}

// done gives a slot back.
func (q *queue) done(i item) {
	if i.entered {
		<-q.slots
	}
}

func (q *queue) backlog() backlog {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

func (b *backlog) of(i item) *int {
	switch i.event.(type) {
	case core.AgentMessage:
		return &b.messages
	case core.SchedulerCall, core.OperatorCall, nil:
		return &b.requests
	default:
		return &b.dispatches
	}
}
