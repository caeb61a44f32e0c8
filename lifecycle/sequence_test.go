package lifecycle_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

// system is a sequence whose phases start one module each, named after the phase.
type system struct {
	rig
	tally
	seq *lifecycle.Sequence

	// in replaces the step of the module of a phase; nil: it succeeds.
	in map[lifecycle.Phase]func(context.Context) error
}

func newSystem() *system {
	s := &system{rig: newRig(), in: map[lifecycle.Phase]func(context.Context) error{}}
	s.seq = lifecycle.NewSequence(s.run)
	return s
}

// work starts two modules: one that succeeds and one that does as s.in says.
func (s *system) work(p lifecycle.Phase) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := s.begin(ctx, p, p.String()+"1", nil); err != nil {
			return err
		}
		return s.begin(ctx, p, p.String()+"2", s.in[p])
	}
}

func (s *system) begin(ctx context.Context, p lifecycle.Phase, module string, do func(context.Context) error) error {
	_, _, err := lifecycle.Start(ctx, s.seq.Stack(), lifecycle.Step{Phase: p, Module: module, Name: "start"},
		func(ctx context.Context) (string, error) {
			if do == nil {
				return module, nil
			}
			return module, do(ctx)
		}, undoing(module), s.close)
	return err
}

func (s *system) up(t *testing.T, phases ...lifecycle.Phase) {
	t.Helper()
	for _, p := range phases {
		require.NoError(t, s.seq.Do(t.Context(), p, s.work(p)))
	}
}

var forward = []lifecycle.Phase{lifecycle.Load, lifecycle.Verify, lifecycle.Instantiate, lifecycle.Bind}

// states returns the states that were entered.
func states(r *lifecycle.Recorder) string {
	var all []string
	for _, e := range lifecycle.Of[lifecycle.StateChanged](r.Events()) {
		all = append(all, e.To.String())
	}
	return strings.Join(all, ", ")
}

func TestLifetime(t *testing.T) {
	q := lifecycle.NewSequence(&lifecycle.Runner{})
	var during error
	require.NoError(t, q.Do(t.Context(), lifecycle.Load, func(context.Context) error {
		_, err := q.Stack().Push(lifecycle.Step{Name: "undo"}, func(context.Context) error {
			during = q.Lifetime().Err()
			return nil
		})
		return err
	}))
	require.Error(t, q.Do(t.Context(), lifecycle.Verify, func(context.Context) error { return errors.New("fails") }))
	require.NoError(t, q.Lifetime().Err(), "a phase that fails is not the end")
	require.NoError(t, q.Undo(t.Context(), lifecycle.Load))
	require.ErrorIs(t, during, context.Canceled, "what is undone finds the lifetime ended")
}

