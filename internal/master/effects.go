package master

import (
	"context"
	"errors"
	"log/slog"

	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/core"
)

var errStopped = errors.New("the master stops")

// execute carries an effect out, or hands it to whoever does. It does not block.
func (m *Master) execute(effect core.Effect) {
	switch e := effect.(type) {
	case core.RecoverRegistry:
		m.registrar.recover()
	case core.Store:
		m.registrar.store(e)
	case core.Exit:
		m.c.Fail(errors.New(e.Reason))
	case core.Answer:
		m.requests.resolve(e.Request, outcome{answer: &e})
	case core.OpenStream:
		m.openStream(e.Request, e.Stream, false)
	case core.OpenOperatorStream:
		m.openStream(e.Request, e.Stream, true)
	case core.Send:
		if o, ok := m.streams.get(e.Stream); ok { // one that has gone has been reported
			m.sendEvent(o, e.Event)
		}
	case core.CloseStream:
		m.streams.close(e.Stream)
	case core.ToAgent:
		m.sender.Post(e.To, e.From, m.c.Self, e.Message)
	case core.Link:
		m.sender.Link(e.PID, func() { m.queue.post(core.AgentExited(e)) })
	case core.Unlink:
		m.sender.Unlink(e.PID)
	case core.Allocate:
		m.allocator.call(e)
	case core.Retell:
		m.allocator.retell(e)
	case core.Authorize:
		m.ask(e)
	case core.CallHooks:
		m.callHooks(e)
	case core.Log:
		m.c.Log.Log(m.ctx, slogLevel(e.Level), e.Text)
	default:
		m.c.Log.Error("an effect is not known", "effect", effect)
	}
}

// openStream hands a stream to the request that asked for it.
func (m *Master) openStream(request core.RequestID, id core.StreamID, operator bool) {
	waiting := m.requests.waiting(request)
	if waiting == nil {
		m.queue.post(core.StreamGone{Stream: id})
		return
	}
	s := apihttp.NewStream(waiting.media)
	m.streams.add(id, opened{s, waiting.http})
	if operator {
		m.sendState(s, waiting.http)
	}
	if !m.requests.resolve(request, outcome{id: id, stream: s}) {
		m.streams.remove(id)
		m.queue.post(core.StreamGone{Stream: id})
	}
}

// ask asks the authorizer.
func (m *Master) ask(e core.Authorize) {
	m.authorize.run(m.ctx, func(ctx context.Context) {
		allowed, err := m.c.Authorizer.Authorize(ctx, e.Requests)
		if err == nil && len(allowed) != len(e.Requests) {
			allowed, err = nil, errors.New("the authorizer has not decided about every request")
		}
		if err != nil {
			m.c.Log.Warn("the authorizer failed", "error", err)
		}
		m.queue.post(core.Authorized{Ticket: e.Ticket, Allowed: allowed, Err: err})
	})
}

func (m *Master) callHooks(e core.CallHooks) {
	m.hooks.run(m.ctx, func(ctx context.Context) {
		result := e.Do(ctx, m.c.Hooks)
		if e.Ticket != 0 {
			m.queue.post(core.Hooked{Ticket: e.Ticket, Result: result})
		}
	})
}

func slogLevel(l core.Level) slog.Level {
	switch l {
	case core.Warning:
		return slog.LevelWarn
	case core.Error:
		return slog.LevelError
	default: // there is one other
		return slog.LevelInfo
	}
}
