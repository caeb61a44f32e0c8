package handle_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

type multiplier struct{}

func (multiplier) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) * b), nil
}

// A daemon holds the handle for good; what is behind it comes, changes and goes.
func Example() {
	ctx := context.Background()
	h, err := handle.New("Calculator", handle.Options{Site: "calculator", Module: "org_example_calculator"})
	if err != nil {
		fmt.Println(err)
		return
	}
	site := h.(calculator.Calculator)

	_ = h.Bind(adder{})
	n, _ := site.Compute(ctx, 'A', 10)
	fmt.Println(n)

	_ = h.Replace(ctx, multiplier{})
	n, _ = site.Compute(ctx, 'A', 10)
	fmt.Println(n)

	_ = h.Unbind(ctx)
	_, err = site.Compute(ctx, 'A', 10)
	fmt.Println(errors.Is(err, handle.ErrUnbound), err)
	// Output:
	// 75
	// 650
	// true site --calculator (role Calculator): Compute: no module is bound
}
