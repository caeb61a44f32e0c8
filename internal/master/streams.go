package master

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/core"
)

// streamHeader names a scheduler's stream, in the answer that opens it and in every
// later call.
const streamHeader = "Mesos-Stream-Id"

// opened is a stream with the request that asked for it.
type opened struct {
	stream *apihttp.Stream
	http   *http.Request
}

// streams are those that are open.
type streams struct {
	mu  sync.Mutex
	all map[core.StreamID]opened
}

func newStreams() *streams { return &streams{all: map[core.StreamID]opened{}} }

func (ss *streams) add(id core.StreamID, o opened) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.all[id] = o
}

// get returns a stream, and false for one that is not there any more.
func (ss *streams) get(id core.StreamID) (opened, bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	o, ok := ss.all[id]
	return o, ok
}

// remove forgets a stream, and reports whether it was there.
func (ss *streams) remove(id core.StreamID) (opened, bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	o, ok := ss.all[id]
	delete(ss.all, id)
	return o, ok
}

// close ends a stream after what was sent.
func (ss *streams) close(id core.StreamID) {
	if o, ok := ss.remove(id); ok {
		o.stream.Close()
	}
}

// serveStream serves a stream to its end, and tells the core if it was not the
// core's.
func (m *Master) serveStream(w http.ResponseWriter, r *http.Request, o outcome) {
	w.Header().Set(streamHeader, string(o.id))
	err := o.stream.Serve(w, r, m.c.Stopping)
	if err == nil {
		return
	}
	if _, open := m.streams.remove(o.id); !open || m.stopping() {
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
