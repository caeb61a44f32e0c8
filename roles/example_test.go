package roles

import (
	"context"
	"fmt"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

// The row of a role says where its modules are bound, and by which flag.
func Example() {
	r, _ := ByName("Calculator")
	for _, s := range r.Sites {
		fmt.Printf("%s %s: --%s takes %s, on %v\n", r.Name, r.Version, s.Flag, s.Takes, s.On)
	}
	// Output: Calculator 1.12.0: --calculator takes list, on mesos-master and mesos-slave
}
