package lifecycle_test

import (
	"context"
	"testing"

	"github.com/mesos-modules/mms/lifecycle"
)

// BenchmarkRunner1000 is what the machinery costs 1 000 modules: 3 000 guarded
// steps (create, bind, close) with their events.
func BenchmarkRunner1000(b *testing.B) {
	b.ReportAllocs()
	steps := []lifecycle.Step{
		{Phase: lifecycle.Instantiate, Module: "org_example_module", Name: "create"},
		{Phase: lifecycle.Bind, Module: "org_example_module", Name: "bind"},
		{Phase: lifecycle.Teardown, Module: "org_example_module", Name: "close"},
	}
	for b.Loop() {
		r := &lifecycle.Runner{Bus: lifecycle.NewBus(lifecycle.BusOptions{})}
		for _, s := range steps {
			for range 1000 {
				if err := r.Run(b.Context(), s, succeed); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/3000, "ns/step")
}

// BenchmarkStack1000 is the same through Start, Push and Close, as the manager does it.
func BenchmarkStack1000(b *testing.B) {
	b.ReportAllocs()
	create := lifecycle.Step{Phase: lifecycle.Instantiate, Module: "org_example_module", Name: "create"}
	bind := lifecycle.Step{Phase: lifecycle.Bind, Module: "org_example_module", Name: "bind"}
	closing := lifecycle.Step{Phase: lifecycle.Teardown, Module: "org_example_module", Name: "close"}
	for b.Loop() {
		r := &lifecycle.Runner{Bus: lifecycle.NewBus(lifecycle.BusOptions{})}
		s := lifecycle.NewStack(r)
		for range 1000 {
			_, _, err := lifecycle.Start(b.Context(), s, create,
				func(context.Context) (int, error) { return 1, nil }, closing,
				func(context.Context, int) error { return nil })
			if err != nil {
				b.Fatal(err)
			}
		}
		for range 1000 {
			if err := r.Run(b.Context(), bind, succeed); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	b.ReportAllocs()
	bus := lifecycle.NewBus(lifecycle.BusOptions{})
	bus.Observe(func(lifecycle.Event) {})
	e := lifecycle.StepBegan{Header: lifecycle.Header{Phase: lifecycle.Bind, Module: "org_example_module"}, Step: "bind"}
	for b.Loop() {
		bus.Publish(e)
	}
}
