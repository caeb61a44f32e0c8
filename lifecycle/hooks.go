package lifecycle

import (
	"context"
	"math"
	"time"

	"go.uber.org/fx"
)

// Work is what the phases do. A nil function is a phase without work.
type Work struct {
	Load, Verify, Instantiate, Bind func(context.Context) error
}

// Hooks appends one hook per phase to an fx app, in order; their stops are the
// mirror image. Whoever appends later starts after bind and stops before unbinding.
// The hooks carry the phase in their function names, which is what fx's events show.
func (q *Sequence) Hooks(lc fx.Lifecycle, w Work) {
	h := hooks{q, w}
	lc.Append(fx.Hook{OnStart: h.load, OnStop: h.undoLoad})
	lc.Append(fx.Hook{OnStart: h.verify, OnStop: h.undoVerify})
	lc.Append(fx.Hook{OnStart: h.instantiate, OnStop: h.undoInstantiate})
	lc.Append(fx.Hook{OnStart: h.bind, OnStop: h.undoBind})
}

// hooks are the functions fx calls; one each, for the names in fx's events.
type hooks struct {
	q *Sequence
	w Work
}

func (h hooks) load(ctx context.Context) error   { return h.start(ctx, Load, h.w.Load) }
func (h hooks) verify(ctx context.Context) error { return h.start(ctx, Verify, h.w.Verify) }
func (h hooks) instantiate(ctx context.Context) error {
	return h.start(ctx, Instantiate, h.w.Instantiate)
}
func (h hooks) bind(ctx context.Context) error            { return h.start(ctx, Bind, h.w.Bind) }
func (h hooks) undoBind(ctx context.Context) error        { return h.q.Undo(ctx, Bind) }
func (h hooks) undoInstantiate(ctx context.Context) error { return h.q.Undo(ctx, Instantiate) }
func (h hooks) undoVerify(ctx context.Context) error      { return h.q.Undo(ctx, Verify) }
func (h hooks) undoLoad(ctx context.Context) error        { return h.q.Undo(ctx, Load) }

func (h hooks) start(ctx context.Context, p Phase, work func(context.Context) error) error {
	if work == nil {
		work = func(context.Context) error { return nil }
	}
	return h.q.Do(ctx, p, work)
}

// Timeouts sets the start and stop limits of an fx app above the sum of the given
// limits of single steps (0: the runner's), each with its grace, plus fx's own
// default for all other hooks: so that a step which hangs meets its own limit
// first, and fx's only if something else is wrong.
func (r *Runner) Timeouts(start, stop []time.Duration) fx.Option {
	return fx.Options(fx.StartTimeout(r.above(start)), fx.StopTimeout(r.above(stop)))
}

func (r *Runner) above(limits []time.Duration) time.Duration {
	sum := fx.DefaultTimeout
	for _, l := range limits {
		step := r.limit(l)
		if step > math.MaxInt64-r.grace()-sum {
			return math.MaxInt64
		}
		sum += step + r.grace()
	}
	return sum
}
