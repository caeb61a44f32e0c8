package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// Nothing that the other side does may come out at the standard error.
func TestMain(m *testing.M) {
	var said bytes.Buffer
	logrus.SetOutput(&said)
	goleak.VerifyTestMain(quiet{m, &said})
}

type quiet struct {
	m    *testing.M
	said *bytes.Buffer
}

func (q quiet) Run() int {
	code := q.m.Run()
	if q.said.Len() > 0 {
		fmt.Fprintln(os.Stderr, "ttrpc said:", q.said.String())
		return 1
	}
	return code
}

type handlerFunc func(ctx context.Context, object uint64, method string, args []byte) []byte

func (f handlerFunc) Handle(ctx context.Context, object uint64, method string, args []byte) []byte {
	return f(ctx, object, method, args)
}

var echo = handlerFunc(func(_ context.Context, _ uint64, _ string, args []byte) []byte { return args })

const limit = 20 * time.Second // for what is to happen at once

// made makes a link that renews its connection after so many calls.
func made(t testing.TB, control *os.File, h Handler, o Options, renewAfter int) *Link {
	t.Helper()
	l, err := newLink(control, h, o, renewAfter, 50*time.Millisecond)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// two makes both sides of a link.
func two(t testing.TB, a, b Handler, o Options) (one, other *Link) {
	t.Helper()
	ours, theirs, err := Pair()
	require.NoError(t, err)
	return made(t, ours, a, o, renewAfter), made(t, theirs, b, o, renewAfter)
}

func await[T any](t testing.TB, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(limit):
		buffer := make([]byte, 1<<20)
		require.FailNow(t, what+" did not happen", string(buffer[:runtime.Stack(buffer, true)]))
	}
	return v
}

func TestCall(t *testing.T) {
	t.Run("carries messages of all sizes in both directions", func(t *testing.T) {
		one, other := two(t, echo, echo, Options{})
		for _, l := range []*Link{one, other} {
			for _, size := range []int{0, 1, 8, 4096, maxInline, maxInline + 1, 1 << 20, 10 << 20} {
				args := make([]byte, size)
				for i := range size / 8 {
					binary.BigEndian.PutUint64(args[8*i:], uint64(i))
				}
				for _, ctx := range []context.Context{context.Background(), t.Context()} {
					answer, err := l.Call(ctx, 1, "m", bytes.Clone(args))
					require.NoError(t, err)
					require.True(t, bytes.Equal(args, answer), "%d bytes", size)
				}
			}
		}
	})

	t.Run("tells the object and the method", func(t *testing.T) {
		one, _ := two(t, echo, handlerFunc(func(_ context.Context, object uint64, method string, args []byte) []byte {
			return fmt.Appendf(nil, "%d %s %s", object, method, args)
		}), Options{})
		for _, object := range []uint64{0, 1, 1 << 63} {
			answer, err := one.Call(t.Context(), object, "Compute", []byte("x"))
			require.NoError(t, err)
			assert.Equal(t, fmt.Sprint(object, " Compute x"), string(answer))
		}
	})

	t.Run("may call back from within a handler, deeply", func(t *testing.T) {
		var one, other *Link
		ready := make(chan struct{})
		down := func(to **Link) Handler {
			return handlerFunc(func(ctx context.Context, depth uint64, _ string, args []byte) []byte {
				<-ready
				if depth == 0 {
					return args
				}
				answer, err := (*to).Call(ctx, depth-1, "", append(args, byte(depth)))
				if err != nil {
					return []byte(err.Error())
				}
				return answer
			})
		}
		one, other = two(t, down(&other), down(&one), Options{})
		close(ready)
		answer, err := one.Call(t.Context(), 200, "", make([]byte, maxInline))
		require.NoError(t, err)
		assert.Len(t, answer, maxInline+200)
	})

	t.Run("keeps the order of a goroutine's calls", func(t *testing.T) {
		seen := make(chan uint64, 1) // full if a call came that is not due
		one, _ := two(t, echo, handlerFunc(func(_ context.Context, object uint64, _ string, _ []byte) []byte {
			seen <- object
			return nil
		}), Options{})
		for i := range uint64(500) {
			_, err := one.Call(context.Background(), i, "", nil)
			require.NoError(t, err)
			require.Equal(t, i, await(t, seen, "the call"))
		}
	})

	t.Run("keeps many calls at once apart", func(t *testing.T) {
		one, other := two(t, echo, echo, Options{})
		var all sync.WaitGroup
		for g := range 32 {
			l := one
			if g%2 == 1 {
				l = other
			}
			all.Go(func() {
				for i := range 100 {
					size := 10
					if i%20 == 0 {
						size = 3 * maxInline
					}
					args := bytes.Repeat([]byte{byte(g), byte(i)}, size)
					answer, err := l.Call(t.Context(), 1, "", bytes.Clone(args))
					if !assert.NoError(t, err) || !assert.True(t, bytes.Equal(args, answer)) {
						return
					}
				}
			})
		}
		all.Wait()
	})
}

