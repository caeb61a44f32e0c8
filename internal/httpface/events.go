package httpface

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
)

const (
	// heartbeat is how often a silent stream says that it is alive.
	heartbeat = 15 * time.Second

	// patience is how long a reader may hold up one write before he is dropped.
	// One that is merely slow finds a gap event in place of what he missed.
	patience = 30 * time.Second

	// maxStreams bounds how many streams there are at a time.
	maxStreams = 1000
)

// events streams what the module system does, as server-sent events: the id is the
// sequence number, the event its type, the data its JSON form. It begins with
// ?from=N or behind Last-Event-ID, else with the oldest event that is kept, and ends
// with the daemon's HTTP face.
func (f *Face) events(w http.ResponseWriter, r *http.Request) {
	from, err := firstEvent(r)
	if err != nil {
		fail(w, r, http.StatusBadRequest, problem{Error: err.Error()})
		return
	}
	if f.open.Add(1) > maxStreams {
		f.open.Add(-1)
		fail(w, r, http.StatusServiceUnavailable, problem{Error: fmt.Sprintf("%d streams of events are open, and more are not served", maxStreams)})
		return
	}
	defer f.open.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	s := stream{w: w, control: http.NewResponseController(w)}
	// The limits of other requests would end the stream. Not every writer has
	// them; where there are none, nothing needs to be lifted.
	_ = s.control.SetReadDeadline(time.Time{})

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(f.streams, cancel)()
	s.run(ctx, f.c.Modules.Events(), from)
}

func firstEvent(r *http.Request) (uint64, error) {
	if text := r.Header.Get("Last-Event-ID"); text != "" {
		last, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return 0, fmt.Errorf("Last-Event-ID is the number of an event, and not %q", text)
		}
		return last + 1, nil
	}
	if text := r.URL.Query().Get("from"); text != "" {
		from, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return 0, fmt.Errorf("from is the number of an event, and not %q", text)
		}
		return from, nil
	}
	return 1, nil
}

// stream writes to one reader.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// run writes events until ctx ends or the reader has gone.
func (s stream) run(ctx context.Context, bus *lifecycle.Bus, from uint64) {
	ctx, cancel := context.WithCancel(ctx)
	events, done := make(chan lifecycle.Event), make(chan struct{})
	defer func() { cancel(); <-done }()
	go func() {
		defer close(done)
		for e := range bus.Subscribe(ctx, from) {
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	if s.write(": %s\n\n", "events of the module system") != nil {
		return
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-alive.C:
			err = s.write(": %s\n\n", "alive")
		case e := <-events:
			err = s.event(e)
		}
		if err != nil {
			return
		}
	}
}

func (s stream) event(e lifecycle.Event) error {
	data, err := json.Marshal(e) // has no line ends
	if err != nil {
		return err
	}
	return s.write("id: %d\nevent: %s\ndata: %s\n\n", e.Head().Seq, e.Type(), data)
}

func (s stream) write(format string, args ...any) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(patience)) // as above
	if _, err := fmt.Fprintf(s.w, format, args...); err != nil {
		return err
	}
	return s.control.Flush()
}
