package calculator_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{ calculator.Unimplemented }

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

// The design document's example.
func Example() {
	var c calculator.Calculator = adder{}
	n, err := c.Compute(context.Background(), 'A', 10)
	fmt.Println(n, err)
	// Output: 75 <nil>
}