func TestTooLarge(t *testing.T) {
	ours, theirs, err := Pair()
	require.NoError(t, err)
	small := Options{MaxMessage: 100_000}
	large := handlerFunc(func(_ context.Context, object uint64, _ string, _ []byte) []byte { return make([]byte, object) })
	one := made(t, ours, large, Options{}, renewAfter)
	other := made(t, theirs, large, small, renewAfter)

	for _, c := range []struct {
		name   string
		from   *Link
		answer uint64
		method string
		args   int
		want   *TooLargeError
	}{
		{"arguments for the side that takes less", one, 0, "", 100_001, &TooLargeError{"arguments", 100_001, 100_000}},
		{"arguments for the side that takes more", other, 0, "", 64<<20 + 1, &TooLargeError{"arguments", 64<<20 + 1, 64 << 20}},
		{"an answer that the caller does not take", other, 100_001, "", 0, &TooLargeError{"answer", 100_001, 100_000}},
		{"an answer that the other side does not take", one, 100_001, "", 0, &TooLargeError{"answer", 100_001, 100_000}},
		{"a name", one, 0, string(make([]byte, maxMethod+1)), 0, &TooLargeError{"name of the method", maxMethod + 1, maxMethod}},
		{"the largest arguments", one, 0, string(make([]byte, maxMethod)), 100_000, nil},
		{"the largest answer", other, 100_000, "", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.from.Call(t.Context(), c.answer, c.method, make([]byte, c.args))
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			got, ok := errors.AsType[*TooLargeError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, c.want, got)
			assert.Contains(t, err.Error(), fmt.Sprint(c.want.Limit))
			assert.NoError(t, c.from.Err(), "the link goes on")
		})
	}
}

func TestHandlerFails(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func()
		want string
	}{
		{"panic", func() { panic("out of luck") }, "panic: out of luck"},
		{"panic with an error", func() { panic(io.ErrNoProgress) }, io.ErrNoProgress.Error()},
		{"end of the goroutine", runtime.Goexit, "ended its goroutine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, _ := two(t, echo, handlerFunc(func(_ context.Context, object uint64, _ string, args []byte) []byte {
				if object == 1 {
					c.do()
				}
				return args
			}), Options{})
			_, err := one.Call(t.Context(), 1, "", nil)
			fault, ok := errors.AsType[*FaultError](err)
			require.True(t, ok, "%v", err)
			assert.Contains(t, fault.Text, c.want)
			assert.LessOrEqual(t, len(fault.Text), maxFault)

			answer, err := one.Call(t.Context(), 2, "", []byte("on"))
			require.NoError(t, err, "the process lives")
			assert.Equal(t, "on", string(answer))
		})
	}
}

