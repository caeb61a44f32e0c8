package master

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/core"
)

// streamHeader names a scheduler's stream, in the answer that opens it and in every
// later call.
const streamHeader = "Mesos-Stream-Id"

// streams are those that are open.
type streams struct {
	mu  sync.Mutex
	all map[core.StreamID]*apihttp.Stream
}

func newStreams() *streams { return &streams{all: map[core.StreamID]*apihttp.Stream{}} }

func (ss *streams) add(id core.StreamID, s *apihttp.Stream) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.all[id] = s
}

func (ss *streams) remove(id core.StreamID) *apihttp.Stream {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.all[id]
	delete(ss.all, id)
	return s
}

// send sends an event. A stream that is not there any more has been reported.
func (ss *streams) send(id core.StreamID, event proto.Message) {
	ss.mu.Lock()
	s := ss.all[id]
	ss.mu.Unlock()
	if s != nil {
		s.Send(event)
	}
}

// close ends a stream after what was sent.
func (ss *streams) close(id core.StreamID) {
	if s := ss.remove(id); s != nil {
		s.Close()
	}
}

// serveStream serves a stream to its end, and tells the core if it was not the
// core's.
func (m *Master) serveStream(w http.ResponseWriter, r *http.Request, o outcome) {
	w.Header().Set(streamHeader, string(o.id))
	err := o.stream.Serve(w, r, m.c.Stopping)
	if err == nil || m.streams.remove(o.id) == nil || m.stopping() {
		return
	}
	if !errors.Is(err, apihttp.ErrGone) {
		m.c.Log.Warn("a stream was cut off", "stream", string(o.id), "error", err)
	}
	m.queue.post(core.StreamGone{Stream: o.id})
}

// newStreamID is a random UUID.
func newStreamID() core.StreamID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return core.StreamID(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}
