package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// across is err as the other side has it.
func across(t *testing.T, err error, more ...wire.Identity) error {
	t.Helper()
	got, malformed := wire.DecodeError(wire.EncodeError(err, more...), more...)
	require.NoError(t, malformed)
	return got
}

type claims struct{ of error }

func (c claims) Error() string        { return "it is like " + c.of.Error() }
func (c claims) Is(target error) bool { return target == c.of }

type loop struct{}

func (l loop) Error() string { return "loop" }
func (l loop) Unwrap() error { return l }

func TestErrors(t *testing.T) {
	t.Run("those that somebody decides by are the same on the other side", func(t *testing.T) {
		for _, known := range wire.Identities() {
			require.True(t, across(t, known.Error) == known.Error, known.Name)
			wrapped := across(t, fmt.Errorf("open the file: %w", known.Error))
			require.EqualError(t, wrapped, "open the file: "+known.Error.Error())
			require.ErrorIs(t, wrapped, known.Error)
			require.True(t, errors.Unwrap(wrapped) == known.Error, known.Name)
			for _, other := range wire.Identities() {
				require.Equal(t, other.Error == known.Error, errors.Is(wrapped, other.Error), "%s is %s", known.Name, other.Name)
			}
		}
	})
	t.Run("names are unique and stand in order", func(t *testing.T) {
		all := wire.Identities()
		for i := 1; i < len(all); i++ {
			require.Less(t, all[i-1].Name, all[i].Name)
		}
	})
	t.Run("a text is a text", func(t *testing.T) {
		err := across(t, errors.New("no such thing"))
		require.EqualError(t, err, "no such thing")
		require.NotErrorIs(t, err, fs.ErrNotExist)
		require.NoError(t, errors.Unwrap(err))
	})
	t.Run("the tree of what is wrapped and joined", func(t *testing.T) {
		gone := &vehicle.GoneError{Module: "m", Library: "/lib", PID: 7, End: vehicle.EndSignaled, Detail: "signal SIGSEGV", Said: "ouch"}
		err := fmt.Errorf("start: %w", errors.Join(
			fmt.Errorf("one and %w, two and %w", io.EOF, context.Canceled),
			&fs.PathError{Op: "open", Path: "/p", Err: syscall.ENOENT},
			fmt.Errorf("call: %w", gone),
		))
		got := across(t, err)
		require.EqualError(t, got, err.Error())
		require.ErrorIs(t, got, io.EOF)
		require.ErrorIs(t, got, context.Canceled)
		require.ErrorIs(t, got, syscall.ENOENT)
		require.ErrorIs(t, got, fs.ErrNotExist)
		require.NotErrorIs(t, got, fs.ErrExist)
		var back *vehicle.GoneError
		require.ErrorAs(t, got, &back)
		require.Equal(t, gone, back)
		joined := errors.Unwrap(got).(interface{ Unwrap() []error }).Unwrap()
		require.Len(t, joined, 3)
		require.Len(t, joined[0].(interface{ Unwrap() []error }).Unwrap(), 2)

		t.Run("also the second time", func(t *testing.T) {
			require.Equal(t, got, across(t, got))
		})
	})
	t.Run("a number of the system", func(t *testing.T) {
		require.Equal(t, syscall.EAGAIN, across(t, syscall.EAGAIN))
		require.True(t, across(t, syscall.EAGAIN).(syscall.Errno).Temporary())
		require.ErrorIs(t, across(t, os.NewSyscallError("mount", syscall.EPERM)), fs.ErrPermission)
	})
	t.Run("one that says itself what it is", func(t *testing.T) {
		got := across(t, claims{fs.ErrPermission})
		require.EqualError(t, got, "it is like permission denied")
		require.ErrorIs(t, got, fs.ErrPermission)
		require.NotErrorIs(t, got, fs.ErrExist)
	})
	t.Run("the owner's, also by way of a side that does not know them", func(t *testing.T) {
		unbound := errors.New("no module is bound")
		ours := wire.Identity{Name: "handle.ErrUnbound", Error: unbound}
		there, malformed := wire.DecodeError(wire.EncodeError(fmt.Errorf("site: %w", unbound), ours))
		require.NoError(t, malformed)
		require.NotErrorIs(t, there, unbound)
		back, malformed := wire.DecodeError(wire.EncodeError(fmt.Errorf("again: %w", there)), ours)
		require.NoError(t, malformed)
		require.EqualError(t, back, "again: site: no module is bound")
		require.ErrorIs(t, back, unbound)
	})
	t.Run("those of this package keep their types", func(t *testing.T) {
		method := &wire.UnknownMethodError{Role: "Hook", Method: "X", Ours: "1.12.0", Theirs: "1.11.0"}
		require.Equal(t, method, across(t, method))
		require.Equal(t, &wire.UnknownObjectError{ID: 9}, across(t, &wire.UnknownObjectError{ID: 9}))
		require.Equal(t, &wire.PanicError{Method: "M", Value: "v", Stack: "s"}, across(t, &wire.PanicError{Method: "M", Value: "v", Stack: "s"}))
	})
	t.Run("a kind that only a newer side knows is read as a text", func(t *testing.T) {
		e := wire.NewEncoder()
		e.Uint32(1000)
		e.String("something new")
		b, err := e.Encoded()
		require.NoError(t, err)
		got, malformed := wire.DecodeError(b)
		require.NoError(t, malformed)
		require.EqualError(t, got, "something new")
	})
}

