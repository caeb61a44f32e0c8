package master

import (
	"context"
	"net/http"
	"sync"

	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/core"
)

// outcome is what became of a request: an answer, or a stream.
type outcome struct {
	answer *core.Answer
	id     core.StreamID
	stream *apihttp.Stream
}

// request is one that waits for the core.
type request struct {
	media   apihttp.Media
	http    *http.Request
	outcome chan outcome // holds one
}

// requests are those that wait.
type requests struct {
	mu   sync.Mutex
	last core.RequestID
	all  map[core.RequestID]*request
}

func newRequests() *requests { return &requests{all: map[core.RequestID]*request{}} }

func (rs *requests) open(q *http.Request, media apihttp.Media) (core.RequestID, *request) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.last++
	r := &request{media: media, http: q, outcome: make(chan outcome, 1)}
	rs.all[rs.last] = r
	return rs.last, r
}

// waiting returns a request that still waits, or nil.
func (rs *requests) waiting(id core.RequestID) *request {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.all[id]
}

// resolve tells a request what became of it, and reports whether it still waits.
func (rs *requests) resolve(id core.RequestID, o outcome) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.all[id]
	if r == nil {
		return false
	}
	delete(rs.all, id)
	r.outcome <- o
	return true
}

// give up on a request; what was resolved meanwhile is returned.
func (rs *requests) abandon(id core.RequestID, r *request) (outcome, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.all, id)
	select {
	case o := <-r.outcome:
		return o, true
	default:
		return outcome{}, false
	}
}

// handOver gives a call to the core and answers with what comes of it.
func (m *Master) handOver(w http.ResponseWriter, r *http.Request, media apihttp.Media, event func(core.RequestID) core.Event) {
	apihttp.Unhurried(w) // modules may be asked
	id, waiting := m.requests.open(r, media)
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(m.c.Stopping, func() { cancel(errStopped) })()
	if m.queue.enter(ctx, event(id)) != nil {
		m.requests.abandon(id, waiting)
		unavailable.Write(w, r)
		return
	}
	select {
	case o := <-waiting.outcome:
		m.finish(w, r, media, o)
	case <-ctx.Done():
		if o, resolved := m.requests.abandon(id, waiting); resolved {
			m.finish(w, r, media, o)
			return
		}
		unavailable.Write(w, r)
	}
}

var unavailable = apihttp.Refuse(http.StatusServiceUnavailable, "The master stops")

// finish writes an answer, or serves a stream to its end.
func (m *Master) finish(w http.ResponseWriter, r *http.Request, media apihttp.Media, o outcome) {
	if o.stream != nil {
		m.serveStream(w, r, o)
		return
	}
	a := o.answer
	switch {
	case a.Message != nil:
		apihttp.Message(w, r, media, a.Message)
	case a.Status < 300 && a.Text == "":
		apihttp.Empty(w, a.Status)
	default:
		(&apihttp.Refusal{Status: a.Status, Text: a.Text}).Write(w, r)
	}
}
