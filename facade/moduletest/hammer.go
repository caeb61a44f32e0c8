package moduletest

import (
	"context"
	"sync"
)

// Hammer calls do from several goroutines at once, each the given number of times,
// and returns when all are done. The first error ends it: the others stop at their
// next call, and the test fails with it. Run the test with -race: the race detector
// is who judges.
//
// The numbers say which goroutine it is and which of its calls, both from 0. ctx ends
// with the first error.
func (k *Kit) Hammer(goroutines, calls int, do func(ctx context.Context, goroutine, call int) error) {
	k.t.Helper()
	ctx, cancel := context.WithCancelCause(k.t.Context())
	defer cancel(nil)
	start := make(chan struct{})
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			<-start
			for c := 0; c < calls && ctx.Err() == nil; c++ {
				if err := do(ctx, g, c); err != nil {
					cancel(err)
				}
			}
		})
	}
	close(start)
	all.Wait()
	if ctx.Err() != nil && k.t.Context().Err() == nil {
		k.t.Errorf("called from %d goroutines at once: %v", goroutines, context.Cause(ctx))
	}
}
