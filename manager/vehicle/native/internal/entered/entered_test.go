package entered

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNotes(t *testing.T) {
	t.Run("have keys of their own, and are used again", func(t *testing.T) {
		a, b := Step("a"), Step("b")
		assert.NotZero(t, a.Key())
		assert.NotEqual(t, a.Key(), b.Key())
		a.Free()
		again := Code(0x1000, 0x2000, "c")
		assert.Equal(t, a.Key(), again.Key())
		again.Free()
		b.Free()
	})
	t.Run("that are none may be freed", func(t *testing.T) {
		assert.NotPanics(t, func() { Note{}.Free() })
		assert.Zero(t, Note{}.Key())
	})
}
