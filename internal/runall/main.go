// Command runall is what "make run" shows: it starts a master and a slave with modules
// from the sample libraries bound into them, lets both print their phases and closing
// tables, asks the bound modules over HTTP, runs tasks on the cluster with
// mesos-execute, and stops it. It fails if anything is not as it should be.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// limit bounds everything together.
const limit = 2 * time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
	fmt.Println("\nThe cluster did what it should.")
}

// masterPlan takes its manifest as a file, slavePlan has the short form.
func masterPlan() plan {
	return plan{
		daemon: "mesos-master",
		args: []string{
			"--modules=file://" + here("examples/run/master.json"), "--modules_path=build/lib",
			"--calculator=example,org_example_maximum,org_example_quotient,org_example_multiplier@>=1.1,org_apache_mesos_ExampleCalculator",
		},
		questions: []question{
			{"/calculators?a=A&b=10", `{"calculators":[` +
				`{"module":"example","result":75},` +
				`{"module":"org_example_maximum","result":65},` +
				`{"module":"org_example_quotient","result":6},` +
				`{"module":"org_example_multiplier","result":1950},` +
				`{"module":"org_apache_mesos_ExampleCalculator","result":75}]}`},
			{"/calculators?a=A&b=0", `{"calculators":[` +
				`{"module":"example","result":65},` +
				`{"module":"org_example_maximum","result":65},` +
				`{"module":"org_example_quotient","error":"division by zero"},` +
				`{"module":"org_example_multiplier","result":0},` +
				`{"module":"org_apache_mesos_ExampleCalculator","result":65}]}`},
		},
	}
}

func slavePlan(master string) plan {
	return plan{
		daemon: "mesos-slave",
		args: []string{
			"--master=" + master, "--runtime_dir=build/run/runtime",
			"--modules=build/lib/libcalculator.so:example,build/lib/libdifference.so:org_example_difference," +
				"build/lib/libhello.so:org_apache_mesos_TestModule,build/lib/libgoplugin.so:org_example_multiplier," +
				"build/lib/libgoplugin.so:org_example_decorator,build/lib/remainder:org_example_remainder",
			"--calculator=org_example_difference,example,org_example_multiplier,org_example_remainder",
			"--test_module=org_apache_mesos_TestModule",
			"--hooks=org_example_decorator",
		},
		questions: []question{
			{"/calculators?a=A&b=10", `{"calculators":[` +
				`{"module":"org_example_difference","result":55},` +
				`{"module":"example","result":75},` +
				`{"module":"org_example_multiplier","result":650},` +
				`{"module":"org_example_remainder","result":5}]}`},
			{"/test_module?method=foo&a=A&b=1024", `{"method":"foo","result":1089}`},
			{"/test_module?method=bar&a=0.5&b=10.8", `{"method":"bar","result":5}`},
			{"/test_module?method=baz&a=5&b=10", `{"method":"baz","result":-1}`},
		},
	}
}

// jobs are the tasks. The decorator, a module from a Go plugin, has its part in each.
func jobs() []job {
	return []job{
		{args: []string{"--name=hello", `--command=echo "$GREETING, says task hello"; uname -s >&2`},
			shows: []string{"Hello from a module, says task hello", "Linux"}},
		{args: []string{"--name=fails", "--command=echo goes wrong; exit 3"}, shows: []string{"goes wrong"}, status: 3},
		{args: []string{"--task=file://" + here("examples/run/task.json")}, shows: []string{"from JSON: Hello from a module"}},
	}
}

func run(ctx context.Context) error {
	if err := os.RemoveAll("build/run"); err != nil { // what an earlier run left
		return err
	}
	master, err := masterPlan().start(ctx)
	if err != nil {
		return fmt.Errorf("mesos-master: %w", err)
	}
	slave, err := slavePlan(master.Address).start(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("mesos-slave: %w", err), master.Stop())
	}
	for _, j := range jobs() {
		if err = j.run(ctx, master.Address); err != nil {
			break
		}
	}
	return errors.Join(err, slave.Stop(), master.Stop())
}

// here makes a path of the repository absolute.
func here(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
