package handle

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesos-modules/mms/roles/calculator"
)

// The comparators of a call through a handle run in the same process: a bare call through the role's interface, and the
// two atomic adds that counting calls costs on this machine.

type adder struct{ _ int } // of some size, so that instances differ

//go:noinline
func (a *adder) Compute(_ context.Context, x byte, y int64) (int32, error) {
	return int32(int64(x) + y), nil
}

var sink int32

func benchmarkCall(b *testing.B, c calculator.Calculator) {
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		v, _ := c.Compute(ctx, 'A', 10)
		sink += v
	}
}

func benchmarkParallel(b *testing.B, c calculator.Calculator) {
	ctx := context.Background()
	b.SetParallelism(1)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := c.Compute(ctx, 'A', 10); err != nil {
				b.Error(err)
			}
		}
	})
}

func bound(b *testing.B) calculator.Calculator {
	h, err := New("Calculator", Options{Site: "calculator", Module: "adder"})
	if err != nil {
		b.Fatal(err)
	}
	if err := h.Bind(&adder{}); err != nil {
		b.Fatal(err)
	}
	return h.(calculator.Calculator)
}

func BenchmarkBare(b *testing.B)           { benchmarkCall(b, &adder{}) }
func BenchmarkHandle(b *testing.B)         { benchmarkCall(b, bound(b)) }
func BenchmarkParallelBare(b *testing.B)   { benchmarkParallel(b, &adder{}) }
func BenchmarkParallelHandle(b *testing.B) { benchmarkParallel(b, bound(b)) }

func BenchmarkTwoAtomicAdds(b *testing.B) {
	var n atomic.Int64
	for b.Loop() {
		n.Add(1)
		n.Add(-1)
	}
}

// BenchmarkOverhead measures handle, bare call and adds in turns and compares the fastest batch of each, which other work on the
// machine disturbs least. A handle may cost a bare call, two atomic adds and 6 ns.
func BenchmarkOverhead(b *testing.B) {
	const batch = 5000
	ctx := context.Background()
	var plain calculator.Calculator = &adder{}
	handled := bound(b)
	var n atomic.Int64
	bare, adds, whole := time.Hour, time.Hour, time.Hour
	for b.Loop() {
		t0 := time.Now()
		for range batch {
			v, _ := plain.Compute(ctx, 'A', 10)
			sink += v
		}
		t1 := time.Now()
		for range batch {
			n.Add(1)
			n.Add(-1)
		}
		t2 := time.Now()
		for range batch {
			v, _ := handled.Compute(ctx, 'A', 10)
			sink += v
		}
		bare, adds, whole = min(bare, t1.Sub(t0)), min(adds, t2.Sub(t1)), min(whole, time.Since(t2))
	}
	b.ReportMetric(float64(bare)/batch, "bare-ns/call")
	b.ReportMetric(float64(adds)/batch, "adds-ns/call")
	b.ReportMetric(float64(whole)/batch, "handle-ns/call")
	b.ReportMetric(float64(whole-bare-adds)/batch, "over-ns/call")
}
