package link

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestAsking(t *testing.T) {
	never := func() (bool, error) { return false, unix.EAGAIN }
	// after makes something that succeeds after so many attempts.
	after := func(n int) func() (bool, error) {
		return func() (bool, error) {
			if n--; n < 0 {
				return true, nil
			}
			return false, unix.EAGAIN
		}
	}

	t.Run("goes on until it is answered", func(t *testing.T) {
		d := direction{spin: time.Hour}
		assert.True(t, d.ask(after(1000)))
		assert.Zero(t, d.misses)
	})
	t.Run("stops after its time", func(t *testing.T) {
		d := direction{spin: time.Microsecond}
		assert.False(t, d.ask(never))
		assert.Equal(t, 1, d.misses)
	})
	t.Run("is not done where it is not wanted", func(t *testing.T) {
		d := direction{spin: -1}
		assert.False(t, d.ask(after(1)))
	})
	t.Run("is done every eighth time where it was in vain, and always after one that was not", func(t *testing.T) {
		d := direction{spin: time.Hour, misses: missesAllowed}
		var asked []int
		for i := range 20 {
			before := d.misses
			if d.misses == missesApart || d.misses == 2*missesApart {
				d.spin = time.Nanosecond // in vain again
			}
			if d.spin == time.Nanosecond {
				assert.False(t, d.ask(never))
				d.spin = time.Hour
				asked = append(asked, i)
				continue
			}
			assert.False(t, d.ask(after(1)), "%d misses", before)
		}
		assert.Equal(t, []int{4, 12}, asked)
		assert.True(t, d.ask(after(1)), "24 misses")
		assert.Zero(t, d.misses)
		assert.True(t, d.ask(after(1)))
	})
	t.Run("stands over signals and reports errors", func(t *testing.T) {
		d := direction{spin: time.Hour}
		interrupted := 3
		assert.True(t, d.ask(func() (bool, error) {
			if interrupted--; interrupted >= 0 {
				return false, unix.EINTR
			}
			return false, unix.EPIPE
		}))
		assert.Equal(t, unix.EPIPE, d.err)
	})
}

func TestConn(t *testing.T) {
	pair := func(t *testing.T, spin time.Duration) (a, b *conn) {
		ours, theirs, err := streamPair()
		require.NoError(t, err)
		a, err = newConn(ours, "a", spin)
		require.NoError(t, err)
		b, err = newConn(theirs, "b", spin)
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		return a, b
	}
	for _, spin := range []time.Duration{-1, 50 * time.Microsecond} {
		t.Run("writes all of its parts, whatever the socket takes at once, spin "+spin.String(), func(t *testing.T) {
			a, b := pair(t, spin)
			parts := [][]byte{[]byte("head"), nil, bytes.Repeat([]byte("body"), 1<<20), {}, []byte("tail")}
			want := bytes.Join(parts, nil)
			written := make(chan error, 1)
			go func() { written <- a.writeParts(parts) }()
			got := make([]byte, len(want))
			_, err := io.ReadFull(b, got)
			require.NoError(t, err)
			require.NoError(t, await(t, written, "the writing"))
			assert.True(t, bytes.Equal(want, got))
		})
		t.Run("reports the end, spin "+spin.String(), func(t *testing.T) {
			a, b := pair(t, spin)
			require.NoError(t, a.Close())
			_, err := b.Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err)
			_, err = b.Write([]byte("x"))
			require.ErrorIs(t, err, unix.EPIPE)
			assert.True(t, left(err))
		})
		t.Run("is freed by its own closing, spin "+spin.String(), func(t *testing.T) {
			a, _ := pair(t, spin)
			failed := make(chan error, 2)
			go func() {
				_, err := a.Read(make([]byte, 1))
				failed <- err
			}()
			go func() {
				_, err := a.Write(make([]byte, 8<<20))
				failed <- err
			}()
			require.NoError(t, a.Close())
			require.Error(t, await(t, failed, "the end of the reading or writing"))
			require.Error(t, await(t, failed, "the end of the reading or writing"))
		})
	}
	t.Run("reads nothing into nothing", func(t *testing.T) {
		a, _ := pair(t, -1)
		n, err := a.Read(nil)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}