func TestSequence(t *testing.T) {
	t.Run("goes through all phases and back", func(t *testing.T) {
		s := newSystem()
		s.up(t, forward...)
		assert.Equal(t, lifecycle.Bound, s.seq.State())
		for _, p := range []lifecycle.Phase{lifecycle.Bind, lifecycle.Instantiate, lifecycle.Verify, lifecycle.Load} {
			require.NoError(t, s.seq.Undo(t.Context(), p))
			require.NoError(t, s.seq.Undo(t.Context(), p), "again")
		}
		require.NoError(t, s.seq.Close())
		assert.Equal(t, []string{
			"load", "load load1 start", "load load2 start",
			"verify", "verify verify1 start", "verify verify2 start",
			"instantiate", "instantiate instantiate1 start", "instantiate instantiate2 start",
			"bind", "bind bind1 start", "bind bind2 start",
			"teardown", "teardown bind2 close", "teardown bind1 close",
			"teardown instantiate2 close", "teardown instantiate1 close",
			"teardown verify2 close", "teardown verify1 close",
			"teardown load2 close", "teardown load1 close",
		}, s.rec.Steps())
		assert.Equal(t, "loading, loaded, verifying, verified, instantiating, instantiated, binding, bound, tearing down, down", states(s.rec))
		assert.Len(t, lifecycle.Of[lifecycle.PhaseEnded](s.rec.Events()), 5)
	})
	t.Run("an undo takes the phases that follow with it", func(t *testing.T) {
		s := newSystem()
		s.up(t, forward...)
		require.NoError(t, s.seq.Undo(t.Context(), lifecycle.Instantiate))
		assert.Equal(t, []string{"bind2", "bind1", "instantiate2", "instantiate1"}, s.names())
		assert.Equal(t, lifecycle.TearingDown, s.seq.State())
		require.NoError(t, s.seq.Undo(t.Context(), lifecycle.Bind))
		assert.Len(t, s.names(), 4)
	})
	t.Run("an undo of a phase that was not done does nothing", func(t *testing.T) {
		s := newSystem()
		s.up(t, lifecycle.Load)
		require.NoError(t, s.seq.Undo(t.Context(), lifecycle.Bind))
		assert.Empty(t, s.names())
		assert.Equal(t, lifecycle.Loaded, s.seq.State())
	})
	t.Run("refuses what is not a phase to do, and a phase out of turn", func(t *testing.T) {
		s := newSystem()
		require.EqualError(t, s.seq.Do(t.Context(), lifecycle.Teardown, succeed), `lifecycle: "teardown" is not a phase that can be done`)
		require.Error(t, s.seq.Undo(t.Context(), 0))
		err := s.seq.Do(t.Context(), lifecycle.Bind, func(context.Context) error { panic("must not run") })
		var illegal *lifecycle.TransitionError
		require.ErrorAs(t, err, &illegal)
		require.EqualError(t, err, `bind: lifecycle: no way from state "new" to "binding"`)
		assert.Empty(t, s.rec.Events())
	})
	for i, p := range forward {
		t.Run("a failure in "+p.String()+" undoes that phase alone, and it may be done again", func(t *testing.T) {
			s := newSystem()
			s.up(t, forward[:i]...)
			before := s.seq.State()
			broken := errors.New("broken")
			s.in[p] = func(context.Context) error { return broken }
			err := s.seq.Do(t.Context(), p, s.work(p))
			require.ErrorIs(t, err, broken)
			require.EqualError(t, err, p.String()+": module "+p.String()+"2: start: broken")
			assert.Equal(t, []string{p.String() + "1"}, s.names())
			assert.Equal(t, before, s.seq.State())
			delete(s.in, p)
			s.up(t, p)
		})
	}
	for name, do := range map[string]func(context.Context) error{
		"panic: ouch": func(context.Context) error { panic("ouch") },
		"panic: runtime.Goexit ended the goroutine": func(context.Context) error { runtime.Goexit(); return nil },
	} {
		t.Run("work itself is guarded: "+name, func(t *testing.T) {
			s := newSystem()
			err := s.seq.Do(t.Context(), lifecycle.Load, func(ctx context.Context) error {
				require.NoError(t, s.work(lifecycle.Load)(ctx))
				return do(ctx)
			})
			require.EqualError(t, err, "load: "+name)
			assert.Equal(t, []string{"load2", "load1"}, s.names())
			assert.Equal(t, lifecycle.New, s.seq.State())
		})
	}
	t.Run("a phase whose context ended has failed", func(t *testing.T) {
		s := newSystem()
		ctx, cancel := context.WithCancel(t.Context())
		err := s.seq.Do(ctx, lifecycle.Load, func(ctx context.Context) error {
			defer cancel()
			return s.work(lifecycle.Load)(ctx)
		})
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, []string{"load2", "load1"}, s.names())
	})
	t.Run("load may be repeated, and a failed one leaves the earlier", func(t *testing.T) {
		s := newSystem()
		s.up(t, lifecycle.Load, lifecycle.Load)
		s.in[lifecycle.Load] = func(context.Context) error { return errors.New("no") }
		require.Error(t, s.seq.Do(t.Context(), lifecycle.Load, s.work(lifecycle.Load)))
		assert.Equal(t, lifecycle.Loaded, s.seq.State())
		assert.Equal(t, 4, s.seq.Stack().Len())
		require.NoError(t, s.seq.Close())
		assert.Equal(t, []string{"load1", "load2", "load1", "load2", "load1"}, s.names())
	})
	t.Run("unload undoes what is chosen, newest first, and ends in New with the last", func(t *testing.T) {
		s := newSystem()
		require.ErrorContains(t, s.seq.Unload(t.Context(), func() ([]*lifecycle.Undo, error) {
			assert.Fail(t, "nothing is chosen in another state")
			return nil, nil
		}), `unload: lifecycle: no way from state "new"`)
		these := func(undos ...*lifecycle.Undo) func() ([]*lifecycle.Undo, error) {
			return func() ([]*lifecycle.Undo, error) {
				assert.Equal(t, lifecycle.Unloading, s.seq.State())
				return undos, nil
			}
		}
		var a, b, c *lifecycle.Undo
		require.NoError(t, s.seq.Do(t.Context(), lifecycle.Load, func(context.Context) error {
			a = push(t, s.seq.Stack(), "a", func(ctx context.Context) error { return s.close(ctx, "a") })
			b = push(t, s.seq.Stack(), "b", func(ctx context.Context) error { return s.close(ctx, "b") })
			c = push(t, s.seq.Stack(), "c", func(context.Context) error { return errors.New("stuck") })
			return nil
		}))
		require.NoError(t, s.seq.Unload(t.Context(), these(a, b)))
		assert.Equal(t, []string{"b", "a"}, s.names())
		assert.Equal(t, lifecycle.Loaded, s.seq.State())
		none := errors.New("not one of them")
		require.ErrorIs(t, s.seq.Unload(t.Context(), func() ([]*lifecycle.Undo, error) { return []*lifecycle.Undo{c}, none }), none)
		assert.Equal(t, lifecycle.Loaded, s.seq.State())
		assert.Equal(t, 1, s.seq.Stack().Len())
		require.EqualError(t, s.seq.Unload(t.Context(), these(c)), "module c: close: stuck")
		assert.Equal(t, lifecycle.New, s.seq.State())
		require.NoError(t, s.seq.Undo(t.Context(), lifecycle.Load), "is not done any more")
		s.up(t, lifecycle.Load)
		require.NoError(t, s.seq.Close())
		assert.Equal(t, []string{"b", "a", "load2", "load1"}, s.names())
	})
	t.Run("errors of undoing are in the end of the teardown, all of them", func(t *testing.T) {
		s := newSystem()
		for _, p := range forward {
			require.NoError(t, s.seq.Do(t.Context(), p, func(context.Context) error {
				push(t, s.seq.Stack(), p.String(), func(context.Context) error { return errors.New("stuck") })
				return nil
			}))
		}
		require.EqualError(t, s.seq.Undo(t.Context(), lifecycle.Bind), "module bind: close: stuck")
		require.EqualError(t, s.seq.Close(), "module instantiate: close: stuck\nmodule verify: close: stuck\nmodule load: close: stuck")
		ended := lifecycle.Of[lifecycle.PhaseEnded](s.rec.Events())
		assert.Equal(t, "module bind: close: stuck\nmodule instantiate: close: stuck\nmodule verify: close: stuck\nmodule load: close: stuck",
			ended[len(ended)-1].Err)
	})
}

