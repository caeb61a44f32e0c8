package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

func double(_ context.Context, _ *wire.Conn, method string, in *wire.Decoder, out *wire.Encoder) error {
	if method != "Double" {
		return wire.UnknownMethod("Doubler", method)
	}
	n := in.Int64()
	if err := in.Err(); err != nil {
		return err
	}
	out.Int64(2 * n)
	return nil
}

func callDouble(ctx context.Context, r *wire.Remote, n int64) (int64, error) {
	e := wire.NewEncoder()
	e.Int64(n)
	in, err := r.Call(ctx, "Double", e)
	if err != nil {
		return 0, err
	}
	return in.Int64(), in.Err()
}

func TestCall(t *testing.T) {
	p := linked(t, wire.Config{}, wire.Config{})
	t.Run("there and back, in both directions", func(t *testing.T) {
		n, err := callDouble(t.Context(), p.remote(double), 21)
		require.NoError(t, err)
		require.Equal(t, int64(42), n)
		n, err = callDouble(t.Context(), p.module.Remote(p.daemon.Export(wire.ServantFunc(double))), -4)
		require.NoError(t, err)
		require.Equal(t, int64(-8), n)
	})
	t.Run("the root", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{Root: wire.ServantFunc(double)})
		n, err := callDouble(t.Context(), p.daemon.Remote(0), 1)
		require.NoError(t, err)
		require.Equal(t, int64(2), n)
		_, err = callDouble(t.Context(), p.module.Remote(0), 1) // there is none
		require.EqualError(t, err, "method Double is not known")
	})
	t.Run("a servant's error has its identity", func(t *testing.T) {
		r := p.remote(func(context.Context, *wire.Conn, string, *wire.Decoder, *wire.Encoder) error {
			return fmt.Errorf("read: %w", io.ErrUnexpectedEOF)
		})
		in, err := r.Call(t.Context(), "Read", nil)
		require.Nil(t, in)
		require.EqualError(t, err, "read: unexpected EOF")
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
	t.Run("a method that is not known", func(t *testing.T) {
		_, err := p.remote(double).Call(t.Context(), "Halve", nil)
		var unknown *wire.UnknownMethodError
		require.ErrorAs(t, err, &unknown)
		require.Equal(t, "Doubler", unknown.Role)
		require.Equal(t, "Halve", unknown.Method)
	})
	t.Run("an object that is not there, or not any more", func(t *testing.T) {
		_, err := p.daemon.Remote(12345).Call(t.Context(), "Double", nil)
		require.Equal(t, &wire.UnknownObjectError{ID: 12345}, err)
		id := p.module.Export(wire.ServantFunc(double))
		p.module.Withdraw(id)
		_, err = p.daemon.Remote(id).Call(t.Context(), "Double", nil)
		require.Equal(t, &wire.UnknownObjectError{ID: id}, err)
		require.EqualError(t, err, fmt.Sprintf("object %d is not there, or not any more", id))
	})
	t.Run("arguments that cannot be written are not sent", func(t *testing.T) {
		e := wire.NewEncoder()
		e.Bools(make([]bool, wire.MaxElements+1))
		_, err := p.remote(double).Call(t.Context(), "Double", e)
		require.ErrorContains(t, err, "Double: value 1 cannot cross")
	})
	t.Run("results that cannot be written are an error", func(t *testing.T) {
		r := p.remote(func(_ context.Context, _ *wire.Conn, _ string, _ *wire.Decoder, out *wire.Encoder) error {
			out.Bools(make([]bool, wire.MaxElements+1))
			return nil
		})
		_, err := r.Call(t.Context(), "M", nil)
		require.ErrorContains(t, err, "value 1 cannot cross")
	})
	t.Run("arguments that cannot be read are an error of the servant, and results of the caller", func(t *testing.T) {
		e := wire.NewEncoder()
		e.String("no number")
		_, err := p.remote(double).Call(t.Context(), "Double", e)
		require.ErrorContains(t, err, "Double: value 1 that the other process sent cannot be read")
		in, err := p.remote(double).Call(t.Context(), "Double", nil)
		require.NoError(t, err)
		require.Empty(t, in.String()) // of 0 nothing is sent
		require.NoError(t, in.Err())
		e = wire.NewEncoder()
		e.Int64(3)
		in, err = p.remote(double).Call(t.Context(), "Double", e)
		require.NoError(t, err)
		require.Empty(t, in.String())
		var malformed *wire.MalformedError
		require.ErrorAs(t, in.Err(), &malformed)
		require.Equal(t, "Double", malformed.Method)
		require.Equal(t, 1, malformed.Value)
	})
	t.Run("a large one", func(t *testing.T) {
		r := p.remote(func(_ context.Context, _ *wire.Conn, _ string, in *wire.Decoder, out *wire.Encoder) error {
			out.Bytes(in.Bytes())
			return nil
		})
		e := wire.NewEncoder()
		e.Bytes([]byte(strings.Repeat("ab", 1<<20)))
		in, err := r.Call(t.Context(), "Echo", e)
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("ab", 1<<20), string(in.Bytes()))
	})
}

