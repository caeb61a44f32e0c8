package slave

import (
	"net/http"
	"sync"

	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// reply answers a request: with a status, or with a stream.
type reply struct {
	status int
	text   string
	stream *apihttp.Stream
	id     core.StreamID
}

// requests are those of executors that wait for an answer of the core, and their
// streams.
type requests struct {
	mu      sync.Mutex
	made    core.RequestID
	named   core.StreamID
	waiting map[core.RequestID]*request
	streams map[core.StreamID]*apihttp.Stream
	ended   bool
}

// request waits for its reply.
type request struct {
	media apihttp.Media // of a stream
	reply chan reply
}

func (r *requests) init() {
	r.waiting, r.streams = map[core.RequestID]*request{}, map[core.StreamID]*apihttp.Stream{}
}

// begin has a request wait. Stream is a name for the stream that it may become.
func (r *requests) begin(media apihttp.Media) (id core.RequestID, stream core.StreamID, answer <-chan reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made++
	r.named++
	one := &request{media: media, reply: make(chan reply, 1)}
	if r.ended {
		one.reply <- reply{status: http.StatusServiceUnavailable}
		return r.made, r.named, one.reply
	}
	r.waiting[r.made] = one
	return r.made, r.named, one.reply
}

func (r *requests) answer(id core.RequestID, with reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.waiting[id]; one != nil {
		delete(r.waiting, id)
		one.reply <- with
	}
}

// open makes the stream that a request becomes.
func (r *requests) open(id core.RequestID, name core.StreamID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.waiting[id]; one != nil {
		delete(r.waiting, id)
		stream := apihttp.NewStream(one.media)
		r.streams[name] = stream
		one.reply <- reply{stream: stream, id: name}
	}
}

func (r *requests) send(name core.StreamID, e *executor.Event) {
	r.mu.Lock()
	stream := r.streams[name]
	r.mu.Unlock()
	if stream != nil {
		stream.Send(e)
	}
}

func (r *requests) close(name core.StreamID) {
	r.mu.Lock()
	stream := r.streams[name]
	delete(r.streams, name)
	r.mu.Unlock()
	if stream != nil {
		stream.Close()
	}
}

// end answers all that wait, now and later: the core is no more.
func (r *requests) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	for id, one := range r.waiting {
		delete(r.waiting, id)
		one.reply <- reply{status: http.StatusServiceUnavailable}
	}
	for name, stream := range r.streams {
		delete(r.streams, name)
		stream.Close()
	}
}