func TestErrorsAreBounded(t *testing.T) {
	t.Run("long", func(t *testing.T) {
		text := strings.Repeat("世", 100_000)
		got := across(t, errors.New(text)).Error()
		require.LessOrEqual(t, len(got), wire.MaxErrorText)
		require.Greater(t, len(got), wire.MaxErrorText-8)
		require.Equal(t, strings.Repeat("世", (len(got)-3)/3)+"…", got)
	})
	t.Run("deep", func(t *testing.T) {
		err := io.EOF
		for range 1000 {
			err = fmt.Errorf("x: %w", err)
		}
		got := across(t, err)
		depth := 0
		for e := got; e != nil; e = errors.Unwrap(e) {
			depth++
		}
		require.Equal(t, wire.MaxErrorDepth, depth)
		require.EqualError(t, got, err.Error())
	})
	t.Run("wrapping itself", func(t *testing.T) {
		require.EqualError(t, across(t, loop{}), "loop")
	})
	t.Run("wide", func(t *testing.T) {
		var all []error
		for i := range 1000 {
			all = append(all, fmt.Errorf("error %d %s", i, strings.Repeat("y", 2000)))
		}
		got := across(t, errors.Join(errors.Join(all...), errors.Join(all...)))
		count, texts := 0, 0
		var walk func(error)
		walk = func(err error) {
			count++
			texts += len(err.Error())
			if j, ok := err.(interface{ Unwrap() []error }); ok {
				for _, e := range j.Unwrap() {
					walk(e)
				}
			}
		}
		walk(got)
		require.Equal(t, wire.MaxErrors, count)
		require.LessOrEqual(t, texts, wire.MaxErrorTexts+wire.MaxErrors*len("…"))
	})
	t.Run("nil among those that are joined", func(t *testing.T) {
		got := across(t, fmt.Errorf("%w and %w", io.EOF, error(nil)))
		require.ErrorIs(t, got, io.EOF)
	})
	t.Run("a tree from the other side that is too large, or cut, or changed", func(t *testing.T) {
		b := wire.EncodeError(fmt.Errorf("a: %w", errors.Join(io.EOF, syscall.EPERM, &vehicle.GoneError{Module: "m", Detail: "d"})))
		for i := range b {
			_, _ = wire.DecodeError(b[:i:i])
			for bit := range 8 {
				changed := append([]byte(nil), b...)
				changed[i] ^= 1 << bit
				err, malformed := wire.DecodeError(changed)
				require.Error(t, err)
				if malformed == nil {
					require.NotPanics(t, func() { _ = fmt.Sprintf("%v %v", err, errors.Unwrap(err)) })
				}
			}
		}
		for range wire.MaxErrorDepth + 1 {
			e := wire.NewEncoder()
			e.Uint32(0)
			e.String("x")
			e.Strings(nil)
			e.BytesList([][]byte{b})
			b, _ = e.Encoded()
		}
		_, malformed := wire.DecodeError(b)
		assert.ErrorContains(t, malformed, "wraps too many others")
	})
}
