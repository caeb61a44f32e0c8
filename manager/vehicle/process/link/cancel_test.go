package link

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCancel(t *testing.T) {
	t.Run("reaches the handler, whose last word is heard", func(t *testing.T) {
		started := make(chan struct{}, 1)
		one, _ := two(t, echo, handlerFunc(func(ctx context.Context, _ uint64, _ string, args []byte) []byte {
			started <- struct{}{}
			<-ctx.Done()
			return []byte(context.Cause(ctx).Error())
		}), Options{})
		one.grace = limit
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-started
				cancel()
			}()
			answer, err := one.Call(ctx, 1, "", nil)
			require.NoError(t, err)
			assert.Equal(t, errRecalled.Error(), string(answer))
		}
	})

	t.Run("that comes with the call reaches it all the same", func(t *testing.T) {
		one, _ := two(t, echo, handlerFunc(func(ctx context.Context, _ uint64, _ string, args []byte) []byte {
			<-ctx.Done()
			return args
		}), Options{})
		one.grace = limit
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			answer, err := one.Call(ctx, 1, "", make([]byte, 2*maxInline))
			if err == nil {
				assert.Len(t, answer, 2*maxInline)
				continue
			}
			require.ErrorIs(t, err, context.Canceled, "it ended before it was sent")
		}
	})

	t.Run("is not waited for longer than the grace, and the link goes on", func(t *testing.T) {
		started, free := make(chan struct{}, 2), make(chan struct{})
		one, _ := two(t, echo, handlerFunc(func(_ context.Context, object uint64, _ string, args []byte) []byte {
			if object == 1 {
				started <- struct{}{}
				<-free
			}
			return args
		}), Options{})
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := make(chan error, 2)
		for _, size := range []int{1, 2 * maxInline} {
			go func() {
				_, err := one.Call(ctx, 1, "", make([]byte, size))
				cause <- err
			}()
		}
		await(t, started, "a call")
		await(t, started, "a call")
		cancel(io.ErrNoProgress)
		require.Equal(t, io.ErrNoProgress, await(t, cause, "the end of the call"))
		require.Equal(t, io.ErrNoProgress, await(t, cause, "the end of the call"))
		close(free) // both are answered now, to nobody
		for _, size := range []int{1, 2 * maxInline} {
			answer, err := one.Call(t.Context(), 2, "", make([]byte, size))
			require.NoError(t, err)
			require.Len(t, answer, size)
		}
	})

	t.Run("of one call leaves the others alone", func(t *testing.T) {
		started, free := make(chan struct{}, 2), make(chan struct{})
		one, _ := two(t, echo, handlerFunc(func(ctx context.Context, _ uint64, _ string, _ []byte) []byte {
			started <- struct{}{}
			select {
			case <-ctx.Done():
				return []byte("recalled")
			case <-free:
				return []byte("answered")
			}
		}), Options{})
		one.grace = limit
		ctx, cancel := context.WithCancel(t.Context())
		answers := [2]chan string{make(chan string, 1), make(chan string, 1)}
		for i, ctx := range []context.Context{ctx, t.Context()} {
			go func() {
				answer, _ := one.Call(ctx, 1, "", nil)
				answers[i] <- string(answer)
			}()
		}
		await(t, started, "a call")
		await(t, started, "a call")
		cancel()
		assert.Equal(t, "recalled", await(t, answers[0], "the answer"))
		close(free)
		assert.Equal(t, "answered", await(t, answers[1], "the answer"))
	})
}

func TestDeadline(t *testing.T) {
	left := make(chan time.Duration, 1)
	one, _ := two(t, echo, handlerFunc(func(ctx context.Context, object uint64, _ string, _ []byte) []byte {
		deadline, ok := ctx.Deadline()
		if !ok {
			left <- -1
			return nil
		}
		left <- time.Until(deadline)
		if object == 1 {
			<-ctx.Done()
			return []byte(ctx.Err().Error())
		}
		return nil
	}), Options{})
	one.grace = limit

	t.Run("crosses as the time that is left", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := one.Call(ctx, 0, "", nil)
		require.NoError(t, err)
		got := await(t, left, "the call")
		assert.LessOrEqual(t, got, time.Hour)
		assert.Greater(t, got, time.Hour-limit)
	})
	t.Run("ends the handler's context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		answer, err := one.Call(ctx, 1, "", nil)
		require.NoError(t, err)
		assert.Less(t, await(t, left, "the call"), limit)
		assert.Contains(t, []string{context.DeadlineExceeded.Error(), context.Canceled.Error()}, string(answer))
	})
	t.Run("is absent where the caller has none", func(t *testing.T) {
		_, err := one.Call(t.Context(), 0, "", nil)
		require.NoError(t, err)
		assert.Negative(t, await(t, left, "the call"))
	})
}