func TestEnd(t *testing.T) {
	t.Run("a call after the end fails at once", func(t *testing.T) {
		one, other := two(t, echo, echo, Options{})
		require.NoError(t, one.Close())
		await(t, other.Done(), "the end of the other side")
		require.ErrorIs(t, one.Err(), net.ErrClosed)
		require.ErrorIs(t, other.Err(), io.EOF)
		for _, ctx := range []context.Context{context.Background(), t.Context()} {
			_, err := one.Call(ctx, 1, "", nil)
			require.ErrorIs(t, err, ErrEnded)
			require.ErrorIs(t, err, net.ErrClosed)
			_, err = other.Call(ctx, 1, "", make([]byte, 2*maxInline))
			require.ErrorIs(t, err, ErrEnded)
			require.ErrorIs(t, err, io.EOF)
		}
		require.NoError(t, one.Close(), "a second time")
	})

	t.Run("there is no reason while the link lives", func(t *testing.T) {
		one, _ := two(t, echo, echo, Options{})
		_, err := one.Call(t.Context(), 1, "", nil)
		require.NoError(t, err)
		require.NoError(t, one.Err())
		select {
		case <-one.Done():
			require.Fail(t, "it has ended")
		default:
		}
	})

	t.Run("calls under way fail at once, on both sides, and handlers are told", func(t *testing.T) {
		started, over := make(chan struct{}, 20), make(chan error, 20)
		hang := handlerFunc(func(ctx context.Context, _ uint64, _ string, _ []byte) []byte {
			started <- struct{}{}
			<-ctx.Done()
			over <- context.Cause(ctx)
			return make([]byte, 2*maxInline)
		})
		one, other := two(t, hang, hang, Options{})
		failed := make(chan error, 20)
		for _, l := range []*Link{one, other} {
			for _, size := range []int{0, 2 * maxInline} {
				go func() {
					_, err := l.Call(context.Background(), 1, "", make([]byte, size))
					failed <- err
				}()
				go func() {
					_, err := l.Call(t.Context(), 1, "", make([]byte, size))
					failed <- err
				}()
			}
		}
		for range 8 {
			await(t, started, "the call")
		}
		require.NoError(t, one.Close())
		for range 8 {
			require.ErrorIs(t, await(t, failed, "the end of the call"), ErrEnded)
			require.Error(t, await(t, over, "the end of the handler"))
		}
	})

	t.Run("closing does not wait for a handler that hangs", func(t *testing.T) {
		started, free := make(chan struct{}), make(chan struct{})
		one, other := two(t, echo, handlerFunc(func(context.Context, uint64, string, []byte) []byte {
			close(started)
			<-free
			return nil
		}), Options{})
		go one.Call(context.Background(), 1, "", nil) //nolint:errcheck // it cannot come to anything
		await(t, started, "the call")
		require.NoError(t, other.Close())
		close(free)
	})

	t.Run("a handler may close its own link", func(t *testing.T) {
		var other *Link
		ready, closed := make(chan struct{}), make(chan error, 1)
		one, other := two(t, echo, handlerFunc(func(context.Context, uint64, string, []byte) []byte {
			<-ready
			closed <- other.Close()
			return nil
		}), Options{})
		close(ready)
		_, err := one.Call(context.Background(), 1, "", nil)
		require.ErrorIs(t, err, ErrEnded)
		require.NoError(t, await(t, closed, "the closing"))
	})

	t.Run("a call before the other side has come waits, as long as its context", func(t *testing.T) {
		ours, theirs, err := Pair()
		require.NoError(t, err)
		one := made(t, ours, echo, Options{}, renewAfter)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(io.ErrNoProgress)
		_, err = one.Call(ctx, 1, "", nil)
		require.ErrorIs(t, err, io.ErrNoProgress)
		answered := make(chan error, 1)
		go func() {
			_, err := one.Call(context.Background(), 1, "", nil)
			answered <- err
		}()
		made(t, theirs, echo, Options{}, renewAfter)
		require.NoError(t, await(t, answered, "the answer"))
	})

	t.Run("a call whose other side never comes ends with the link", func(t *testing.T) {
		ours, theirs, err := Pair()
		require.NoError(t, err)
		one := made(t, ours, echo, Options{}, renewAfter)
		failed := make(chan error, 1)
		go func() {
			_, err := one.Call(context.Background(), 1, "", nil)
			failed <- err
		}()
		require.NoError(t, theirs.Close())
		require.ErrorIs(t, await(t, failed, "the end of the call"), ErrEnded)
		require.ErrorIs(t, one.Err(), io.EOF)
	})
}

func BenchmarkCall(b *testing.B) {
	one, _ := two(b, echo, echo, Options{})
	for _, size := range []int{8, 1 << 20} {
		for _, c := range []struct {
			name string
			ctx  context.Context
		}{{"no end", context.Background()}, {"cancellable", b.Context()}} {
			b.Run(fmt.Sprint(size, " bytes, ", c.name), func(b *testing.B) {
				args := make([]byte, size)
				b.ReportAllocs()
				for b.Loop() {
					answer, err := one.Call(c.ctx, 1, "m", append(Buffer(size), args...))
					if err != nil {
						b.Fatal(err)
					}
					Recycle(answer)
				}
			})
		}
	}
}
