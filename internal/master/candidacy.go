package master

import (
	"context"
	"fmt"
	"sync"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	"github.com/mesos-modules/mms/internal/outage"
	"github.com/mesos-modules/mms/roles/mastercontender"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

// candidacy is the part that the master takes in the election: it runs for leadership,
// and watches who has it.
type candidacy struct {
	m    *Master
	lost chan struct{} // a candidacy is to be entered again

	mu         sync.Mutex // held while a module is told what to do
	contending bool       // the contender was told
	detecting  bool       // the detector was told
	withdraw   context.CancelFunc
	look       context.CancelFunc // away from who leads
}

func newCandidacy(m *Master) *candidacy {
	return &candidacy{m: m, lost: make(chan struct{}, 1), withdraw: func() {}, look: func() {}}
}

// start goes on until the master ends.
func (c *candidacy) start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.settle(ctx, c.m.c.Contender); err != nil {
		return err
	}
	c.contending = true
	if err := c.detect(c.m.c.Detector); err != nil {
		return err
	}
	c.detecting = true
	return nil
}

// renewContender and renewDetector tell a module what the one before was told.
func (c *candidacy) renewContender(ctx context.Context, fresh mastercontender.MasterContender) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.contending {
		return nil // start will come to it
	}
	return c.settle(ctx, fresh)
}

func (c *candidacy) renewDetector(_ context.Context, fresh masterdetector.MasterDetector) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.detecting {
		return nil
	}
	return c.detect(fresh)
}

func (c *candidacy) settle(ctx context.Context, with mastercontender.MasterContender) error {
	if err := with.Initialize(ctx, c.m.c.Core.Info); err != nil {
		return fmt.Errorf("initialize the contender for leadership: %w", err)
	}
	return c.enter(with)
}

// enter enters a candidacy; the one before is over. c.mu is held.
func (c *candidacy) enter(with mastercontender.MasterContender) error {
	c.withdraw()
	life, withdraw := context.WithCancel(c.m.ctx)
	c.withdraw = withdraw
	err := with.Contend(life, func(now *leadership.Candidacy) {
		if life.Err() != nil {
			return
		}
		switch now.GetState() {
		case leadership.Candidacy_ENTERED:
			c.m.c.Log.Info("stands for election")
		case leadership.Candidacy_LOST:
			select {
			case c.lost <- struct{}{}:
			default: // it is going to be entered again
			}
		default:
			c.m.c.Fail(fmt.Errorf("cannot run for leadership: %s", now.GetMessage()))
		}
	})
	if err != nil {
		return fmt.Errorf("run for leadership: %w", err)
	}
	return nil
}

// run enters the candidacy again whenever it is lost.
func (c *candidacy) run() {
	for {
		select {
		case <-c.m.ctx.Done():
			return
		case <-c.lost:
		}
		c.m.c.Log.Warn("the candidacy was lost; stands for election again")
		c.mu.Lock()
		err := c.enter(c.m.c.Contender)
		c.mu.Unlock()
		switch {
		case err == nil || c.m.ctx.Err() != nil:
		case outage.Is(err):
			c.m.c.Log.Warn("the contender for leadership is away: the next one will stand for election", "error", err)
		default:
			c.m.c.Fail(err)
		}
	}
}

// detect watches who leads. c.mu is held.
func (c *candidacy) detect(with masterdetector.MasterDetector) error {
	c.look()
	life, look := context.WithCancel(c.m.ctx)
	c.look = look
	if err := with.Detect(life, c.m.c.Core.Info, c.m.detected); err != nil {
		return fmt.Errorf("watch who leads: %w", err)
	}
	return nil
}
