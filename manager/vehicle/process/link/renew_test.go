package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRenewal(t *testing.T) {
	t.Run("loses no call, whoever calls", func(t *testing.T) {
		ours, theirs, err := Pair()
		require.NoError(t, err)
		one := made(t, ours, echo, Options{}, 10)
		other := made(t, theirs, echo, Options{}, 10)
		first := one.generation()
		var all sync.WaitGroup
		for g := range uint64(16) {
			l := one
			if g%2 == 1 {
				l = other
			}
			all.Go(func() {
				for i := range uint64(300) {
					size := 16
					if i%50 == 0 {
						size = 2 * maxInline
					}
					args := make([]byte, size)
					binary.BigEndian.PutUint64(args, g)
					binary.BigEndian.PutUint64(args[8:], i)
					answer, err := l.Call(context.Background(), g, "", bytes.Clone(args))
					if !assert.NoError(t, err) || !assert.True(t, bytes.Equal(args, answer)) {
						return
					}
				}
			})
		}
		all.Wait()
		assert.NotSame(t, first, one.generation())
		one.out.mu.Lock()
		defer one.out.mu.Unlock()
		assert.Zero(t, one.out.old, "those before are given back")
		assert.LessOrEqual(t, one.out.current.calls, 2400)
	})

	t.Run("gives the sockets back", func(t *testing.T) {
		ours, theirs, err := Pair()
		require.NoError(t, err)
		one := made(t, ours, echo, Options{}, 10)
		other := made(t, theirs, echo, Options{}, renewAfter)
		before := descriptorsOpen(t)
		seen := map[*generation]bool{}
		for len(seen) < 20 {
			_, err := one.Call(t.Context(), 1, "", nil)
			require.NoError(t, err)
			seen[one.generation()] = true
		}
		for connections(other) > 2 { // the other side closes its ends when it sees the end of ours
			_, err := other.Call(t.Context(), 1, "", nil)
			require.NoError(t, err)
		}
		assert.LessOrEqual(t, descriptorsOpen(t), before+6)
	})

	t.Run("waits for calls that last, and stops while many do", func(t *testing.T) {
		free, started := make(chan struct{}), make(chan struct{})
		ours, theirs, err := Pair()
		require.NoError(t, err)
		one := made(t, ours, echo, Options{}, 10)
		made(t, theirs, handlerFunc(func(_ context.Context, object uint64, _ string, args []byte) []byte {
			if object == 1 {
				started <- struct{}{}
				<-free
			}
			return args
		}), Options{}, renewAfter)
		answers := make(chan error, 3*maxOld)
		for range 3 * maxOld {
			go func() {
				answer, err := one.Call(context.Background(), 1, "", []byte("x"))
				if err == nil && len(answer) != 1 {
					err = errMalformed
				}
				answers <- err
			}()
			await(t, started, "the call")
			for range 40 {
				_, err := one.Call(t.Context(), 2, "", nil)
				require.NoError(t, err)
			}
			one.out.mu.Lock()
			assert.LessOrEqual(t, one.out.old, maxOld)
			one.out.mu.Unlock()
		}
		close(free)
		for range 3 * maxOld {
			require.NoError(t, await(t, answers, "the answer"))
		}
	})
}

// connections is how many of the other side's connections a link answers on.
func connections(l *Link) int {
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	return l.in.live
}
