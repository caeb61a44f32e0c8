package serve

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

const (
	maxQueued      = 4096             // messages that wait for the daemon
	maxQueuedBytes = 8 << 20          // and how large they may be together
	maxBatch       = 1 << 20          // bytes in one call
	askLimit       = 10 * time.Second // for what nobody waits for
)

// journal carries the messages of one instance to the daemon. Who logs never waits: while
// the daemon is slow messages queue up, and when there is no more room they are counted.
type journal struct {
	send  func(context.Context, []protocol.Record) (protocol.Logged, error)
	level slog.LevelVar // what the daemon has last said that it logs

	mu    sync.Mutex
	queue []protocol.Record
	size  int // of what is in the queue
	lost  uint64
	idle  chan struct{} // closed when the queue is empty; nil while it is
}

func newJournal(level slog.Level, send func(context.Context, []protocol.Record) (protocol.Logged, error)) *journal {
	j := &journal{send: send}
	j.level.Set(level)
	return j
}

func (j *journal) add(r protocol.Record) {
	r = r.Bounded()
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.queue) >= maxQueued || j.size >= maxQueuedBytes {
		j.lost++
		return
	}
	j.size += r.Size()
	r.Lost, j.lost = j.lost, 0
	j.queue = append(j.queue, r)
	if j.idle == nil {
		j.idle = make(chan struct{})
		go j.forward()
	}
}

// forward runs while there is something to send.
func (j *journal) forward() {
	for {
		batch := j.take()
		if batch == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), askLimit)
		logged, err := j.send(ctx, batch)
		cancel()
		if err != nil {
			j.lose(batch)
			continue
		}
		j.level.Set(logged.Level)
	}
}

// lose counts messages that did not get through: the next one says so.
func (j *journal) lose(batch []protocol.Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range batch {
		j.lost += 1 + r.Lost
	}
}

// take returns the oldest messages; nil when there are none, and nobody forwards then.
func (j *journal) take() []protocol.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, size := 0, 0
	for ; n < min(len(j.queue), protocol.MaxRecords) && size < maxBatch; n++ {
		size += j.queue[n].Size()
	}
	j.size -= size
	if n == 0 {
		close(j.idle)
		j.idle, j.queue = nil, nil
		return nil
	}
	batch := j.queue[:n:n]
	j.queue = j.queue[n:]
	return batch
}

// flush waits until all that has been logged is with the daemon, or ctx ends.
func (j *journal) flush(ctx context.Context) {
	j.mu.Lock()
	idle := j.idle
	j.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// handler makes records of what a module logs: one text for each attribute, with the names
// of its groups before its key.
type handler struct {
	to     *journal
	groups string
	kept   [][2]string // of WithAttrs
}

var _ slog.Handler = handler{}

// Enabled implements slog.Handler.
func (h handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.to.level.Level()
}

// Handle implements slog.Handler.
func (h handler) Handle(_ context.Context, r slog.Record) error {
	record := protocol.Record{Level: r.Level, Message: r.Message, Attributes: h.kept[:len(h.kept):len(h.kept)]}
	r.Attrs(func(a slog.Attr) bool {
		record.Attributes = flatten(record.Attributes, h.groups, a)
		return true
	})
	h.to.add(record)
	return nil
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.kept = h.kept[:len(h.kept):len(h.kept)]
	for _, a := range attrs {
		h.kept = flatten(h.kept, h.groups, a)
	}
	return h
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.groups += name + "."
	}
	return h
}

// flatten appends an attribute, or those of a group.
func flatten(to [][2]string, groups string, a slog.Attr) [][2]string {
	if len(to) >= protocol.MaxAttributes {
		return to
	}
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			groups += a.Key + "."
		}
		for _, inner := range value.Group() {
			to = flatten(to, groups, inner)
		}
		return to
	}
	if a.Equal(slog.Attr{}) {
		return to
	}
	return append(to, [2]string{protocol.Cut(groups+a.Key, protocol.MaxKey), protocol.Cut(text(value), protocol.MaxText)})
}

// text is a value as slog's own handlers write it.
func text(v slog.Value) (s string) {
	defer func() {
		if broken := recover(); broken != nil {
			s = fmt.Sprintf("!PANIC: %v", broken)
		}
	}()
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().Format(time.RFC3339Nano)
	case slog.KindAny:
		return fmt.Sprintf("%+v", v.Any())
	default:
		return v.String()
	}
}
