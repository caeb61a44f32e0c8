package anonymous_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/roles/anonymous"
)

// watcher stays in Run until teardown begins.
type watcher struct{}

func (watcher) Run(ctx context.Context) error {
	<-ctx.Done()
	fmt.Println("done:", context.Cause(ctx))
	return nil
}

// quiet did its work when it was made, as modules of Apache Mesos do.
type quiet struct{ anonymous.Unimplemented }

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, a := range []anonymous.Anonymous{quiet{}, watcher{}} {
		if err := a.Run(ctx); err != nil {
			fmt.Println(err)
		}
	}
	// Output: done: context canceled
}
