// Command runall is what "make run" shows: it starts both daemons with the sample
// libraries, lets them print their phases and closing tables, asks the bound modules
// over HTTP, and stops both. It fails if anything is not as it should be.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// limit bounds everything together.
const limit = time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
	fmt.Println("Both daemons did what they should.")
}

// plans are the two daemons, with what to ask them. The master gets its manifest as
// a file, the slave in the short form.
func plans() []plan {
	return []plan{
		{
			daemon: "mesos-master",
			args: []string{
				"--registry=in_memory", "--modules=file://" + here("examples/run/master.json"), "--modules_path=build/lib",
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
		},
		{
			daemon: "mesos-slave",
			args: []string{
				"--master=127.0.0.1:1", "--work_dir=" + here("build/run/slave"), "--runtime_dir=" + here("build/run/runtime"),
				"--modules=build/lib/libcalculator.so:example,build/lib/libdifference.so:org_example_difference," +
					"build/lib/libhello.so:org_apache_mesos_TestModule,build/lib/libgoplugin.so:org_example_multiplier",
				"--calculator=org_example_difference,example,org_example_multiplier",
				"--test_module=org_apache_mesos_TestModule",
			},
			questions: []question{
				{"/calculators?a=A&b=10", `{"calculators":[` +
					`{"module":"org_example_difference","result":55},` +
					`{"module":"example","result":75},` +
					`{"module":"org_example_multiplier","result":650}]}`},
				{"/test_module?method=foo&a=A&b=1024", `{"method":"foo","result":1089}`},
				{"/test_module?method=bar&a=0.5&b=10.8", `{"method":"bar","result":5}`},
				{"/test_module?method=baz&a=5&b=10", `{"method":"baz","result":-1}`},
			},
		},
	}
}

func run(ctx context.Context) error {
	for _, p := range plans() {
		if err := p.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.daemon, err)
		}
	}
	return nil
}

// here makes a path of the repository absolute.
func here(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	return dir + "/" + path
}
