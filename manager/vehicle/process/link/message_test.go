package link

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequest(t *testing.T) {
	for _, r := range []request{
		{id: 1},
		{id: math.MaxUint64, flags: cancellable, object: math.MaxUint64, method: "Compute"},
		{id: 7, flags: hasDeadline, timeout: math.MaxInt64},
		{id: 7, flags: hasDeadline | onLane | cancellable, timeout: time.Second, object: 300, method: string(bytes.Repeat([]byte("m"), maxMethod)), size: 1 << 40},
	} {
		contents := r.encode()
		if r.flags&onLane == 0 {
			contents = append(contents, "arguments"...)
		}
		got, args, err := decodeRequest(contents)
		require.NoError(t, err)
		assert.Equal(t, r, got)
		if r.flags&onLane == 0 {
			assert.Equal(t, "arguments", string(args))
		} else {
			assert.Empty(t, args)
		}
		got, _, err = decodeRequest(request{id: 1, flags: hasDeadline, timeout: -time.Second}.encode())
		require.NoError(t, err)
		assert.Zero(t, got.timeout, "a deadline that has passed")
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(request{id: 7, flags: hasDeadline | cancellable, timeout: time.Second, object: 300, method: "Compute"}.encode())
	f.Add(request{id: 7, flags: onLane, size: 1 << 40}.encode())
	f.Add([]byte{hasDeadline, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, args, err := decodeRequest(b)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(r.method), maxMethod)
		require.GreaterOrEqual(t, r.timeout, time.Duration(0))
		again, rest, err := decodeRequest(append(r.encode(), args...))
		require.NoError(t, err)
		require.Equal(t, r, again)
		require.True(t, bytes.Equal(args, rest))
	})
}

// Whatever pieces a stream comes in, the same frames are seen.
func FuzzFrames(f *testing.F) {
	f.Add(append(frame(3, 1, typeRequest, 1, 2, 3), frame(0, 3, typeRequest)...), 4)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 1)
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		if piece < 1 {
			piece = 1
		}
		walked := func(piece int) (seen []uint32, half bool, text string) {
			w := frames{kind: typeRequest, seen: func(stream uint32) error {
				seen = append(seen, stream)
				return nil
			}}
			for rest := b; len(rest) > 0; {
				n := min(piece, len(rest))
				if err := w.walk(rest[:n]); err != nil {
					return seen, false, err.Error()
				}
				rest = rest[n:]
			}
			return seen, w.half(), ""
		}
		seen, half, text := walked(max(len(b), 1))
		seenInPieces, halfInPieces, textInPieces := walked(piece)
		require.Equal(t, seen, seenInPieces)
		require.Equal(t, half, halfInPieces)
		require.Equal(t, text, textInPieces)
	})
}