func TestContexts(t *testing.T) {
	t.Run("the servant's ends with the caller's", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		r := p.remote(func(ctx context.Context, _ *wire.Conn, _ string, _ *wire.Decoder, _ *wire.Encoder) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		})
		_, err := r.Call(ctx, "Wait", nil)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("the deadline crosses", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		deadline := time.Now().Add(time.Hour)
		ctx, cancel := context.WithDeadline(t.Context(), deadline)
		defer cancel()
		r := p.remote(func(ctx context.Context, _ *wire.Conn, _ string, _ *wire.Decoder, _ *wire.Encoder) error {
			there, ok := ctx.Deadline()
			if !ok || there.Sub(deadline).Abs() > time.Minute {
				return fmt.Errorf("the deadline is %v instead of %v", there, deadline)
			}
			return nil
		})
		_, err := r.Call(ctx, "Look", nil)
		require.NoError(t, err)
	})
	t.Run("the servant's ends with the connection", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		inside, ended := make(chan struct{}), make(chan error, 1)
		r := p.remote(func(ctx context.Context, _ *wire.Conn, _ string, _ *wire.Decoder, _ *wire.Encoder) error {
			close(inside)
			<-ctx.Done()
			ended <- ctx.Err()
			return nil
		})
		called := make(chan error, 1)
		go func() { _, err := r.Call(t.Context(), "Wait", nil); called <- err }()
		<-inside
		require.NoError(t, p.daemon.Close())
		require.ErrorIs(t, <-called, link.ErrEnded)
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

func TestPanics(t *testing.T) {
	p := linked(t, wire.Config{}, wire.Config{})
	call := func(t *testing.T, f func()) *wire.PanicError {
		_, err := p.remote(func(context.Context, *wire.Conn, string, *wire.Decoder, *wire.Encoder) error {
			f()
			return nil
		}).Call(t.Context(), "Explode", nil)
		var panicked *wire.PanicError
		require.ErrorAs(t, err, &panicked)
		require.PanicsWithError(t, panicked.Error(), func() { _ = wire.Returned(err) })
		require.Equal(t, "Explode", panicked.Method)
		return panicked
	}
	t.Run("with a text", func(t *testing.T) {
		got := call(t, func() { panic("boom") })
		require.EqualError(t, got, "boom")
		require.Contains(t, got.RemoteStack(), "TestPanics")
		require.NoError(t, got.Unwrap())
	})
	t.Run("with an error, which keeps its identity", func(t *testing.T) {
		got := call(t, func() { panic(fmt.Errorf("boom: %w", io.EOF)) })
		require.EqualError(t, got, "boom: EOF")
		require.ErrorIs(t, got, io.EOF)
	})
	t.Run("with nil", func(t *testing.T) {
		require.ErrorContains(t, call(t, func() { panic(nil) }), "nil")
	})
	t.Run("with a value that panics when it is printed", func(t *testing.T) {
		require.Contains(t, call(t, func() { panic(vicious{}) }).Value, "PANIC")
	})
	t.Run("with an endless text and a deep stack", func(t *testing.T) {
		var deep func(n int)
		deep = func(n int) {
			if n == 0 {
				panic(strings.Repeat("x", 1<<20))
			}
			deep(n - 1)
		}
		got := call(t, func() { deep(1000) })
		require.Len(t, got.Value, wire.MaxField)
		require.LessOrEqual(t, len(got.Stack), wire.MaxPanicStack)
	})
	t.Run("an end of the goroutine", func(t *testing.T) {
		require.ErrorContains(t, call(t, runtime.Goexit), "ended its goroutine")
	})
	t.Run("an error whose text panics", func(t *testing.T) {
		_, err := p.remote(func(context.Context, *wire.Conn, string, *wire.Decoder, *wire.Encoder) error {
			return (*vehicle.GoneError)(nil)
		}).Call(t.Context(), "M", nil)
		require.IsType(t, &wire.PanicError{}, err)
	})
	t.Run("an error that was returned is not raised", func(t *testing.T) {
		_, err := p.remote(func(context.Context, *wire.Conn, string, *wire.Decoder, *wire.Encoder) error {
			return &wire.PanicError{Value: "of another"}
		}).Call(t.Context(), "M", nil)
		require.NotPanics(t, func() { err = wire.Returned(err) })
		require.EqualError(t, err, "of another")
	})
}

type vicious struct{}

func (vicious) String() string { panic("again") }

func TestGone(t *testing.T) {
	gone := &vehicle.GoneError{Library: "/l", PID: 3, Detail: "signal SIGKILL"}
	t.Run("calls under way and later ones get what the owner says", func(t *testing.T) {
		p := linked(t, wire.Config{Gone: func() error { return gone }}, wire.Config{})
		inside := make(chan struct{})
		r := p.remote(func(ctx context.Context, _ *wire.Conn, _ string, _ *wire.Decoder, _ *wire.Encoder) error {
			close(inside)
			<-ctx.Done()
			return nil
		})
		called := make(chan error, 1)
		go func() { _, err := r.Call(t.Context(), "Wait", nil); called <- err }()
		<-inside
		require.NoError(t, p.module.Close())
		for _, err := range []error{<-called, func() error { _, err := r.Call(t.Context(), "Wait", nil); return err }()} {
			require.EqualError(t, err, "Wait: the process of library /l (pid 3) is gone: signal SIGKILL")
			require.ErrorIs(t, err, error(gone))
			require.ErrorIs(t, err, link.ErrEnded)
		}
		<-p.daemon.Done()
		require.Error(t, p.daemon.Err())
		_, err := r.Lost(func() error { return errors.New("module m is gone") }).Call(t.Context(), "Wait", nil)
		require.EqualError(t, err, "Wait: module m is gone")
		require.ErrorIs(t, err, link.ErrEnded)
	})
	t.Run("a side that closes itself within a call", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		closed := make(chan error, 1)
		_, err := p.remote(func(_ context.Context, c *wire.Conn, _ string, _ *wire.Decoder, _ *wire.Encoder) error {
			closed <- c.Close()
			return nil
		}).Call(t.Context(), "Leave", nil)
		require.ErrorIs(t, err, link.ErrEnded)
		require.NoError(t, <-closed)
		<-p.module.Done()
		<-p.daemon.Done()
	})
	t.Run("a side that is closed before it starts", func(t *testing.T) {
		c := wire.NewConn(wire.Config{})
		require.NoError(t, c.Err())
		require.NoError(t, c.Close())
		require.NoError(t, c.Close())
		<-c.Done()
		_, err := c.Remote(0).Call(t.Context(), "M", nil)
		require.ErrorIs(t, err, link.ErrEnded)
		ours, theirs, err := link.Pair()
		require.NoError(t, err)
		require.NoError(t, theirs.Close())
		_ = c.Start(ours, link.Options{})
		require.Error(t, c.Err())
	})
	t.Run("a socket that is none", func(t *testing.T) {
		ours, theirs, err := link.Pair()
		require.NoError(t, err)
		require.NoError(t, theirs.Close())
		require.NoError(t, ours.Close())
		c := wire.NewConn(wire.Config{})
		err = c.Start(ours, link.Options{})
		require.Error(t, err)
		require.Equal(t, err, c.Err())
		require.NoError(t, c.Close())
	})
}