func TestClose(t *testing.T) {
	t.Run("of a new sequence is down, and stays", func(t *testing.T) {
		s := newSystem()
		require.NoError(t, s.seq.Close())
		require.NoError(t, s.seq.Close())
		assert.Equal(t, "tearing down, down", states(s.rec))
		err := s.seq.Do(t.Context(), lifecycle.Load, s.work(lifecycle.Load))
		require.ErrorIs(t, err, lifecycle.ErrClosed)
	})
	t.Run("twice and concurrently undoes each once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSystem()
			s.up(t, forward...)
			for range 4 {
				go func() {
					assert.NoError(t, s.seq.Close())
					assert.Len(t, s.names(), 8)
				}()
				go func() { assert.NoError(t, s.seq.Undo(context.Background(), lifecycle.Bind)) }()
			}
			synctest.Wait()
			assert.Equal(t, []string{"bind2", "bind1", "instantiate2", "instantiate1", "verify2", "verify1", "load2", "load1"}, s.names())
			assert.Equal(t, lifecycle.Down, s.seq.State())
		})
	})
	for _, p := range forward {
		t.Run("during "+p.String()+" cancels it, waits, and undoes all", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSystem()
				s.in[p] = untilDone
				failed := make(chan error, 1)
				go func() {
					for _, p := range forward {
						if err := s.seq.Do(context.Background(), p, s.work(p)); err != nil {
							failed <- err
							return
						}
					}
				}()
				synctest.Wait()
				require.NoError(t, s.seq.Close())
				require.ErrorIs(t, <-failed, lifecycle.ErrClosed)
				assert.Equal(t, s.started(), reversed(s.names()))
				assert.Zero(t, s.seq.Stack().Len())
			})
		})
	}
	t.Run("passes a start that hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSystem()
			hung, release := hang()
			s.in[lifecycle.Instantiate] = hung
			s.up(t, lifecycle.Load, lifecycle.Verify)
			go func() {
				err := s.seq.Do(context.Background(), lifecycle.Instantiate, s.work(lifecycle.Instantiate))
				assert.ErrorIs(t, err, lifecycle.ErrAbandoned)
			}()
			synctest.Wait()
			began := time.Now()
			require.NoError(t, s.seq.Close())
			assert.Equal(t, time.Second, time.Since(began), "the grace")
			assert.Equal(t, s.started(), reversed(s.names()))
			release()
			synctest.Wait()
			assert.Equal(t, "instantiate2", s.names()[len(s.names())-1], "made too late, undone too")
		})
	})
	t.Run("from within a step ends that step and then all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSystem()
			s.in[lifecycle.Load] = func(context.Context) error { return s.seq.Close() }
			require.ErrorIs(t, s.seq.Do(t.Context(), lifecycle.Load, s.work(lifecycle.Load)), lifecycle.ErrAbandoned)
			synctest.Wait()
			assert.Equal(t, lifecycle.Down, s.seq.State())
			assert.Equal(t, []string{"load1", "load2"}, s.names(), "the second was made too late")
		})
	})
}

// started returns the modules whose start succeeded, in order.
func (s *system) started() []string {
	var all []string
	for _, e := range lifecycle.Of[lifecycle.StepEnded](s.rec.Events()) {
		if e.Step == "start" && e.Err == "" {
			all = append(all, e.Module)
		}
	}
	return all
}

func reversed(names []string) []string {
	var all []string
	for i := range names {
		all = append(all, names[len(names)-1-i])
	}
	return all
}
