package moduletest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/modules/calculator/example"
	"github.com/mesos-modules/mms/roles/calculator"
)

// printing stands for the *testing.T that a test is given.
type printing struct {
	testing.TB
	cleanups []func()
}

func (p *printing) Helper()                  {}
func (p *printing) Failed() bool             { return false }
func (p *printing) Cleanup(f func())         { p.cleanups = append(p.cleanups, f) }
func (p *printing) Context() context.Context { return context.Background() }
func (p *printing) TempDir() string          { return "" }
func (p *printing) Errorf(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
}

// shop is a module with all that the kit looks at: a requirement, a parameter, a log
// line, a measure.
var shop = facade.Library{Modules: []facade.Declared{facade.Module[calculator.Calculator]{
	Name: "org_example_shop", Version: "1.0.0",
	Requires:   []facade.Requirement{{Module: "org_example_tax", Version: ">=2"}},
	Parameters: facade.SchemaOf[settings](),
	New: func(_ context.Context, host facade.Host, p facade.Parameters) (calculator.Calculator, error) {
		tax, err := facade.Required[calculator.Calculator](host, "org_example_tax")
		if err != nil {
			return nil, err
		}
		s, err := facade.Decode[settings](p)
		if err != nil {
			return nil, err
		}
		host.Logger().Info("open", "greeting", s.Greeting)
		return &counter{tax: tax, sold: host.Metrics().Counter("sold", "How many were sold.")}, nil
	},
}}}

type settings struct {
	Greeting string `mms:"greeting" default:"hello"`
}

type counter struct {
	tax  calculator.Calculator
	sold facade.Counter
}

func (c *counter) Compute(ctx context.Context, a byte, b int64) (int32, error) {
	c.sold.Add(1)
	return c.tax.Compute(ctx, a, b)
}

// percent stands in for the module that the shop requires.
type percent struct{}

func (percent) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(b + b*int64(a)/100), nil
}

// The three lines: a kit, the module, a call.
func Example() {
	t := &printing{} // in a test, its *testing.T

	kit := moduletest.New(t, example.Library)
	calc := moduletest.Load[calculator.Calculator](kit, "org_apache_mesos_ExampleCalculator")
	fmt.Println(calc.Compute(t.Context(), 'A', 10))

	kit.Close() // a test may leave it out
	for _, step := range kit.Steps() {
		fmt.Println(step)
	}
	// Output:
	// 75 <nil>
	// load
	// load builtin open
	// verify
	// instantiate
	// instantiate org_apache_mesos_ExampleCalculator create
	// bind
	// bind org_apache_mesos_ExampleCalculator bind
	// teardown
	// teardown org_apache_mesos_ExampleCalculator drain
	// teardown org_apache_mesos_ExampleCalculator close
	// teardown builtin close
}

// What a module requires is given by With; StandIn makes a library of a fake.
func ExampleStandIn() {
	t := &printing{}
	kit := moduletest.New(t, shop,
		moduletest.With(moduletest.StandIn[calculator.Calculator]("org_example_tax", "2.1.0", percent{})),
		moduletest.Parameter("org_example_shop", "greeting", "good day"))
	defer kit.Close()

	price, err := moduletest.Load[calculator.Calculator](kit, "org_example_shop").Compute(t.Context(), 19, 100)
	fmt.Println(price, err)
	sold, _ := kit.Metric("org_example_shop", "sold")
	fmt.Println(sold)
	fmt.Println(kit.Log()[0])
	// Output:
	// 119 <nil>
	// 1
	// level=INFO msg=open module=org_example_shop greeting="good day"
}

// Findings are values, for tests that expect one.
func ExampleKit_RequireFinding() {
	t := &printing{}
	old := moduletest.StandIn[calculator.Calculator]("org_example_tax", "1.0.0", percent{})
	kit := moduletest.New(t, shop, moduletest.With(old))
	defer kit.Close()

	f := kit.RequireFinding(finding.VersionClash)
	fmt.Println(f.Module)
	// Output: org_example_tax
}

// Faults are options; TryLoad returns what comes of them.
func ExampleTryLoad() {
	t := &printing{}
	keeper := facade.Library{Modules: []facade.Declared{facade.Module[calculator.Calculator]{
		Name: "org_example_keeper",
		New: func(_ context.Context, host facade.Host, _ facade.Parameters) (calculator.Calculator, error) {
			if _, err := host.StateDir(); err != nil {
				return nil, fmt.Errorf("keep the results: %w", err)
			}
			return percent{}, nil
		},
	}}}
	full := errors.New("the disk is full")
	kit := moduletest.New(t, keeper, moduletest.FailStateDir(full))
	defer kit.Close()

	_, err := moduletest.TryLoad[calculator.Calculator](kit, "org_example_keeper")
	fmt.Println(errors.Is(err, full))
	// Output: true
}

// A module is called from many goroutines at once; -race judges.
func ExampleKit_Hammer() {
	t := &printing{}
	kit := moduletest.New(t, example.Library)
	defer kit.Close()
	calc := moduletest.Load[calculator.Calculator](kit, example.Name)

	kit.Hammer(8, 100, func(ctx context.Context, goroutine, call int) error {
		_, err := calc.Compute(ctx, byte(goroutine), int64(call))
		return err
	})
	fmt.Println("done")
	// Output: done
}