func TestAnswersFromTheOtherSideAreNotTrusted(t *testing.T) {
	answer := []byte{}
	c := faked(t, wire.Config{}, func(context.Context, uint64, string, []byte) ([]byte, error) { return answer, nil })
	for _, bad := range [][]byte{nil, {}, {3}, {255, 1, 2}, {1, 0xff}, {2}, {2, 8, 0}, {1, 8, 5, 0x32, 2, 0xff, 0xff}} {
		answer = bad
		_, err := c.Remote(1).Call(t.Context(), "M", nil)
		require.Error(t, err, "%v", bad)
	}
	for _, fine := range [][]byte{{0}, {0, 8, 2}} {
		answer = fine
		_, err := c.Remote(1).Call(t.Context(), "M", nil)
		require.NoError(t, err)
	}
	require.NoError(t, c.Err(), "one bad answer does not end the connection")
}

func TestHello(t *testing.T) {
	newer := wire.Hello{Mesos: "1.13.0", Roles: []wire.RoleMethods{{Role: "R", Methods: []string{"A", "B", "C"}}, {Role: "S"}}}
	older := wire.Hello{Mesos: "1.12.0", Roles: []wire.RoleMethods{{Role: "R", Methods: []string{"A"}}}}
	t.Run("each side knows the other", func(t *testing.T) {
		p := linked(t, wire.Config{Hello: newer}, wire.Config{Hello: older})
		_, ok := p.daemon.Theirs()
		require.False(t, ok)
		require.NoError(t, p.daemon.Greet(t.Context()))
		theirs, ok := p.daemon.Theirs()
		require.True(t, ok)
		require.Equal(t, "1.12.0", theirs.Mesos)
		require.Equal(t, older.Roles, theirs.Roles)
		theirs, ok = p.module.Theirs()
		require.True(t, ok)
		require.Equal(t, newer.Roles, theirs.Roles)
		require.Equal(t, uint32(wire.HighestVersion), theirs.Highest)

		methods := []string{"A", "B", "C"}
		require.Equal(t, uint64(0b110), p.daemon.Remote(1).Lacks("R", methods))
		require.Equal(t, uint64(0b111), p.daemon.Remote(1).Lacks("S", methods))
		require.Equal(t, uint64(0), p.module.Remote(1).Lacks("R", methods))
		require.EqualError(t, p.daemon.Remote(1).LackingError("R", "B"),
			"method R.B is not known to the other process, which was built for Mesos 1.12.0 (this one for 1.13.0)")
		_, err := p.remote(double).Call(t.Context(), "Halve", nil)
		require.EqualError(t, err, "method Doubler.Halve is not known to the other process, which was built for Mesos 1.12.0 (this one for 1.13.0)")
	})
	t.Run("a side that has not said hello knows everything", func(t *testing.T) {
		require.Zero(t, wire.NewConn(wire.Config{}).Remote(1).Lacks("R", []string{"A"}))
	})
	t.Run("two that have no version in common", func(t *testing.T) {
		ancient := wire.Hello{Lowest: 1, Highest: 1, Mesos: "1.12.0"}
		later := wire.Hello{Lowest: 2, Highest: 3, Mesos: "1.20.0"}
		for _, p := range []pair{linked(t, wire.Config{Hello: ancient}, wire.Config{Hello: later}), linked(t, wire.Config{Hello: later}, wire.Config{Hello: ancient})} {
			var versions *wire.VersionError
			require.ErrorAs(t, p.daemon.Greet(t.Context()), &versions)
			require.ErrorContains(t, versions, "1 to 1")
			require.ErrorContains(t, versions, "2 to 3")
			_, ok := p.module.Theirs()
			require.False(t, ok)
		}
	})
	t.Run("one that is too long is cut, and one that cannot be read is refused", func(t *testing.T) {
		endless := wire.Hello{Mesos: strings.Repeat("1", 10_000)}
		for range 5000 {
			endless.Roles = append(endless.Roles, wire.RoleMethods{Role: "R", Methods: []string{strings.Repeat("m", 1000)}})
		}
		p := linked(t, wire.Config{}, wire.Config{Hello: endless})
		require.NoError(t, p.daemon.Greet(t.Context()))
		theirs, _ := p.daemon.Theirs()
		require.Len(t, theirs.Mesos, 128)
		require.Len(t, theirs.Roles, 1024)
		require.Len(t, theirs.Roles[0].Methods[0], 128)

		e := wire.NewEncoder()
		e.String("no number")
		require.Error(t, p.daemon.CallRoot(t.Context(), "hello", e))
		c := faked(t, wire.Config{}, func(context.Context, uint64, string, []byte) ([]byte, error) { return []byte{0, 10, 1, 'a'}, nil })
		var malformed *wire.MalformedError
		require.ErrorAs(t, c.Greet(t.Context()), &malformed)
	})
}

// The calls of one goroutine wait for a connection that is about to start.
func TestCallsWaitForTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := wire.NewConn(wire.Config{})
		called := make(chan error)
		go func() { _, err := c.Remote(1).Call(t.Context(), "M", nil); called <- err }()
		synctest.Wait()
		c.StartOn(&carrier{done: make(chan struct{}), answer: func(context.Context, uint64, string, []byte) ([]byte, error) {
			return nil, errors.New("it came through")
		}})
		require.EqualError(t, <-called, "M: it came through")
		require.NoError(t, c.Close())
		require.Equal(t, errCarrier, c.Err())
	})
}
