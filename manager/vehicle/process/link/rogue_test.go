package link

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/containerd/ttrpc"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
)

// rogue is another side that does what it likes. It has all the sockets that a link has.
type rogue struct {
	t       *testing.T
	control *control
	calls   *os.File // where its calls go
	lane    *os.File // where what is large in its calls goes, and in the answers to them
	asked   *os.File // where the link's calls come
	asking  *os.File // the link's lane
}

// against makes a link and a rogue that has handed over what is due.
func against(t *testing.T, h Handler, o Options) (*Link, *rogue) {
	t.Helper()
	l, r := alone(t, h, o)
	r.lane = r.hand([]byte{handLane})
	r.calls = r.hand(l.greeting().encode())
	for _, end := range []**os.File{&r.asking, &r.asked} {
		_, fd, err := r.control.take()
		require.NoError(t, err)
		*end = r.owns(fd)
	}
	return l, r
}

// alone makes a link and a rogue that has said nothing yet.
func alone(t *testing.T, h Handler, o Options) (*Link, *rogue) {
	t.Helper()
	ours, theirs, err := Pair()
	require.NoError(t, err)
	l := made(t, ours, h, o, renewAfter)
	c, err := takeControl(theirs)
	require.NoError(t, err)
	r := &rogue{t: t, control: c}
	t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	return l, r
}

func (r *rogue) owns(fd int) *os.File {
	file := os.NewFile(uintptr(fd), "rogue")
	r.t.Cleanup(func() { _ = file.Close() })
	return file
}

// hand hands one end of a stream pair over and returns the other.
func (r *rogue) hand(packet []byte) *os.File {
	r.t.Helper()
	ours, theirs, err := streamPair()
	require.NoError(r.t, err)
	require.NoError(r.t, r.control.hand(packet, theirs))
	return r.owns(ours)
}

// send hands over these descriptors, whatever they are, and closes them.
func (r *rogue) send(packet []byte, descriptors ...int) {
	r.t.Helper()
	var rights []byte
	if len(descriptors) > 0 {
		rights = unix.UnixRights(descriptors...)
	}
	_, _, err := r.control.conn.WriteMsgUnix(packet, rights, nil)
	require.NoError(r.t, err)
	closeAll(descriptors)
}

// write writes until all is taken or the link has closed the other end.
func (r *rogue) write(to *os.File, b []byte) {
	r.t.Helper()
	require.NoError(r.t, to.SetWriteDeadline(time.Now().Add(limit)))
	if _, err := to.Write(b); err != nil {
		require.NotErrorIs(r.t, err, os.ErrDeadlineExceeded)
	}
}

// frame is one of ttrpc's.
func frame(length, stream uint32, kind byte, body ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, length)
	b = binary.BigEndian.AppendUint32(b, stream)
	return append(append(b, kind, 0), body...)
}

// calling is the frame of a request of ttrpc.
func calling(stream uint32, method string, contents []byte) []byte {
	body, err := proto.Marshal(&ttrpc.Request{Service: service, Method: method, Payload: contents})
	if err != nil {
		panic(err)
	}
	return frame(uint32(len(body)), stream, typeRequest, body...)
}

// ask is the frame of a call as a link makes it.
func ask(stream uint32, r request, args ...byte) []byte {
	return calling(stream, methodCall, append(r.encode(), args...))
}

func onTheLane(id, size uint64, body ...byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, id)
	return append(binary.BigEndian.AppendUint64(b, size), body...)
}

// next reads one frame that the link has written.
func (r *rogue) next(from *os.File) (stream uint32, body []byte) {
	r.t.Helper()
	require.NoError(r.t, from.SetReadDeadline(time.Now().Add(limit)))
	header := make([]byte, headerSize)
	_, err := io.ReadFull(from, header)
	require.NoError(r.t, err)
	body = make([]byte, binary.BigEndian.Uint32(header))
	_, err = io.ReadFull(from, body)
	require.NoError(r.t, err)
	return binary.BigEndian.Uint32(header[4:]), body
}

// answerWith answers one call of the link with these contents.
func (r *rogue) answerWith(contents []byte) {
	r.t.Helper()
	stream, _ := r.next(r.asked)
	body, err := proto.Marshal(&ttrpc.Response{Payload: contents})
	require.NoError(r.t, err)
	r.write(r.asked, frame(uint32(len(body)), stream, typeResponse, body...))
}

// requireDisorder waits for the end of a link and looks at the reason.
func requireDisorder(t *testing.T, l *Link, text string) *DisorderError {
	t.Helper()
	await(t, l.Done(), "the end of the link")
	d, ok := errors.AsType[*DisorderError](l.Err())
	require.True(t, ok, "%v", l.Err())
	require.Contains(t, d.Error(), text)
	return d
}

// descriptorsOpen counts those of this process.
func descriptorsOpen(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}
