// Command bench measures the module system beside its comparators, in one run and in turns, and prints one table: what
// was measured, what it was measured against, the ratio, and whether the target is reached. docs/benchmarks.md says how
// to read it.
//
// It is a Go module of its own, so that the comparators are no dependencies of the daemons. It is run in its own folder,
// because it builds what it measures: libraries in C and C++, a Go plugin, daemons.
//
// It is a program and no test binary: the trial child is the binary itself, and a Go plugin opens only in a binary that
// was built with the plugin's flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/native"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
)

// vehicles are those of the daemons.
func vehicles() []vehicle.Vehicle { return []vehicle.Vehicle{goplugin.New(""), native.New()} }

func main() {
	if carrierMain(os.Args) {
		return // it was started to echo
	}
	if serve.Isolated(vehicles()...) {
		return // it was started to carry a library
	}
	if trial.Main(vehicles()...) {
		return // it was started to try libraries out
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// topic is one row of the targets; it gives one or several lines of the table.
type topic struct {
	name    string
	measure func(context.Context, *bench) error
}

func topics() []topic {
	return []topic{
		{"handle", measureHandle},
		{"native", measureNative},
		{"plan", measurePlan},
		{"builtin", measureBuiltin},
		{"libraries", measureLibraries},
		{"metadata", measureMetadata},
		{"memory", measureMemory},
		{"process", measureProcess},
	}
}

// bench is one run.
type bench struct {
	shop   *workshop
	meter  meter
	lines  []line
	report func(format string, args ...any) // progress
}

func (b *bench) add(l line) { b.lines = append(b.lines, l) }

func run(ctx context.Context, args []string) error {
	testing.Init()
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := set.Int("rounds", 9, "how often each thing is measured")
	each := set.Duration("time", 100*time.Millisecond, "how long one measurement lasts")
	only := set.String("only", "", "measure only these, separated by commas: "+strings.Join(names(topics()), ", "))
	profile := set.String("cpuprofile", "", "write a CPU profile of the measurements to this file")
	if err := set.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(topics(), *only)
	if err != nil {
		return err
	}
	b := &bench{meter: meter{rounds: *rounds, each: *each}, report: func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}}
	if *rounds < 1 || *each <= 0 {
		return fmt.Errorf("-rounds %d of -time %v measure nothing", *rounds, *each)
	}
	if b.shop, err = newWorkshop(); err != nil {
		return err
	}
	defer b.shop.close()
	before := load()
	if err := profiled(*profile, func() error { return b.measure(ctx, chosen) }); err != nil {
		return err
	}
	fmt.Printf("%s, %d cores, %s; load average %s before and %s after; %d rounds of %v\n\n",
		system(), runtime.NumCPU(), runtime.Version(), before, load(), *rounds, *each)
	return render(os.Stdout, b.lines)
}

func (b *bench) measure(ctx context.Context, chosen []topic) error {
	for _, t := range chosen {
		b.report("%s …", t.name)
		if err := t.measure(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// profiled does work and writes its CPU profile, if there is a file for it.
func profiled(file string, work func() error) error {
	if file == "" {
		return work()
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	err = work()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

func names(all []topic) []string {
	var out []string
	for _, t := range all {
		out = append(out, t.name)
	}
	return out
}

// choose returns the topics named in list, in their own order; all of them for an empty list.
func choose(all []topic, list string) ([]topic, error) {
	if list == "" {
		return all, nil
	}
	wanted := strings.Split(list, ",")
	for _, name := range wanted {
		if !slices.Contains(names(all), name) {
			return nil, fmt.Errorf("there is nothing called %q to measure; there are: %s", name, strings.Join(names(all), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(t topic) bool { return !slices.Contains(wanted, t.name) }), nil
}
