package link

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBuffer(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, Large, Large + 1, 1 << 20, 1<<20 + 30, maxKept + 1} {
		b := Buffer(n)
		assert.Empty(t, b)
		assert.GreaterOrEqual(t, cap(b), n)
		Recycle(b[:n])
	}
	t.Run("does not keep what is small or huge", func(t *testing.T) {
		for _, n := range []int{1, Large, maxKept + 1} {
			before := make([]byte, n)
			before[0] = 'x'
			Recycle(before)
			after := Buffer(n)[:1]
			assert.NotSame(t, &before[0], &after[0])
		}
	})
}
