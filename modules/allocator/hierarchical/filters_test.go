package hierarchical

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/resources"
)

// active counts one by one.
func active(f filters, slot uint32, now moment) (n int) {
	for _, one := range f.of(slot) {
		if !one.expired(now) {
			n++
		}
	}
	return n
}

func TestTally(t *testing.T) {
	var c tally
	f, g := filters{tally: &c}, filters{tally: &c} // of two agents
	what := parsed(t, "cpus:1")
	f.add(2, what, 15, 0)
	g.add(2, what, 15, 0)
	g.add(3, what, 36000, 0)
	g.add(2, parsed(t, "cpus:3"), 100, 0) // makes the other superfluous
	assert.Equal(t, 2, c.active(2, 0))
	assert.Equal(t, 2, c.active(2, 1900*time.Millisecond), "to the second")
	assert.Equal(t, 1, c.active(2, 2*time.Second))
	assert.Equal(t, 1, c.active(3, 2*time.Second))
	f.drop(2) // was forgotten already
	assert.Equal(t, 1, c.active(2, 2*time.Second))
	g.clear()
	assert.Zero(t, c.active(2, 2*time.Second))
	assert.Zero(t, c.active(3, 2*time.Second))
	assert.Zero(t, c.active(1000, 0))
	assert.Empty(t, c.slots[2])
}

func TestMoments(t *testing.T) {
	for _, c := range []struct {
		time time.Duration
		want moment
	}{{0, 0}, {tenth - 1, 0}, {tenth, 1}, {tenth + 1, 1}, {time.Second, 10}, {13 * 365 * 24 * time.Hour, 4099680000}} {
		assert.Equal(t, c.want, momentOf(c.time), c.time)
	}
	assert.Equal(t, time.Second, moment(10).time())
}

func TestFilters(t *testing.T) {
	var number viewCounter
	see := func(text string) *view { return &view{number: number.number(), what: parsed(t, text)} }
	small, large := parsed(t, "cpus:1;mem:10"), parsed(t, "cpus:2;mem:20")
	other := parsed(t, "cpus:9")

	t.Run("without filters nothing is blocked", func(t *testing.T) {
		f := filters{tally: &tally{}}
		assert.False(t, f.block(1000, see("cpus:1"), 0))
		assert.Zero(t, active(f, 1000, 0))
		f.drop(1000)
		assert.Nil(t, f.pages)
	})
	t.Run("what is part of the refused is blocked, until the time is over", func(t *testing.T) {
		f := filters{tally: &tally{}}
		f.add(40, large, 10, 0)
		assert.True(t, f.block(40, see("cpus:2;mem:20"), 10))
		assert.True(t, f.block(40, see("mem:1"), 10))
		assert.False(t, f.block(40, see("cpus:3"), 10))
		assert.False(t, f.block(41, see("cpus:1"), 10))
		assert.Equal(t, 1, active(f, 40, 10))
		assert.Zero(t, active(f, 40, 11))
		assert.False(t, f.block(40, see("cpus:1"), 11))
		assert.False(t, f.block(40, see("cpus:1"), 5), "it is gone")
		assert.Nil(t, f.pages, "and its memory")
	})
	t.Run("several of one slot count each", func(t *testing.T) {
		f := filters{tally: &tally{}}
		f.add(3, large, 10, 0)
		f.add(3, other, 20, 0)
		assert.Equal(t, 2, active(f, 3, 10))
		v := see("cpus:5")
		assert.True(t, f.block(3, v, 10))
		assert.True(t, f.block(3, v, 10), "the answer is remembered")
		assert.False(t, f.block(3, see("cpus:1;mem:20"), 11))
		assert.Equal(t, 1, active(f, 3, 11))
		f.drop(3)
		assert.Zero(t, active(f, 3, 0))
		assert.Nil(t, f.refusals, "nothing is kept")
	})
	t.Run("one that adds nothing is not kept", func(t *testing.T) {
		for _, c := range []struct {
			about       string
			first, then resources.Resources
			until, upTo moment
			want        int
		}{
			{"less, and shorter", large, small, 10, 9, 1},
			{"the same, and longer", large, large, 10, 11, 1},
			{"more, and longer", small, large, 10, 11, 1},
			{"less, and longer", large, small, 10, 11, 2},
			{"more, and shorter", small, large, 10, 9, 2},
		} {
			f := filters{tally: &tally{}}
			f.add(0, c.first, c.until, 0)
			f.add(0, c.then, c.upTo, 0)
			assert.Equal(t, c.want, active(f, 0, 0), c.about)
			uses := 0
			for _, r := range f.refusals {
				uses += r.uses
			}
			assert.Equal(t, c.want, uses, c.about)
		}
	})
	t.Run("what many refuse is there once", func(t *testing.T) {
		f := filters{tally: &tally{}}
		for slot := range uint32(100) {
			f.add(slot, parsed(t, "cpus:1;mem:10"), 10, 0)
		}
		assert.Len(t, f.refusals, 1)
		for slot := range uint32(100) {
			f.add(slot, other, 20, 15) // the old are over
		}
		assert.Len(t, f.refusals, 2)
		assert.Len(t, f.unused, 1)
		f.add(7, small, 30, 15)
		assert.Len(t, f.refusals, 2, "the free place is used")
	})
}
