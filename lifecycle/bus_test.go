package lifecycle_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

func notice(n int) lifecycle.Notice { return lifecycle.Notice{Text: fmt.Sprint(n)} }

// publish publishes n notices.
func publish(b *lifecycle.Bus, n int) {
	for i := range n {
		b.Publish(notice(i))
	}
}

// take reads n events of a subscription and returns their types and numbers.
func take(t *testing.T, b *lifecycle.Bus, from uint64, n int) []string {
	t.Helper()
	var got []string
	for e := range b.Subscribe(t.Context(), from) {
		text := fmt.Sprint(e.Type(), " ", e.Head().Seq)
		if g, ok := e.(lifecycle.Gap); ok {
			text += fmt.Sprintf(" (%d to %d)", g.First, g.Last)
		}
		if got = append(got, text); len(got) == n {
			break
		}
	}
	return got
}

func TestBusNumbers(t *testing.T) {
	t.Run("have no gaps and rise for observers, whoever publishes", func(t *testing.T) {
		r := newRig()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { publish(r.bus, 500) })
		}
		wg.Wait()
		_, err := r.rec.Wait(t.Context(), func(e lifecycle.Event) bool { return e.Head().Seq == 4000 })
		require.NoError(t, err)
		events := r.rec.Events()
		require.Len(t, events, 4000)
		for i, e := range events {
			require.Equal(t, uint64(i+1), e.Head().Seq)
			require.False(t, i > 0 && e.Head().At.Before(events[i-1].Head().At))
		}
		assert.Equal(t, uint64(4000), r.bus.Last())
	})
	t.Run("come with the time of the clock given", func(t *testing.T) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
		bus := lifecycle.NewBus(lifecycle.BusOptions{Now: func() time.Time { return at }})
		rec := lifecycle.NewRecorder(bus)
		publish(bus, 1)
		assert.Equal(t, lifecycle.Notice{Header: lifecycle.Header{Seq: 1, At: at.UTC()}, Text: "0"}, rec.Events()[0])
	})
}

func TestSubscribe(t *testing.T) {
	small := func(n int) *lifecycle.Bus {
		b := lifecycle.NewBus(lifecycle.BusOptions{Capacity: 4})
		publish(b, n)
		return b
	}
	t.Run("replays from the number given", func(t *testing.T) {
		assert.Equal(t, []string{"Notice 2", "Notice 3", "Notice 4"}, take(t, small(4), 2, 3))
	})
	t.Run("0 is the beginning", func(t *testing.T) {
		assert.Equal(t, []string{"Notice 1", "Notice 2"}, take(t, small(2), 0, 2))
	})
	t.Run("too old a number begins with a gap", func(t *testing.T) {
		assert.Equal(t, []string{"Gap 6 (2 to 6)", "Notice 7", "Notice 8"}, take(t, small(10), 2, 3))
	})
	t.Run("going on after a gap's number repeats and misses nothing", func(t *testing.T) {
		assert.Equal(t, []string{"Notice 7"}, take(t, small(10), 6+1, 1))
	})
	t.Run("a number of an earlier run means the next event", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := small(2)
			time.AfterFunc(time.Second, func() { publish(b, 1) })
			assert.Equal(t, []string{"Notice 3"}, take(t, b, 500, 1))
		})
	})
	t.Run("goes on live after the replay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := small(1)
			time.AfterFunc(time.Second, func() { publish(b, 1) })
			time.AfterFunc(2*time.Second, func() { publish(b, 1) })
			assert.Equal(t, []string{"Notice 1", "Notice 2", "Notice 3"}, take(t, b, 1, 3))
		})
	})
	t.Run("a slow subscriber holds up nobody and is told what it missed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := small(1)
			resume := make(chan struct{})
			var got []string
			done := make(chan struct{})
			go func() {
				defer close(done)
				for e := range b.Subscribe(t.Context(), 1) {
					got = append(got, lifecycle.Line(e))
					<-resume
					if e.Head().Seq == 11 {
						return
					}
				}
			}()
			synctest.Wait() // it is inside of the loop with event 1
			publish(b, 10)  // returns although nobody reads
			close(resume)
			<-done
			assert.Equal(t, []string{
				"notice: 0", "gap: events 2 to 7 were missed",
				"notice: 6", "notice: 7", "notice: 8", "notice: 9",
			}, got)
		})
	})
	t.Run("ends with its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			n := 0
			for range small(3).Subscribe(ctx, 1) {
				n++
			}
			assert.Equal(t, 3, n)
			require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		})
	})
	t.Run("long texts shorten what is kept", func(t *testing.T) {
		b := lifecycle.NewBus(lifecycle.BusOptions{})
		panicked := lifecycle.CallPanicked{Stack: strings.Repeat("x", 8<<10)} // 1024 of these are as much as is kept
		for range 1024 + 5 {
			b.Publish(panicked)
		}
		assert.Equal(t, []string{"Gap 5 (1 to 5)", "CallPanicked 6"}, take(t, b, 1, 2))
	})
	t.Run("numbers stay right when the store grows after dropping", func(t *testing.T) {
		b := lifecycle.NewBus(lifecycle.BusOptions{})
		panicked := lifecycle.CallPanicked{Stack: strings.Repeat("x", 8<<10)}
		for range 1024 + 100 { // a store of 1024, the oldest in its midst
			b.Publish(panicked)
		}
		publish(b, 200) // drops one, and grows
		seq := b.Last() - 199
		for e := range b.Subscribe(t.Context(), seq) {
			require.Equal(t, seq, e.Head().Seq)
			require.Equal(t, notice(int(seq)-1125).Text, e.(lifecycle.Notice).Text)
			if seq++; seq > b.Last() {
				break
			}
		}
	})
	t.Run("many subscribers see the same", func(t *testing.T) {
		b := lifecycle.NewBus(lifecycle.BusOptions{})
		var wg sync.WaitGroup
		for range 8 {
			events := b.Subscribe(t.Context(), 1)
			wg.Go(func() {
				want := uint64(1)
				for e := range events {
					if !assert.Equal(t, want, e.Head().Seq) || want == 1000 {
						return
					}
					want++
				}
			})
		}
		publish(b, 1000)
		wg.Wait()
	})
}

