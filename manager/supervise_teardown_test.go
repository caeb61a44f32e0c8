package manager_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles/calculator"
)

// census counts objects: each is closed once, unless its process died before.
type census struct {
	mu  sync.Mutex
	all []*counted
}

type counted struct {
	name   string
	of     *deadly // nil in the daemon
	home   *mortal // that it is in
	closed int
	c      *census
}

func (o *counted) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

func (o *counted) Close(context.Context) error {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	o.closed++
	return nil
}

// module makes a module whose objects are counted; of is set when there is a library.
func (c *census) module(name string, of **deadly, requires ...facade.Requirement) facade.Declared {
	return facade.Module[calculator.Calculator]{Name: name, Requires: requires,
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			o := &counted{name: name, c: c}
			if of != nil {
				o.of = *of
				o.of.mu.Lock()
				o.home = o.of.current
				o.of.mu.Unlock()
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.all = append(c.all, o)
			return o, nil
		}}
}

// require wants everything given back, once.
func (c *census) require(t *testing.T, when string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, o := range c.all {
		died := o.home != nil && o.home.Cause() != nil && o.home.Cause().Detail != "closed"
		if !died || o.closed > 1 {
			require.Equal(t, 1, o.closed, "%s: object %d, of module %s, was closed so often", when, i, o.name)
		}
	}
}

// life is what happens in the test of teardown: a process that dies, one that dies with
// who requires it, one that is given up, stood in for, and given back.
type life struct {
	*census
	fixture
	base, side *deadly
	doomed     bool
}

func newLife(t *testing.T) *life {
	l := &life{census: &census{}}
	p := newProcesses(t)
	l.base = p.add("base", l.module("base", &l.base))
	l.side = p.add("side", l.module("side", &l.side, requires("base")...))
	l.base.Policies["base"] = fallbackTo("other")
	l.base.Restart = manifest.Restart{Limit: 2, Within: time.Hour, Backoff: time.Second, Longest: 10 * time.Second}
	l.base.Again = func(context.Context, int) error {
		l.base.mu.Lock()
		defer l.base.mu.Unlock()
		if l.doomed {
			return testharness.ErrBroken
		}
		return nil
	}
	l.fixture = p.fixture(&testharness.Journal{}, []facade.Declared{l.module("other", nil), l.module("top", nil, requires("side", "base")...)},
		[]string{"top", "side"}, l.base, l.side)
	return l
}

func (l *life) doom(doomed bool) {
	l.base.mu.Lock()
	defer l.base.mu.Unlock()
	l.doomed = doomed
}

// run is over early when the manager is closed.
func (l *life) run(ctx context.Context) {
	if l.Start(ctx) != nil {
		return
	}
	c, closing, err := manager.LoadModule[calculator.Calculator](ctx, l.Manager, "side")
	if err != nil {
		return
	}
	manager.OnRenew(l.Manager, c, func(ctx context.Context, fresh calculator.Calculator) error {
		_, err := fresh.Compute(ctx, 1, 2)
		return err
	})
	l.base.kill()
	<-time.After(5 * time.Second)
	l.side.kill()
	<-time.After(5 * time.Second)
	l.doom(true)
	l.base.kill()
	l.side.kill()
	<-time.After(15 * time.Second)
	l.doom(false)
	<-time.After(15 * time.Second)
	if l.State() == lifecycle.Bound {
		_ = closing(ctx)
	}
}

func TestTeardownAtAnyMoment(t *testing.T) {
	var moments uint64
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t)
		l.run(t.Context())
		lines := told(l.fixture)
		assert.Contains(t, lines, "base replaced by other")
		assert.Contains(t, lines, "base back in the place of other")
		moments = l.Events().Last()
		require.NoError(t, l.Close())
		l.require(t, "at the end")
	})
	for at := uint64(1); at <= moments; at++ {
		synctest.Test(t, func(t *testing.T) {
			l := newLife(t)
			closing := make(chan struct{})
			now := sync.OnceFunc(func() { close(closing) })
			var over sync.WaitGroup
			over.Go(func() {
				<-closing
				assert.NoError(t, l.Close())
			})
			var when string
			l.Events().Observe(func(e lifecycle.Event) {
				if e.Head().Seq == at {
					when = fmt.Sprintf("at event %d, %s", at, lifecycle.Line(e))
					now()
				}
			})
			l.run(t.Context())
			now() // what goes on at the same time does not come in the same order each time
			over.Wait()
			require.Equal(t, lifecycle.Down, l.State(), when)
			starts := len(l.base.tried(time.Now())) + len(l.side.tried(time.Now()))
			last := l.Events().Last()
			time.Sleep(time.Hour)
			assert.Equal(t, starts, len(l.base.tried(time.Now()))+len(l.side.tried(time.Now())), "%s: started after teardown", when)
			assert.Equal(t, last, l.Events().Last(), "%s: something happened after teardown", when)
			l.require(t, when)
			assert.Zero(t, l.base.running()+l.side.running(), "%s: a process is left", when)
		})
		if t.Failed() {
			return
		}
	}
}
