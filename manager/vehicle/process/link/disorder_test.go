package link

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// hanging answers when the link ends.
var hanging = handlerFunc(func(ctx context.Context, _ uint64, _ string, _ []byte) []byte {
	<-ctx.Done()
	return nil
})

func TestDisorderInCalls(t *testing.T) {
	plain := request{id: 1}
	for _, c := range []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"text", []byte("GET / HTTP/1.1\r\n\r\n"), "a frame of 1195725856 bytes"},
		{"a huge length", frame(math.MaxUint32, 1, typeRequest), "a frame of 4294967295 bytes"},
		{"a length that is just too large", frame(maxFrame+1, 1, typeRequest), "a frame of"},
		{"data of a stream, which would be a nil pointer to ttrpc", append(ask(1, plain), frame(1, 1, 3, 0)...), "a frame of type 3"},
		{"an answer", frame(0, 1, typeResponse), "a frame of type 2"},
		{"an unknown type", frame(0, 1, 9), "a frame of type 9"},
		{"an even stream", ask(2, plain), "call 2 after call 0"},
		{"a stream again", append(ask(3, plain), ask(3, plain)...), "call 3 after call 3"},
		{"an earlier stream", append(ask(3, plain), ask(1, plain)...), "call 1 after call 3"},
		{"no contents", calling(1, methodCall, nil), "cannot be read"},
		{"contents that stop", calling(1, methodCall, []byte{0, 1, 1, 200, 1, 'x'}), "cannot be read"},
		{"a name that is too long", calling(1, methodCall, request{id: 1, method: string(make([]byte, maxMethod+1))}.encode()), "cannot be read"},
		{"a number that does not end", calling(1, methodCall, []byte{0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}), "cannot be read"},
		{"arguments here and on the lane", ask(1, request{id: 1, flags: onLane, size: maxInline + 1}, 'x'), "cannot be read"},
		{"more arguments than are allowed", ask(1, request{id: 1, flags: onLane, size: math.MaxUint64}), "bytes"},
		{"few arguments on the lane", ask(1, request{id: 1, flags: onLane, size: 1}), "a message of 1 bytes on the lane"},
		{"two arguments of a call", append(ask(1, request{id: 1, flags: onLane, size: maxInline + 1}), ask(3, request{id: 1, flags: onLane, size: maxInline + 1})...), "two messages of call 1"},
		{"an id twice", append(ask(1, request{id: 1, flags: cancellable}), ask(3, request{id: 1, flags: cancellable})...), "call 1 is under way"},
		{"a cancel without a call", calling(1, methodCancel, nil), "a cancel that cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, r := against(t, hanging, Options{})
			r.write(r.calls, c.bytes)
			assert.False(t, requireDisorder(t, l, c.want).Half)
		})
	}
}

func TestHalf(t *testing.T) {
	whole := ask(1, request{id: 1}, []byte("arguments")...)
	for _, cut := range []int{1, headerSize - 1, headerSize, len(whole) - 1} {
		t.Run(fmt.Sprintf("of a call, %d of %d bytes", cut, len(whole)), func(t *testing.T) {
			l, r := against(t, hanging, Options{})
			r.write(r.calls, whole[:cut])
			require.NoError(t, r.calls.Close())
			assert.True(t, requireDisorder(t, l, "half a frame").Half)
		})
	}
	t.Run("of arguments on the lane", func(t *testing.T) {
		l, r := against(t, hanging, Options{})
		r.write(r.calls, ask(1, request{id: 1, flags: onLane, size: 1 << 20}))
		r.write(r.lane, onTheLane(1, 1<<20, 'x'))
		require.NoError(t, r.lane.Close())
		assert.True(t, requireDisorder(t, l, "half a message on the lane").Half)
	})
	t.Run("of the lane's header", func(t *testing.T) {
		l, r := against(t, hanging, Options{})
		r.write(r.lane, []byte{0})
		require.NoError(t, r.lane.Close())
		assert.True(t, requireDisorder(t, l, "half a message on the lane").Half)
	})
}

func TestDisorderInAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(r *rogue)
		want string
	}{
		{"an answer that nobody waits for", func(r *rogue) { r.write(r.asked, frame(0, 7, typeResponse)) }, "an answer to call 7"},
		{"an answer twice", func(r *rogue) {
			stream, _ := r.next(r.asked)
			r.write(r.asked, append(frame(0, stream, typeResponse), frame(0, stream, typeResponse)...))
		}, "an answer"},
		{"an answer that is not protobuf", func(r *rogue) {
			stream, _ := r.next(r.asked)
			r.write(r.asked, frame(3, stream, typeResponse, 255, 255, 255))
		}, "an answer that is none"},
		{"a status of ttrpc", func(r *rogue) {
			stream, _ := r.next(r.asked)
			r.write(r.asked, frame(4, stream, typeResponse, 10, 2, 8, 12))
		}, "an answer that is none"},
		{"a call in the place of an answer", func(r *rogue) { r.write(r.asked, frame(0, 1, typeRequest)) }, "a frame of type 1"},
		{"a huge answer", func(r *rogue) { r.write(r.asked, frame(1<<30, 1, typeResponse)) }, "a frame of 1073741824 bytes"},
		{"half an answer", func(r *rogue) {
			stream, _ := r.next(r.asked)
			r.write(r.asked, frame(100, stream, typeResponse, 1))
			assert.NoError(r.t, r.asked.Close())
		}, "half a frame"},
		{"an empty answer", func(r *rogue) { r.answerWith(nil) }, "an empty answer"},
		{"an unknown kind", func(r *rogue) { r.answerWith([]byte{77}) }, "an answer of kind 77"},
		{"a size that is none", func(r *rogue) { r.answerWith([]byte{answerOnLane, 255}) }, "an answer without a size"},
		{"a size that is too large", func(r *rogue) { r.answerWith(encodeNumber(answerOnLane, math.MaxUint64)) }, "on the lane"},
		{"another size on the lane", func(r *rogue) {
			r.answerWith(encodeNumber(answerOnLane, 1<<20))
			r.write(r.asking, onTheLane(1, 1<<19))
		}, "a body of 524288 bytes for call 1, which has 1048576"},
		{"a huge size on the lane", func(r *rogue) { r.write(r.asking, onTheLane(1, math.MaxUint64)) }, "a body of 18446744073709551615 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, r := against(t, hanging, Options{})
			failed := make(chan error, 1)
			go func() {
				_, err := l.Call(context.Background(), 1, "", nil)
				failed <- err
			}()
			c.do(r)
			requireDisorder(t, l, c.want)
			require.ErrorIs(t, await(t, failed, "the end of the call"), ErrEnded)
		})
	}
}

