package link

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// noTime is a deadline that lets what can be done at once be done.
func noTime() time.Time { return time.Now().Add(100 * time.Millisecond) }

func TestOtherSideStopped(t *testing.T) {
	t.Run("reading: calls end with their contexts, and the link when it is closed", func(t *testing.T) {
		l, _ := against(t, echo, Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		ended := make(chan error, 200)
		for range 50 {
			for _, size := range []int{maxInline, 4 * maxInline} {
				go func() {
					_, err := l.Call(ctx, 1, "", make([]byte, size))
					ended <- err
				}()
			}
		}
		for range 100 {
			require.ErrorIs(t, await(t, ended, "the end of a call"), context.DeadlineExceeded)
		}
		for range 5 {
			go func() {
				_, err := l.Call(context.Background(), 1, "", make([]byte, maxInline))
				ended <- err
			}()
		}
		closed := make(chan error)
		go func() { closed <- l.Close() }()
		require.NoError(t, await(t, closed, "the closing"))
		for range 5 {
			require.ErrorIs(t, await(t, ended, "the end of a call"), ErrEnded)
		}
	})

	t.Run("reading answers: they wait, and so does what would make more", func(t *testing.T) {
		large := handlerFunc(func(context.Context, uint64, string, []byte) []byte { return make([]byte, 1<<20) })
		l, r := against(t, large, Options{MaxMessage: 1 << 20, MaxPending: 4 << 20, MaxCalls: 20})
		for i := range uint32(20) {
			r.write(r.calls, ask(2*i+1, request{id: uint64(i + 1)}))
		}
		for range 4 {
			r.next(r.calls) // the news that an answer is on the lane
		}
		<-l.out.met
		assert.LessOrEqual(t, len(l.in.out.take()), 4)
		closed := make(chan error)
		go func() { closed <- l.Close() }()
		require.NoError(t, await(t, closed, "the closing"))
	})

	t.Run("taking more calls: the next one waits as long as its context", func(t *testing.T) {
		started, free := make(chan struct{}, 2), make(chan struct{})
		one, _ := two(t, echo, handlerFunc(func(context.Context, uint64, string, []byte) []byte {
			started <- struct{}{}
			<-free
			return nil
		}), Options{MaxCalls: 2})
		done := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := one.Call(context.Background(), 1, "", nil)
				done <- err
			}()
			await(t, started, "the call")
		}
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err := one.Call(ctx, 1, "", nil)
		require.ErrorIs(t, err, context.Canceled)
		close(free)
		for range 2 {
			require.NoError(t, await(t, done, "the answer"))
		}
		_, err = one.Call(t.Context(), 1, "", nil)
		require.NoError(t, err, "there is room again")
	})

	t.Run("taking more bytes: the next call waits as long as its context", func(t *testing.T) {
		started, free := make(chan struct{}, 2), make(chan struct{})
		one, _ := two(t, echo, handlerFunc(func(context.Context, uint64, string, []byte) []byte {
			started <- struct{}{}
			<-free
			return nil
		}), Options{MaxMessage: 1 << 20, MaxPending: 1 << 20})
		done := make(chan error, 1)
		go func() {
			_, err := one.Call(context.Background(), 1, "", make([]byte, 1<<20))
			done <- err
		}()
		await(t, started, "the call")
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err := one.Call(ctx, 1, "", make([]byte, maxInline+1))
		require.ErrorIs(t, err, context.Canceled)
		close(free)
		require.NoError(t, await(t, done, "the answer"))
		_, err = one.Call(t.Context(), 1, "", make([]byte, 1<<20))
		require.NoError(t, err, "there is room again")
	})

	t.Run("the descriptor from not blocking: closing does not wait for a system call", func(t *testing.T) {
		l, r := alone(t, echo, Options{})
		for _, packet := range [][]byte{{handLane}, l.greeting().encode()} {
			ours, theirs, err := streamPair()
			require.NoError(t, err)
			r.owns(ours)
			kept, err := unix.Dup(theirs)
			require.NoError(t, err)
			r.owns(kept)
			require.NoError(t, r.control.hand(packet, theirs))
			await(t, l.out.metAfter(packet), "the greeting")
			require.NoError(t, unix.SetNonblock(kept, false))
		}
		closed := make(chan error)
		go func() { closed <- l.Close() }()
		require.NoError(t, await(t, closed, "the closing"))
	})
}

