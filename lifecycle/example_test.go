package lifecycle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.uber.org/fx"

	"github.com/mesos-modules/mms/lifecycle"
)

// A system of one module, as fx hooks; main defers Close in any case.
func Example() {
	bus := lifecycle.NewBus(lifecycle.BusOptions{})
	bus.Observe(func(e lifecycle.Event) { fmt.Println(lifecycle.Line(e)) })
	seq := lifecycle.NewSequence(&lifecycle.Runner{Bus: bus})
	defer func() { _ = seq.Close() }()

	instantiate := func(ctx context.Context) error {
		_, _, err := lifecycle.Start(ctx, seq.Stack(),
			lifecycle.Step{Phase: lifecycle.Instantiate, Module: "org_example_drf", Name: "create", Limit: 5 * time.Second},
			func(context.Context) (*int, error) { return new(int), nil },
			lifecycle.Step{Phase: lifecycle.Teardown, Module: "org_example_drf", Name: "close"},
			func(context.Context, *int) error { return nil })
		return err
	}
	app := fx.New(fx.NopLogger, fx.Invoke(func(lc fx.Lifecycle) {
		seq.Hooks(lc, lifecycle.Work{Instantiate: instantiate})
	}))
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
	}
	if err := app.Stop(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// state new -> loading
	// load begins
	// load ends
	// state loading -> loaded
	// state loaded -> verifying
	// verify begins
	// verify ends
	// state verifying -> verified
	// state verified -> instantiating
	// instantiate begins
	// instantiate org_example_drf create begins
	// instantiate org_example_drf create ends
	// instantiate ends
	// state instantiating -> instantiated
	// state instantiated -> binding
	// bind begins
	// bind ends
	// state binding -> bound
	// state bound -> tearing down
	// teardown begins
	// teardown org_example_drf close begins
	// teardown org_example_drf close ends
	// teardown ends
	// state tearing down -> down
}

func ExampleRunner_Run() {
	r := &lifecycle.Runner{Grace: time.Millisecond}
	forever := make(chan struct{})
	defer close(forever)

	step := lifecycle.Step{Phase: lifecycle.Verify, Module: "org_example_drf", Name: "check", Limit: time.Millisecond}
	err := r.Run(context.Background(), step, func(context.Context) error { panic("no table") })
	fmt.Println(err)
	err = r.Run(context.Background(), step, func(context.Context) error { <-forever; return nil })
	fmt.Println(errors.Is(err, lifecycle.ErrAbandoned))
	// Output:
	// module org_example_drf: check: panic: no table
	// true
}

func ExampleStack() {
	stack := lifecycle.NewStack(&lifecycle.Runner{})
	for _, name := range []string{"base", "middle", "top"} {
		_, err := stack.Push(lifecycle.Step{Module: name, Name: "close"}, func(context.Context) error {
			if name == "middle" {
				return errors.New("disk full")
			}
			fmt.Println("closed", name)
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(stack.Close(context.Background()))
	// Output:
	// closed top
	// closed base
	// module middle: close: disk full
}

// A subscriber that comes late gets what is kept, and is told what is not.
func ExampleBus_Subscribe() {
	bus := lifecycle.NewBus(lifecycle.BusOptions{Capacity: 2})
	for _, text := range []string{"one", "two", "three", "four"} {
		bus.Publish(lifecycle.Notice{Text: text})
	}
	last := bus.Last()
	for e := range bus.Subscribe(context.Background(), 1) {
		fmt.Println(lifecycle.Line(e))
		if e.Head().Seq == last {
			break
		}
	}
	// Output:
	// gap: events 1 to 2 were missed
	// notice: three
	// notice: four
}

func ExampleParseEvent() {
	data, err := json.Marshal(lifecycle.StepEnded{
		Header: lifecycle.Header{Seq: 9, At: time.Unix(0, 0).UTC(), Phase: lifecycle.Load, Library: "libcalc.so"},
		Step:   "open", Duration: 1500 * time.Microsecond,
	})
	fmt.Println(string(data), err)
	event, err := lifecycle.ParseEvent(data)
	fmt.Println(lifecycle.Line(event), err)
	// Output:
	// {"type":"StepEnded","seq":9,"at":"1970-01-01T00:00:00Z","phase":"load","library":"libcalc.so","step":"open","duration_ns":1500000,"duration":"1.5ms"} <nil>
	// load libcalc.so open ends <nil>
}

func ExampleNewLogger() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	bus := lifecycle.NewBus(lifecycle.BusOptions{})
	bus.Observe(lifecycle.NewLogger(slog.New(handler)))
	bus.Publish(lifecycle.PhaseBegan{Header: lifecycle.Header{Phase: lifecycle.Verify}})
	bus.Publish(lifecycle.StepBegan{Header: lifecycle.Header{Phase: lifecycle.Verify, Module: "a"}, Step: "check"}) // debug
	// Output:
	// level=INFO msg="verify begins" event=PhaseBegan seq=1 phase=verify
}

func ExampleMachine() {
	m := lifecycle.NewMachine(nil)
	fmt.Println(m.State(), m.To(lifecycle.Loading))
	fmt.Println(m.State(), m.To(lifecycle.Bound))
	// Output:
	// new <nil>
	// loading lifecycle: no way from state "loading" to "bound"
}
