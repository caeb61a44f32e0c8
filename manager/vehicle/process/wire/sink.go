package wire

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
)

// lentSink is a function that was lent.
type lentSink struct {
	of   *lifetime // nil if the context has no end
	take func(in *Decoder) error
}

// Serve hands one value over.
func (s *lentSink) Serve(_ context.Context, _ *Conn, method string, in *Decoder, _ *Encoder) error {
	if method != "" {
		return UnknownMethod("", method)
	}
	if s.of != nil && s.of.ctx.Err() != nil {
		return nil
	}
	return s.take(in)
}

// TakeSink returns the next value of in, a function of the other side's; put writes what
// is handed over. The function returns when the other side's has. It does nothing once
// the connection has ended, or the context that it was lent for. What cannot be handed
// over ends the connection: a stream with a hole is worse than none. When nobody holds
// the function any more, the other side is told. Nil stays nil.
func TakeSink[T any](c *Conn, in *Decoder, put func(e *Encoder, v T)) func(T) {
	id := in.Uint64()
	if id == 0 || !c.borrow(in) {
		return nil
	}
	s := &sink{r: c.Remote(id)}
	runtime.AddCleanup(s, c.letGo, id)
	return func(v T) {
		if s.over() {
			return
		}
		e := NewEncoder()
		put(e, v)
		s.send(e)
	}
}

// sink is a function of the other side's.
type sink struct {
	r    *Remote
	dead atomic.Bool
}

func (s *sink) over() bool { return s.dead.Load() || s.r.c.ctx.Err() != nil }

func (s *sink) send(e *Encoder) {
	_, err := s.r.Call(context.Background(), "", e)
	runtime.KeepAlive(s)
	if err == nil {
		return
	}
	s.dead.Store(true)
	if _, withdrawn := errors.AsType[*UnknownObjectError](err); withdrawn || errors.Is(err, link.ErrEnded) || s.r.c.ctx.Err() != nil {
		return
	}
	_ = s.r.c.fail(fmt.Errorf("what a module said later did not get through: %w", err))
}