// metAfter is closed when a packet that is a greeting has been taken; for others at once.
func (o *outgoing) metAfter(packet []byte) <-chan struct{} {
	if packet[0] == handCalls {
		return o.met
	}
	now := make(chan struct{})
	close(now)
	return now
}

func TestNoDescriptors(t *testing.T) {
	// exhaust takes all descriptors that there are; give gives them back.
	exhaust := func(t *testing.T) (give func()) {
		var before unix.Rlimit
		require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &before))
		low := before
		low.Cur = 256
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
		var taken []int
		for {
			fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if errors.Is(err, unix.EMFILE) {
				break
			}
			require.NoError(t, err)
			taken = append(taken, fd)
		}
		given := false
		give = func() {
			if given {
				return
			}
			given = true
			closeAll(taken)
			require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &before))
		}
		t.Cleanup(give)
		return give
	}

	t.Run("a link cannot be made, and leaves nothing", func(t *testing.T) {
		for spare := range 4 {
			ours, theirs, err := Pair()
			require.NoError(t, err)
			var kept []int
			for range spare {
				fd, err := unix.Dup(int(theirs.Fd()))
				require.NoError(t, err)
				kept = append(kept, fd)
			}
			give := exhaust(t)
			closeAll(kept)
			l, err := New(ours, echo, Options{})
			give()
			if spare < 3 { // one for the control socket, then always two for a pair, of which one is given away
				require.ErrorIs(t, err, unix.EMFILE, "%d descriptors", spare)
			} else {
				require.NoError(t, err)
				require.NoError(t, l.Close())
			}
			require.NoError(t, theirs.Close())
		}
	})

	t.Run("a pair cannot be made", func(t *testing.T) {
		give := exhaust(t)
		_, _, err := Pair()
		give()
		require.ErrorIs(t, err, unix.EMFILE)
	})

	t.Run("what the other side hands over cannot be taken: the link ends with the reason", func(t *testing.T) {
		l, r := alone(t, echo, Options{})
		give := exhaust(t)
		require.NoError(t, r.control.handDuplicate([]byte{handLane}))
		await(t, l.Done(), "the end of the link")
		give()
		require.ErrorIs(t, l.Err(), unix.EMFILE)
		_, isDisorder := errors.AsType[*DisorderError](l.Err())
		assert.False(t, isDisorder, "it is not the other side's fault")
	})

	t.Run("a connection is not renewed until there are some again", func(t *testing.T) {
		ours, theirs, err := Pair()
		require.NoError(t, err)
		one := made(t, ours, echo, Options{}, 10)
		other := made(t, theirs, echo, Options{}, renewAfter)
		call := func(l *Link) {
			t.Helper()
			answer, err := l.Call(t.Context(), 1, "", []byte("x"))
			require.NoError(t, err)
			require.Equal(t, "x", string(answer))
		}
		call(one)
		call(other)
		give := exhaust(t)
		before := one.generation()
		for range 100 {
			call(one)
		}
		assert.Same(t, before, one.generation())
		// A packet that this side has no room for does no harm either.
		require.NoError(t, other.control.handDuplicate(other.greeting().encode()))
		call(one)
		call(other)
		give()
		for one.generation() == before {
			call(one)
		}
		call(other)
	})
}

// handDuplicate hands over a descriptor that stays open here, so that there is none to
// spare when it arrives.
func (c *control) handDuplicate(packet []byte) error {
	_, _, err := c.conn.WriteMsgUnix(packet, unix.UnixRights(0), nil)
	return err
}

func (l *Link) generation() *generation {
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	return l.out.current
}
