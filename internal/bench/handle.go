package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle/builtin"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/roles/calculator"
)

// spare is what a handle may cost besides the bare call and two atomic adds, in nanoseconds.
const spare = 6

var sink atomic.Int32

// adder is a module that does next to nothing, so that the way to it is all that is measured.
type adder struct{}

//go:noinline
func (*adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

func measureHandle(ctx context.Context, b *bench) error {
	plugin, err := pluginCalculator(ctx, b.shop)
	if err != nil {
		return err
	}
	inside, err := builtinCalculator(ctx)
	if err != nil {
		return err
	}
	for _, v := range []struct {
		name     string
		instance calculator.Calculator
	}{{"builtin", inside}, {"goplugin", plugin}} {
		bound, err := bind(v.instance)
		if err != nil {
			return err
		}
		figures, err := b.meter.fine().interleave(
			subject{name: "bare", run: calls(v.instance)},
			subject{name: "adds", run: twoAdds},
			subject{name: "handle", run: calls(bound)},
			subject{name: "bare, two goroutines", run: twoGoroutines(callsIn(v.instance))},
			subject{name: "adds, two goroutines", run: twoGoroutines(addsIn())},
			subject{name: "handle, two goroutines", run: twoGoroutines(callsIn(bound))},
		)
		if err != nil {
			return err
		}
		b.add(line{what: "call through a handle, " + v.name, ours: figures[2],
			theirs: sum("bare call + two atomic adds", 0, figures[0], figures[1]), target: "0 allocs; at most that + 6 ns",
			limit: figures[0].median() + figures[1].median() + spare, without: true})
		b.add(line{what: "… two goroutines on it", ours: figures[5],
			theirs: sum("the same, two goroutines", 0, figures[3], figures[4]), target: "reported"})
	}
	return nil
}

// builtinCalculator makes an instance the way the manager does.
func builtinCalculator(ctx context.Context) (calculator.Calculator, error) {
	library := builtin.New("builtin", facade.Library{Modules: []facade.Declared{facade.Module[calculator.Calculator]{
		Name: "org_example_adder",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return &adder{}, nil
		},
	}}})
	made, err := library.Create(ctx, "org_example_adder", nil, nil)
	if err != nil {
		return nil, err
	}
	return made.Value.(calculator.Calculator), nil
}

// pluginCalculator opens the Go plugin of this module and makes an instance.
func pluginCalculator(ctx context.Context, shop *workshop) (calculator.Calculator, error) {
	path, err := shop.plugin(ctx)
	if err != nil {
		return nil, err
	}
	f, err := file.Look(path, file.Options{})
	if err != nil {
		return nil, err
	}
	v := goplugin.New("")
	d, _, err := v.Recognise(f)
	if err != nil {
		return nil, err
	}
	library, err := v.Open(ctx, f, d)
	if err != nil {
		return nil, err
	}
	made, err := library.Create(ctx, "org_example_plugin_adder", nil, nil)
	if err != nil {
		return nil, err
	}
	return made.Value.(calculator.Calculator), nil
}

// bind puts an instance behind a handle.
func bind(instance calculator.Calculator) (calculator.Calculator, error) {
	h, err := handle.New("Calculator", handle.Options{Site: "calculator", Module: "org_example_adder"})
	if err != nil {
		return nil, err
	}
	return h.(calculator.Calculator), h.Bind(instance)
}

func calls(c calculator.Calculator) func(*testing.B) error {
	return func(b *testing.B) error {
		ctx := context.Background()
		total := int32(0)
		for b.Loop() {
			value, err := c.Compute(ctx, 'A', 10)
			if err != nil {
				return err
			}
			total += value
		}
		sink.Store(total)
		return nil
	}
}

func twoAdds(b *testing.B) error {
	var n atomic.Int64
	for b.Loop() {
		n.Add(1)
		n.Add(-1)
	}
	return nil
}

// twoGoroutines runs work on two goroutines and, where there are as many, on two cores.
func twoGoroutines(work func(*testing.PB)) func(*testing.B) error {
	return func(b *testing.B) error {
		before := runtime.GOMAXPROCS(2)
		defer runtime.GOMAXPROCS(before)
		b.SetParallelism(1)
		b.RunParallel(work)
		return nil
	}
}

func callsIn(c calculator.Calculator) func(*testing.PB) {
	return func(p *testing.PB) {
		ctx := context.Background()
		total := int32(0)
		for p.Next() {
			value, _ := c.Compute(ctx, 'A', 10)
			total += value
		}
		sink.Store(total)
	}
}

// addsIn counts in one place that the goroutines share, as the calls of one handle do.
func addsIn() func(*testing.PB) {
	var n atomic.Int64
	return func(p *testing.PB) {
		for p.Next() {
			n.Add(1)
			n.Add(-1)
		}
	}
}
