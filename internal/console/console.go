// Package console tells the person who started a daemon what its module system
// does, as it happens: a line when a phase begins and one when it ends, what
// fails, what takes long. Everything comes from lifecycle events.
//
// On a terminal lines are coloured; NO_COLOR and a pipe make them plain.
package console

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/mesos-modules/mms/lifecycle"
)

// Options say how much is told, and where.
type Options struct {
	Out     io.Writer
	Color   bool
	Verbose bool // also steps that go well
}

// Color reports whether w is a terminal on which colours are wanted: NO_COLOR,
// with any value, and TERM=dumb forbid them. env looks a variable up.
func Color(w io.Writer, env func(string) string) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && env("NO_COLOR") == "" && env("TERM") != "dumb"
}

// Console writes to one writer. All methods may be called from any goroutine.
type Console struct {
	o Options

	mu    sync.Mutex
	count tally // of the phase under way
	late  map[step]*reminder
	ended bool
}

// tally is what came of the steps of a phase.
type tally struct {
	ok               map[string]int // by name of the step
	failed, findings int
}

// New returns a console that has nothing to tell yet.
func New(o Options) *Console {
	return &Console{o: o, count: tally{ok: map[string]int{}}, late: map[step]*reminder{}}
}

// Observe tells an event; it is a [lifecycle.Observer].
func (c *Console) Observe(e lifecycle.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := e.(type) {
	case lifecycle.PhaseBegan:
		c.count = tally{ok: map[string]int{}}
		c.line(phaseOf(e.Header), "begins")
	case lifecycle.PhaseEnded:
		c.phaseEnded(e)
	case lifecycle.StepBegan:
		c.remind(e)
	case lifecycle.StepEnded:
		c.stepEnded(e)
	case lifecycle.StepPanicked:
		c.line(phaseOf(e.Header), c.bad(fmt.Sprintf("%s: panicked in %s: %s", who(e.Header), e.Step, oneLine(e.Value))))
	case lifecycle.StepAbandoned:
		c.line(phaseOf(e.Header), c.bad(fmt.Sprintf("%s: did not come back from %s and is left behind: %s", who(e.Header), e.Step, oneLine(e.Cause))))
	case lifecycle.StepReturnedLate:
		c.line(phaseOf(e.Header), fmt.Sprintf("%s: came back from %s after all, after %s", who(e.Header), e.Step, rounded(e.Duration)))
	case lifecycle.CallPanicked:
		c.line("call", c.bad(fmt.Sprintf("%s: panicked in %s: %s", who(e.Header), e.Method, oneLine(e.Value))))
	case lifecycle.Notice:
		c.line(phaseOf(e.Header), c.warn("notice: ")+subject(e.Header)+oneLine(e.Text))
	case lifecycle.ProcessLost, lifecycle.ModuleLost, lifecycle.RestartFailed, lifecycle.ModuleGivenUp:
		c.line("process", c.bad(oneLine(lifecycle.Line(e))))
	case lifecycle.FallbackBound:
		c.line("process", c.warn(oneLine(lifecycle.Line(e))))
	case lifecycle.ProcessRestarted, lifecycle.ModuleRestarted, lifecycle.FallbackReturned:
		c.line("process", c.good(oneLine(lifecycle.Line(e))))
	case lifecycle.FindingReported:
		c.count.findings++ // the report tells them, in order
	case lifecycle.StateChanged, lifecycle.Gap:
	}
}

func (c *Console) phaseEnded(e lifecycle.PhaseEnded) {
	what := c.count.say(e.Phase)
	if e.Err != "" {
		c.line(phaseOf(e.Header), c.bad("failed")+what+" in "+rounded(e.Duration))
		return
	}
	c.line(phaseOf(e.Header), c.good("done")+what+" in "+rounded(e.Duration))
}

func (c *Console) stepEnded(e lifecycle.StepEnded) {
	c.forget(e)
	if e.Err != "" {
		c.count.failed++
		c.line(phaseOf(e.Header), c.bad(fmt.Sprintf("%s: %s failed after %s: %s", who(e.Header), e.Step, rounded(e.Duration), oneLine(e.Err))))
		return
	}
	c.count.ok[e.Step]++
	if c.o.Verbose {
		c.line(phaseOf(e.Header), fmt.Sprintf("%s: %s in %s", who(e.Header), e.Step, rounded(e.Duration)))
	}
}

// say is the tally of a phase in words, with a colon before it, or empty.
func (t tally) say(p lifecycle.Phase) string {
	var parts []string
	add := func(n int, one, many string) {
		switch n {
		case 0:
		case 1:
			parts = append(parts, "1 "+one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	switch p {
	case lifecycle.Load:
		add(t.ok["open"], "library opened", "libraries opened")
	case lifecycle.Verify:
		add(t.ok["check"], "module's own check passed", "modules' own checks passed")
	case lifecycle.Instantiate:
		add(t.ok["create"], "module made", "modules made")
	case lifecycle.Bind:
		add(t.ok["bind"], "module bound", "modules bound")
	case lifecycle.Teardown:
		add(t.ok["drain"], "handle drained", "handles drained")
		add(t.ok["close"], "instance or library closed", "instances and libraries closed")
	}
	add(t.findings, "finding", "findings")
	add(t.failed, "step failed", "steps failed")
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// Printf writes a line that belongs to no phase.
func (c *Console) Printf(format string, args ...any) {
	c.Print(fmt.Sprintf(format, args...) + "\n")
}

// Print writes text as it is, in one piece.
func (c *Console) Print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.o.Out, text) // there is nobody to tell that nobody listens
}

// Write is Print for loggers.
func (c *Console) Write(text []byte) (int, error) {
	c.Print(string(text))
	return len(text), nil
}

// Close ends all reminders. Events that come later are still told.
func (c *Console) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for s, r := range c.late {
		r.timer.Stop()
		delete(c.late, s)
	}
}

// line writes one line about a phase. c.mu is held.
func (c *Console) line(phase, text string) {
	fmt.Fprintf(c.o.Out, "%-11s  %s\n", phase, text)
}

func (c *Console) good(text string) string { return c.paint("32", text) }
func (c *Console) warn(text string) string { return c.paint("33", text) }
func (c *Console) bad(text string) string  { return c.paint("31", text) }

func (c *Console) paint(code, text string) string {
	if !c.o.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func phaseOf(h lifecycle.Header) string {
	if h.Phase == 0 {
		return "modules"
	}
	return h.Phase.String()
}

// who is what an event is about: a module, or else a library.
func who(h lifecycle.Header) string {
	switch {
	case h.Module != "":
		return "module " + oneLine(h.Module)
	case h.Library != "":
		return "library " + oneLine(h.Library)
	default:
		return "modules"
	}
}

// subject is who with a colon, or nothing for an event about nobody.
func subject(h lifecycle.Header) string {
	if h.Module == "" && h.Library == "" {
		return ""
	}
	return who(h) + ": "
}

// oneLine makes a text from a module or library fit for a line: what would move the
// cursor or forge a line is made visible.
func oneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// rounded is a duration with three digits or so.
func rounded(d time.Duration) string {
	unit := time.Nanosecond
	for _, u := range []time.Duration{time.Microsecond, time.Millisecond, time.Second} {
		if d >= u {
			unit = u
		}
	}
	return d.Round(unit / 10).String()
}
