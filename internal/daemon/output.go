package daemon

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/mesos-modules/mms/internal/console"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/report"
)

// output is what a serving daemon writes: phases, reports and log lines to standard
// error, and the log to a file where there is one.
type output struct {
	log     *slog.Logger // what modules and fx log to
	file    *slog.Logger // nil without --log_dir; events go there too
	quiet   bool
	style   report.Style
	console *console.Console
	closes  func() error

	verbosity *Verbosity
}

func newOutput(o Options, f *flagSet) (*output, error) {
	level := levelOf(f.loggingLevel.Get())
	out := &output{
		verbosity: newVerbosity(level),
		quiet:     f.quiet.Get(), style: styleOf(o.Stderr, o.Env), closes: func() error { return nil },
		console: console.New(console.Options{
			Out:     o.Stderr,
			Color:   console.Color(o.Stderr, func(name string) string { return variable(o.Env, name) }),
			Verbose: level <= slog.LevelDebug,
		}),
	}
	var shown slog.Leveler = out.verbosity.shown
	if out.quiet {
		shown = slog.LevelError
	}
	var handler slog.Handler = slog.NewTextHandler(out.console, &slog.HandlerOptions{Level: shown})
	if f.logDir.Has() {
		if err := os.MkdirAll(f.logDir.Get(), 0o755); err != nil { // as upstream does
			return nil, fmt.Errorf("make the folder of the log: %w", err)
		}
		path := logIn(f.logDir.Get(), o)
		file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
		if err != nil {
			return nil, fmt.Errorf("open the log: %w", err)
		}
		out.closes = file.Close
		lines := slog.NewJSONHandler(file, &slog.HandlerOptions{Level: out.verbosity.shown})
		out.file = slog.New(lines)
		handler = slog.NewMultiHandler(handler, lines)
	}
	out.log = slog.New(handler)
	return out, nil
}

func levelOf(name string) slog.Level {
	switch name {
	case debugLevel:
		return slog.LevelDebug
	case warningLevel:
		return slog.LevelWarn
	case errorLevel:
		return slog.LevelError
	default: // the flag takes no other word
		return slog.LevelInfo
	}
}

// observe has the events told: by the console, or by log lines where it is silent.
func (out *output) observe(bus *lifecycle.Bus) {
	if !out.quiet {
		bus.Observe(out.console.Observe)
	}
	switch {
	case out.quiet:
		bus.Observe(lifecycle.NewLogger(out.log))
	case out.file != nil:
		bus.Observe(lifecycle.NewLogger(out.file))
	}
}

// told writes a line for people.
func (out *output) told(format string, args ...any) {
	if !out.quiet {
		out.console.Printf(format, args...)
	}
}

// answers says where the daemon can be asked from now on.
func (out *output) answers(o Options, address string) {
	out.told("%v: answers at http://%s", o.Daemon, address)
	if out.file != nil {
		out.file.Info("answers", "address", address)
	}
}

// report writes a report for people, in one piece, between blank lines.
func (out *output) report(write func(io.Writer, report.Style) error) {
	if out.quiet {
		return
	}
	b := bytes.NewBufferString("\n")
	if err := write(b, out.style); err != nil {
		fmt.Fprintf(b, "the report could not be written: %v\n", err)
	}
	b.WriteByte('\n')
	out.console.Print(b.String())
}

func (out *output) close() {
	out.verbosity.close()
	out.console.Close()
	_ = out.closes() // every line is in the file already
}

// failure writes an error, however quiet the daemon is.
func failure(o Options, format string, args ...any) {
	fmt.Fprintf(o.Stderr, format+"\n", args...)
}

// styleOf is how reports look on w.
func styleOf(w io.Writer, env []string) report.Style {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return report.Style{}
	}
	style := report.Style{Boxes: true, Colour: console.Color(w, func(name string) string { return variable(env, name) })}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		style.Width = width
	}
	return style
}
