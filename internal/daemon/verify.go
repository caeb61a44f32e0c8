package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"syscall"

	"github.com/hashicorp/go-multierror"

	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/verify"
)

// verifyOnly loads and verifies, and prints the report on standard output.
func verifyOnly(ctx context.Context, o Options, f *flagSet, notices []flags.Notice) int {
	for _, n := range notices {
		fmt.Fprintf(o.Stderr, "notice: %v\n", n)
	}
	result, err := verified(ctx, o, f)
	if err != nil {
		fmt.Fprintf(o.Stderr, "%v: %v\n", o.Daemon, err)
		return ExitStart
	}
	v := reportOf(o, result)
	if err := f.print(o, v); errors.Is(err, syscall.EPIPE) {
		return exitSignal + int(syscall.SIGPIPE) // "| head" has seen enough
	} else if err != nil {
		fmt.Fprintf(o.Stderr, "%v: print the report: %v\n", o.Daemon, err)
		return ExitStart
	}
	if len(result.Findings) > 0 {
		return ExitFindings
	}
	return ExitOK
}

// verified is what verification came to. An error says that it did not come to
// anything.
func verified(ctx context.Context, o Options, f *flagSet) (verify.Result, error) {
	wanted, said := f.read()
	if len(said.Findings) > 0 {
		return said, nil
	}
	m, err := manager.New(f.config(o, wanted, slog.New(slog.DiscardHandler)))
	if err != nil {
		return verify.Result{}, err
	}
	defer func() { _ = m.Close() }() // nothing was made, and the process ends
	err = m.Load(ctx, wanted)
	if err == nil {
		err = m.Verify(ctx)
	}
	var found *finding.Error
	if err != nil && !errors.As(err, &found) {
		return verify.Result{}, err
	}
	result := m.Result()
	result.Notices = append(said.Notices, result.Notices...)
	return result, nil
}

func reportOf(o Options, r verify.Result) report.Verification {
	return report.Verification{Daemon: o.Daemon.String(), MesosVersion: o.Version, Findings: r.Findings, Notices: r.Notices, Plan: r.Plan}
}

// read reads the manifest. What is wrong with it are findings like all others.
func (f *flagSet) read() (manifest.Manifest, verify.Result) {
	var said verify.Result
	m, notices, err := manifest.Load(f.modules.Get(), f.modulesDir.Get(), manifest.Options{Relaxed: f.relaxedModules.Get()})
	for _, n := range notices {
		said.Notices = append(said.Notices, verify.Notice{ID: manifestNotice, Text: n.String()})
	}
	for _, problem := range problemsOf(err) {
		said.Findings = append(said.Findings, manifestFinding(problem))
	}
	return m, said
}

const manifestNotice verify.NoticeID = "manifest"

func manifestFinding(problem error) finding.Finding {
	f := finding.Finding{Rule: finding.Manifest, Problem: problem.Error()}
	var parts *manifest.Problem
	if errors.As(problem, &parts) {
		f.Problem, f.Mend = parts.Parts()
	}
	return f
}

// problemsOf are the single errors of one that holds several.
func problemsOf(err error) []error {
	if err == nil {
		return nil
	}
	var several *multierror.Error
	if errors.As(err, &several) {
		return several.Errors
	}
	return []error{err}
}
