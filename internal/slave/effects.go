package slave

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/internal/slave/core"
)

// execute carries out effects in order.
func (s *Slave) execute(effects []core.Effect) {
	for _, e := range effects {
		s.one(e)
	}
}

func (s *Slave) one(e core.Effect) {
	switch e := e.(type) {
	case core.Write:
		if err := s.cfg.Store.Write(e.Checkpoint); err != nil {
			s.mail.put(core.CheckpointFailed{Checkpoint: e.Checkpoint, Err: err})
			return
		}
		s.execute(e.Then)
	case core.ToMaster:
		s.sender.Post(e.To, Process, s.cfg.Address, e.Message)
	case core.Link:
		s.sender.Link(e.PID, func() { s.mail.put(core.MasterExited(e)) })
	case core.Authenticate:
		s.authenticate(e)
	case core.Detect:
		s.leader.again(s)
	case core.Answer:
		s.requests.answer(e.Request, reply{status: e.Status, text: e.Text})
	case core.OpenStream:
		s.requests.open(e.Request, e.Stream)
	case core.Send:
		s.requests.send(e.Stream, e.Event)
	case core.CloseStream:
		s.requests.close(e.Stream)
	case core.LaunchContainer:
		s.launch(e)
	case core.WatchContainer:
		s.spawn(func(ctx context.Context) { s.watch(ctx, e.Container) })
	case core.DestroyContainer:
		s.destroy(e.Container)
	case core.UpdateContainer:
		s.update(e)
	case core.StatusOf:
		s.status(e)
	case core.CallHooks:
		s.callHooks(e)
	case core.Attach:
		if s.cfg.Sandboxes != nil {
			s.cfg.Sandboxes.Attach(e.Framework, e.Executor, e.Container, e.Directory)
		}
	case core.Collect:
		if s.cfg.Garbage != nil {
			s.cfg.Garbage.Collect(e.Path, e.Old)
		}
	case core.Keep:
		if s.cfg.Garbage != nil {
			s.cfg.Garbage.Keep(e.Path)
		}
	case core.Exit:
		s.cfg.Fail(errors.New(e.Reason))
	case core.Log:
		s.log(e)
	default:
		s.cfg.Log.Error(fmt.Sprintf("an effect of unknown type %T is left out", e))
	}
}

func (s *Slave) log(e core.Log) {
	switch e.Level {
	case core.Error:
		s.cfg.Log.Error(e.Text)
	case core.Warning:
		s.cfg.Log.Warn(e.Text)
	default:
		s.cfg.Log.Info(e.Text)
	}
}

// callHooks calls hooks beside the loop.
func (s *Slave) callHooks(e core.CallHooks) {
	s.spawn(func(ctx context.Context) {
		result := e.Do(ctx, s.cfg.Hooks)
		if e.Ticket != 0 {
			s.mail.put(core.Hooked{Ticket: e.Ticket, Result: result})
			return
		}
		if failed, ok := result.(core.HookErrors); ok {
			for _, err := range failed {
				s.cfg.Log.Warn(fmt.Sprintf("%s: a hook failed: %v", e.Name, err))
			}
		}
	})
}
