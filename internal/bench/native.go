package main

import (
	"context"
	"testing"

	"github.com/mesos-modules/mms/internal/bench/object"
	"github.com/mesos-modules/mms/manager/vehicle/native/bridge"
	"github.com/mesos-modules/mms/roles/calculator"
)

func measureNative(_ context.Context, b *bench) error {
	wrapped, err := bridge.Wrap("Calculator", object.Address())
	if err != nil {
		return err
	}
	native := wrapped.(calculator.Calculator)
	bound, err := bind(native)
	if err != nil {
		return err
	}
	figures, err := b.meter.fine().interleave(
		subject{name: "bare cgo call", run: bareCgo},
		subject{name: "bridge", run: calls(native)},
		subject{name: "adds", run: twoAdds},
		subject{name: "handle", run: calls(bound)},
	)
	if err != nil {
		return err
	}
	bare, bridged, adds, through := figures[0], figures[1], figures[2], figures[3]
	b.add(line{what: "scalar call into a native module, bridge", ours: bridged, theirs: bare, target: "at most 1.15 times", under: 1.15, without: true})
	b.add(line{what: "… through the handle", ours: through, theirs: sum("bridge + two atomic adds", 0, bridged, adds),
		target: "at most 1.15 times the bare cgo call + two adds + 6 ns", limit: 1.15*bare.median() + adds.median() + spare, without: true})
	return nil
}

func bareCgo(b *testing.B) error {
	function := object.Function()
	total := int32(0)
	for b.Loop() {
		total += object.Bare(function, 'A', 10)
	}
	sink.Store(total)
	return nil
}
