package lifecycle_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/mesos-modules/mms/lifecycle"
)

// spy notes the hooks fx runs by the last part of their names.
type spy struct{ tally }

func (s *spy) LogEvent(e fxevent.Event) {
	short := func(name string) string {
		name = strings.TrimSuffix(name, "-fm()")
		return name[strings.LastIndexByte(name, '.')+1:]
	}
	switch e := e.(type) {
	case *fxevent.OnStartExecuting:
		s.add("start " + short(e.FunctionName))
	case *fxevent.OnStopExecuting:
		s.add("stop " + short(e.FunctionName))
	}
}

// user is a part of the daemon that starts after the modules and stops before them.
type user struct{}

func (user) start(context.Context) error { return nil }
func (user) stop(context.Context) error  { return nil }

// app makes a real fx app of the system.
func (s *system) app(log *spy, opts ...fx.Option) *fx.App {
	return fx.New(append(opts,
		fx.WithLogger(func() fxevent.Logger { return log }),
		fx.Invoke(func(lc fx.Lifecycle) {
			s.seq.Hooks(lc, lifecycle.Work{
				Load: s.work(lifecycle.Load), Verify: s.work(lifecycle.Verify),
				Instantiate: s.work(lifecycle.Instantiate), Bind: s.work(lifecycle.Bind),
			})
			lc.Append(fx.Hook{OnStart: user{}.start, OnStop: user{}.stop})
		}))...)
}

func TestHooks(t *testing.T) {
	t.Run("fx shows the phases in order, and the mirror image", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, log := newSystem(), &spy{}
			app := s.app(log)
			require.NoError(t, app.Start(t.Context()))
			assert.Equal(t, lifecycle.Bound, s.seq.State())
			require.NoError(t, app.Stop(t.Context()))
			assert.Equal(t, []string{
				"start load", "start verify", "start instantiate", "start bind", "start start",
				"stop stop", "stop undoBind", "stop undoInstantiate", "stop undoVerify", "stop undoLoad",
			}, log.names())
			assert.Equal(t, s.started(), reversed(s.names()))
			assert.Equal(t, lifecycle.Down, s.seq.State())
			require.NoError(t, s.seq.Close())
			assert.Len(t, s.names(), 8)
		})
	})
	t.Run("a phase without work is a phase", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSystem()
			app := fx.New(fx.NopLogger, fx.Invoke(func(lc fx.Lifecycle) { s.seq.Hooks(lc, lifecycle.Work{}) }))
			require.NoError(t, app.Start(t.Context()))
			assert.Equal(t, []string{"load", "verify", "instantiate", "bind"}, s.rec.Steps())
			require.NoError(t, app.Stop(t.Context()))
		})
	})
	for i, p := range forward {
		t.Run("a start that fails in "+p.String()+" leaves nothing", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, log := newSystem(), &spy{}
				broken := errors.New("broken")
				s.in[p] = func(context.Context) error { return broken }
				err := s.app(log).Start(t.Context())
				require.ErrorIs(t, err, broken)
				assert.Len(t, log.names(), 2*i+1, "starts up to this phase, stops of those before: %v", log.names())
				assert.Equal(t, s.started(), reversed(s.names()))
				require.NoError(t, s.seq.Close())
				assert.Equal(t, lifecycle.Down, s.seq.State())
				assert.Len(t, s.names(), 2*i+1, "each once")
			})
		})
		t.Run("a start that hits its deadline in "+p.String()+" leaves nothing after Close", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSystem()
				s.in[p] = untilDone
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				require.ErrorIs(t, s.app(&spy{}).Start(ctx), context.DeadlineExceeded)
				require.NoError(t, s.seq.Close())
				assert.Equal(t, s.started(), reversed(s.names()), "each once, in reverse, on a living context")
				assert.Len(t, s.names(), 2*i+1)
			})
		})
		t.Run("a stop during "+p.String()+" leaves nothing after Close", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSystem()
				s.in[p] = untilDone
				app := s.app(&spy{})
				started := make(chan error, 1)
				go func() { started <- app.Start(context.Background()) }()
				synctest.Wait()
				require.NoError(t, s.seq.Close())
				require.ErrorIs(t, <-started, lifecycle.ErrClosed)
				require.NoError(t, app.Stop(t.Context()))
				assert.Equal(t, s.started(), reversed(s.names()))
				assert.Len(t, s.names(), 2*i+1)
			})
		})
	}
	t.Run("a stop that hits its deadline is finished by Close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSystem()
			hung, release := hang()
			defer release()
			app := s.app(&spy{})
			require.NoError(t, app.Start(t.Context()))
			push(t, s.seq.Stack(), "hangs", hung)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, app.Stop(ctx), context.DeadlineExceeded)
			require.NoError(t, s.seq.Close(), "that of the hung one went to fx, too late")
			assert.Equal(t, s.started(), reversed(s.names()))
			ended := lifecycle.Of[lifecycle.PhaseEnded](s.rec.Events())
			assert.Contains(t, ended[len(ended)-1].Err, "module hangs: close: did not come back", "but the event has it")
		})
	})
}

func TestTimeoutsAreAboveTheSumOfTheSteps(t *testing.T) {
	r := &lifecycle.Runner{Limit: time.Minute, Grace: time.Second}
	app := fx.New(fx.NopLogger, r.Timeouts([]time.Duration{time.Hour, 0}, []time.Duration{time.Second}))
	assert.Equal(t, time.Hour+time.Minute+2*time.Second+fx.DefaultTimeout, app.StartTimeout())
	assert.Equal(t, 2*time.Second+fx.DefaultTimeout, app.StopTimeout())
	forever := fx.New(fx.NopLogger, r.Timeouts([]time.Duration{math.MaxInt64, math.MaxInt64}, nil))
	assert.Equal(t, time.Duration(math.MaxInt64), forever.StartTimeout(), "no overflow")
	assert.Equal(t, fx.DefaultTimeout, forever.StopTimeout())
}
