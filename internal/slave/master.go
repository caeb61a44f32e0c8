package slave

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// detectAgain is the time between two attempts to find out who leads.
const detectAgain = 5 * time.Second

// leader is what the detector said last.
type leader struct {
	mu    sync.Mutex
	known bool
	last  core.MasterDetected
}

// again tells the core once more who leads.
func (l *leader) again(s *Slave) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known {
		s.mail.put(l.last)
	}
}

// detect has the detector tell who leads, now and when it changes.
func (s *Slave) detect() {
	s.spawn(func(ctx context.Context) {
		for {
			err := s.cfg.Detector.Detect(ctx, nil, s.led)
			if err == nil || ctx.Err() != nil {
				return
			}
			s.cfg.Log.Warn(fmt.Sprintf("who leads cannot be found out; tries again in %v: %v", detectAgain, err))
			select {
			case <-time.After(detectAgain):
			case <-ctx.Done():
				return
			}
		}
	})
}

func (s *Slave) led(now *leadership.Leadership) {
	if now.GetFailure() != "" {
		s.cfg.Fail(fmt.Errorf("the master detector has failed: %s", now.GetFailure()))
		return
	}
	e := core.MasterDetected{Leader: now.GetLeader()}
	if e.Leader != nil {
		pid, err := libprocess.ParsePID(e.Leader.GetPid())
		if err != nil {
			s.cfg.Log.Error(fmt.Sprintf("the master detector names a leader that cannot be reached: %v", err))
			e.Leader = nil
		}
		e.PID = pid
	}
	s.leader.mu.Lock()
	defer s.leader.mu.Unlock()
	s.leader.known, s.leader.last = true, e
	s.mail.put(e)
}

// Receiver takes messages of masters out of the requests that come in.
func (s *Slave) Receiver(next http.Handler) http.Handler {
	return libprocess.Receiver(s.deliver, next)
}

// deliver gives a message to the process that it is for.
func (s *Slave) deliver(e libprocess.Envelope) bool {
	if s.sessions.deliver(e) {
		return true
	}
	if e.To != Process {
		return false
	}
	m, err := libprocess.Unmarshal(e)
	if err != nil {
		s.cfg.Log.Warn(fmt.Sprintf("a message from %v is left out: %v", e.From, err))
		return true
	}
	s.mail.put(core.MasterMessage{From: e.From, Message: m})
	return true
}
