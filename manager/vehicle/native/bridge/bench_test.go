package bridge

import (
	"context"
	"testing"
	"time"

	"github.com/mesos-modules/mms/manager/vehicle/native/bridge/internal/objects"
	"github.com/mesos-modules/mms/roles/calculator"
)

// The comparator of a call through the bridge is a bare cgo call of the same C function, in the same run.

var result int32

func BenchmarkBareCgo(b *testing.B) {
	function := objects.Function()
	for b.Loop() {
		result += objects.Bare(function, 'A', 10)
	}
}

func BenchmarkBridge(b *testing.B) {
	c := wrapped[calculator.Calculator](b, "Calculator", "adder")
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		v, _ := c.Compute(ctx, 'A', 10)
		result += v
	}
}

func BenchmarkBridgeWithCancel(b *testing.B) {
	c := wrapped[calculator.Calculator](b, "Calculator", "adder")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		v, _ := c.Compute(ctx, 'A', 10)
		result += v
	}
}

func wrapped[T any](t testing.TB, role, object string) T {
	t.Helper()
	instance, err := Wrap(role, objects.Object(object))
	if err != nil {
		t.Fatal(err)
	}
	return instance.(T)
}

// BenchmarkRatio measures bridge and bare call in turns and compares the fastest batch of each, which other work on the
// machine disturbs least. The bridge may cost 1.15 times the bare call.
func BenchmarkRatio(b *testing.B) {
	const batch = 2000
	ctx := context.Background()
	c := wrapped[calculator.Calculator](b, "Calculator", "adder")
	function := objects.Function()
	bare, bridge := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		for range batch {
			result += objects.Bare(function, 'A', 10)
		}
		middle := time.Now()
		for range batch {
			v, _ := c.Compute(ctx, 'A', 10)
			result += v
		}
		bare, bridge = min(bare, middle.Sub(start)), min(bridge, time.Since(middle))
	}
	b.ReportMetric(float64(bare)/batch, "bare-ns/call")
	b.ReportMetric(float64(bridge)/batch, "bridge-ns/call")
	b.ReportMetric(float64(bridge)/float64(bare), "x-bare")
}
