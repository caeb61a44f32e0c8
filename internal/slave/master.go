package slave

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/roles/masterdetector"
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

// detection is who is asked who leads.
type detection struct {
	mu      sync.Mutex // held while a detector is told
	begun   bool
	renewed bool // another detector has been told since
	end     context.CancelFunc
}

// detect has the detector tell who leads, now and when it changes.
func (s *Slave) detect() {
	s.spawn(func(ctx context.Context) {
		for {
			err := s.detectBy(s.cfg.Detector, func(d *detection) bool {
				d.begun = true
				return !d.renewed
			})
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

// renewDetector asks a detector that takes the place of one that is gone.
func (s *Slave) renewDetector(_ context.Context, fresh masterdetector.MasterDetector) error {
	return s.detectBy(fresh, func(d *detection) bool {
		d.renewed = d.begun
		return d.begun // else it will be asked
	})
}

// detectBy asks a detector, if that is wanted; the one before is not listened to any more.
func (s *Slave) detectBy(with masterdetector.MasterDetector, wanted func(*detection) bool) error {
	d := &s.detection
	d.mu.Lock()
	defer d.mu.Unlock()
	if !wanted(d) {
		return nil
	}
	if d.end != nil {
		d.end()
	}
	life, end := context.WithCancel(s.ctx)
	d.end = end
	return with.Detect(life, nil, s.led)
}

// led hears who leads. A detector that was restarted says what is known already.
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
	if s.leader.known && proto.Equal(s.leader.last.Leader, e.Leader) {
		return
	}
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
