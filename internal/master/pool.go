package master

import (
	"context"
	"sync"
)

// maxCalls is how many calls of one kind are under way at a time. It is large,
// because each that hangs keeps its place.
const maxCalls = 4096

// pool makes calls in goroutines of their own, up to a number at a time; others
// wait, and nobody who asks does.
type pool struct {
	places  chan struct{}
	running sync.WaitGroup
}

func newPool() *pool { return &pool{places: make(chan struct{}, maxCalls)} }

func (p *pool) run(ctx context.Context, call func(ctx context.Context)) {
	p.running.Go(func() {
		select {
		case p.places <- struct{}{}:
			defer func() { <-p.places }()
			call(ctx)
		case <-ctx.Done():
		}
	})
}

func (p *pool) wait() { p.running.Wait() }
