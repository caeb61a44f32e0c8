package diskdu

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSchedule(t *testing.T) {
	in := func(name string, test func(t *testing.T, s *schedule)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(10*time.Second, 2)
				defer s.stop()
				test(t, s)
			})
		})
	}
	in("a job runs at once, and an interval after each end", func(t *testing.T, s *schedule) {
		began, at := time.Now(), []time.Duration{}
		s.add(0, func(context.Context) { at = append(at, time.Since(began)); <-time.After(time.Second) })
		<-time.After(25 * time.Second)
		synctest.Wait()
		assert.Equal(t, []time.Duration{0, 11 * time.Second, 22 * time.Second}, at)
	})
	in("one that takes long is left in peace for longer", func(t *testing.T, s *schedule) {
		began, at := time.Now(), []time.Duration{}
		s.add(0, func(context.Context) { at = append(at, time.Since(began)); <-time.After(10 * time.Second) })
		<-time.After(101 * time.Second)
		synctest.Wait()
		assert.Equal(t, []time.Duration{0, 50 * time.Second, 100 * time.Second}, at)
	})
	in("no more than the workers run at once, and all come about", func(t *testing.T, s *schedule) {
		var now, most, runs atomic.Int32
		for range 100 {
			s.add(0, func(context.Context) {
				most.Store(max(most.Load(), now.Add(1)))
				<-time.After(time.Millisecond)
				now.Add(-1)
				runs.Add(1)
			})
		}
		<-time.After(time.Second)
		assert.EqualValues(t, 2, most.Load())
		assert.EqualValues(t, 100, runs.Load())
	})
	in("remove interrupts a job and keeps it from coming again", func(t *testing.T, s *schedule) {
		runs := 0
		interrupted := false
		j := s.add(0, func(ctx context.Context) { runs++; <-ctx.Done(); interrupted = true })
		waiting := s.add(time.Second, func(context.Context) { t.Error("it was removed") })
		synctest.Wait()
		s.remove(j)
		s.remove(waiting)
		<-time.After(time.Minute)
		synctest.Wait()
		assert.Equal(t, 1, runs)
		assert.True(t, interrupted)
	})
	in("hurry brings a job forward, and has a running one come again", func(t *testing.T, s *schedule) {
		began, at := time.Now(), []time.Duration{}
		j := s.add(5*time.Second, func(context.Context) { at = append(at, time.Since(began)); <-time.After(time.Second) })
		<-time.After(time.Second)
		s.hurry(j)
		<-time.After(500 * time.Millisecond)
		s.hurry(j)
		<-time.After(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, []time.Duration{time.Second, 2 * time.Second}, at)
	})
	in("stop interrupts and waits", func(t *testing.T, s *schedule) {
		ended := false
		s.add(0, func(ctx context.Context) { <-ctx.Done(); ended = true })
		synctest.Wait()
		s.stop()
		assert.True(t, ended)
	})
}
