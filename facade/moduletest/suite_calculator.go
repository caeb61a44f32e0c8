package moduletest

import (
	"context"
	"math"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/roles/calculator"
)

func calculatorChecks() []check {
	return []check{
		{"Compute returns for all numbers there are", func(b *bench) {
			k, c := loaded[calculator.Calculator](b)
			for _, x := range []byte{0, 1, 'A', math.MaxUint8} {
				for _, y := range []int64{0, 1, -1, 10, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64} {
					b.returns("Compute", func() { _, _ = c.Compute(b.Context(), x, y) }) // an error is an answer
				}
			}
			assert.Empty(b, panics(k))
		}},
		{"implementations are safe for concurrent use", func(b *bench) {
			k, c := loaded[calculator.Calculator](b)
			k.Hammer(8, 200, func(ctx context.Context, g, call int) error {
				_, _ = c.Compute(ctx, byte(g), int64(call)) // an error is an answer
				return nil
			})
			assert.Empty(b, panics(k))
		}},
		{"a cancelled ctx means that nobody waits for the answer", func(b *bench) {
			_, c := loaded[calculator.Calculator](b)
			b.returns("Compute", func() { _, _ = c.Compute(ended(), 'A', 10) })
		}},
	}
}