func TestDisorderOnTheControlSocket(t *testing.T) {
	stream := func(t *testing.T) []int {
		ours, theirs, err := streamPair()
		require.NoError(t, err)
		return []int{ours, theirs}
	}
	lane := []byte{handLane}
	for _, c := range []struct {
		name string
		do   func(l *Link, r *rogue)
		want string
	}{
		{"no descriptor", func(_ *Link, r *rogue) { r.send(lane) }, "a packet with 0 descriptors"},
		{"two descriptors", func(_ *Link, r *rogue) { r.send(lane, stream(r.t)...) }, "a packet with 2 descriptors"},
		{"as many descriptors as there can be", func(_ *Link, r *rogue) {
			var many []int
			for len(many) < maxDescriptors-1 {
				many = append(many, stream(r.t)...)
			}
			r.send(lane, many...)
		}, "a packet with 252 descriptors"},
		{"a file", func(_ *Link, r *rogue) {
			file, err := unix.Open(filepath.Join(r.t.TempDir(), "file"), unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
			require.NoError(r.t, err)
			r.send(lane, file)
		}, "no socket"},
		{"a socket of datagrams", func(_ *Link, r *rogue) {
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			require.NoError(r.t, err)
			closeAll(pair[1:])
			r.send(lane, pair[0])
		}, "another kind"},
		{"a socket of the network", func(_ *Link, r *rogue) {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			require.NoError(r.t, err)
			r.send(lane, fd)
		}, "another kind"},
		{"a socket without another end", func(_ *Link, r *rogue) {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			require.NoError(r.t, err)
			r.send(lane, fd)
		}, "not connected"},
		{"an unknown packet", func(_ *Link, r *rogue) { r.hand([]byte{200}) }, "a packet of kind 200"},
		{"a long packet", func(_ *Link, r *rogue) { r.hand(make([]byte, maxPacket+1)) }, "a packet of more than"},
		{"calls before the lane", func(l *Link, r *rogue) { r.hand(l.greeting().encode()) }, "a packet of kind 1"},
		{"two lanes", func(_ *Link, r *rogue) { r.hand(lane); r.hand(lane) }, "a packet of kind 2"},
		{"a short greeting", func(_ *Link, r *rogue) { r.hand(lane); r.hand([]byte{handCalls, version, 0}) }, "a greeting of 3 bytes"},
		{"another version", func(l *Link, r *rogue) {
			r.hand(lane)
			packet := l.greeting().encode()
			packet[1] = version + 1
			r.hand(packet)
		}, "that begins with 01 02"},
		{"a greeting that allows nothing", func(_ *Link, r *rogue) { r.hand(lane); r.hand(greeting{}.encode()) }, "without sense"},
		{"a flood of connections", func(l *Link, r *rogue) {
			r.hand(lane)
			for range maxLive + 1 {
				r.hand(l.greeting().encode())
			}
		}, "connections for calls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := descriptorsOpen(t)
			l, r := alone(t, hanging, Options{})
			c.do(l, r)
			requireDisorder(t, l, c.want)
			require.NoError(t, l.Close())
			assert.NoError(t, r.control.Close())
			assert.LessOrEqual(t, descriptorsOpen(t)-before, 2*(maxLive+2), "none of what came is left")
		})
	}

	t.Run("a control socket that is none", func(t *testing.T) {
		file, err := os.Create(filepath.Join(t.TempDir(), "file"))
		require.NoError(t, err)
		_, err = New(file, echo, Options{})
		require.ErrorContains(t, err, "control socket")
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		file, err = listener.(*net.TCPListener).File()
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		_, err = New(file, echo, Options{})
		require.ErrorContains(t, err, "control socket")
	})
}

func TestFlood(t *testing.T) {
	t.Run("of calls without waiting for answers", func(t *testing.T) {
		l, r := against(t, hanging, Options{MaxCalls: 50})
		for i := range uint32(51) {
			r.write(r.calls, ask(2*i+1, request{id: uint64(i + 1)}))
		}
		requireDisorder(t, l, "more than 50 calls at once")
	})

	t.Run("of large arguments", func(t *testing.T) {
		l, r := against(t, hanging, Options{MaxMessage: 1 << 20, MaxPending: 4 << 20})
		for i := range uint32(5) {
			r.write(r.calls, ask(2*i+1, request{id: uint64(i + 1), flags: onLane, size: 1 << 20}))
		}
		requireDisorder(t, l, "more than 4194304 bytes of calls under way")
	})

	t.Run("of a lane that nobody asked for is not read", func(t *testing.T) {
		l, r := against(t, echo, Options{})
		require.NoError(t, r.lane.SetWriteDeadline(noTime()))
		n := 0
		for {
			more, err := r.lane.Write(onTheLane(99, 1<<20, make([]byte, 1<<20)...))
			n += more
			if err != nil {
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				break
			}
		}
		assert.Less(t, n, 4<<20, "it stays in the socket's own buffer")
		require.NoError(t, l.Err(), "and the rest goes on")
		r.write(r.calls, ask(1, request{id: 1}, 'x'))
		stream, body := r.next(r.calls)
		assert.Equal(t, uint32(1), stream)
		assert.Equal(t, byte('x'), body[len(body)-1])
	})

	for _, method := range []string{methodProbe, "unknown"} {
		t.Run("of calls whose answers are not read, method "+method, func(t *testing.T) {
			l, r := against(t, echo, Options{MaxCalls: 50})
			for i := range uint32(20_000) {
				if l.Err() != nil {
					break
				}
				r.write(r.calls, calling(2*i+1, method, nil))
			}
			requireDisorder(t, l, "more than 101 calls at once")
		})
	}
}