func TestObserver(t *testing.T) {
	t.Run("may publish, subscribe, observe and ask the bus", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // a deadlock fails here at once
			r := newRig()
			r.bus.Observe(func(e lifecycle.Event) {
				if n, ok := e.(lifecycle.Notice); ok && n.Text == "0" {
					r.bus.Publish(lifecycle.Notice{Text: fmt.Sprint("after ", r.bus.Last())})
					r.bus.Observe(func(lifecycle.Event) {})()
					take(t, r.bus, 1, 2)
				}
			})
			publish(r.bus, 2)
			assert.Equal(t, []string{"notice: 0", "notice: after 1", "notice: 1"}, r.rec.Lines())
		})
	})
	t.Run("that stands behind one that publishes sees all in order", func(t *testing.T) {
		bus := lifecycle.NewBus(lifecycle.BusOptions{})
		bus.Observe(func(e lifecycle.Event) {
			if e.Head().Seq == 1 {
				bus.Publish(lifecycle.Notice{Text: "second"})
			}
		})
		rec := lifecycle.NewRecorder(bus)
		publish(bus, 1)
		assert.Equal(t, []string{"notice: 0", "notice: second"}, rec.Lines())
	})
	t.Run("has seen the event when a lone publisher goes on", func(t *testing.T) {
		r := newRig()
		publish(r.bus, 1)
		assert.Len(t, r.rec.Events(), 1)
	})
	t.Run("is removed when it asks, also from within", func(t *testing.T) {
		bus := lifecycle.NewBus(lifecycle.BusOptions{})
		n := 0
		var remove func()
		remove = bus.Observe(func(lifecycle.Event) { n++; remove() })
		publish(bus, 3)
		remove()
		assert.Equal(t, 1, n)
	})
	t.Run("sees only what comes after it", func(t *testing.T) {
		bus := lifecycle.NewBus(lifecycle.BusOptions{})
		publish(bus, 3)
		rec := lifecycle.NewRecorder(bus)
		publish(bus, 1)
		assert.Equal(t, []string{"notice: 0"}, rec.Lines())
		assert.Equal(t, uint64(4), rec.Events()[0].Head().Seq)
	})
	t.Run("that panics is removed and named", func(t *testing.T) {
		r := newRig()
		r.bus.Observe(func(lifecycle.Event) { panic("broken metric") })
		publish(r.bus, 2)
		assert.Equal(t, []string{
			"notice: 0",
			"notice: an observer panicked at event 1 and was removed: broken metric",
			"notice: 1",
		}, r.rec.Lines())
	})
	t.Run("that ends its goroutine does not end the bus", func(t *testing.T) {
		r := newRig()
		r.bus.Observe(func(lifecycle.Event) { runtime.Goexit() })
		done := make(chan struct{})
		go func() { defer close(done); publish(r.bus, 1) }()
		<-done
		publish(r.bus, 2)
		assert.Len(t, r.rec.Events(), 3)
	})
}

func TestNilBusSwallowsAll(t *testing.T) {
	var b *lifecycle.Bus
	publish(b, 3)
	b.Observe(func(lifecycle.Event) { t.Error("called") })()
	assert.Zero(t, b.Last())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range b.Subscribe(ctx, 1) {
		t.Error("an event of nothing")
	}
}

func TestEventsAreBounded(t *testing.T) {
	const most = 9 << 10 // a stack and some words
	long := strings.Repeat("x", 10<<20)
	bus := lifecycle.NewBus(lifecycle.BusOptions{})
	rec := lifecycle.NewRecorder(bus)
	for _, e := range []lifecycle.Event{
		lifecycle.PhaseEnded{Err: long}, lifecycle.StepEnded{Err: long}, lifecycle.StepAbandoned{Cause: long},
		lifecycle.StepReturnedLate{Err: long}, lifecycle.StepPanicked{Value: long}, lifecycle.StepPanicked{Stack: long},
		lifecycle.CallPanicked{Value: long}, lifecycle.CallPanicked{Stack: long},
		lifecycle.FindingReported{Text: long}, lifecycle.FindingReported{Mend: long}, lifecycle.Notice{Text: long},
		lifecycle.Notice{Text: "half of a rune: \xc3"},
	} {
		bus.Publish(e)
	}
	for i, e := range rec.Events() {
		t.Run(fmt.Sprintf("%s, event %d, is cut and valid text", e.Type(), i+1), func(t *testing.T) {
			text := fmt.Sprintf("%+v", e)
			assert.Less(t, len(text), most)
			assert.True(t, utf8.ValidString(text))
		})
	}
	t.Run("none pushes the others out of what is kept", func(t *testing.T) {
		for e := range bus.Subscribe(t.Context(), 1) {
			assert.Equal(t, uint64(1), e.Head().Seq)
			break
		}
	})
}
