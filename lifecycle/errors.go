package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	// ErrAbandoned is what every *[AbandonedError] is.
	ErrAbandoned = errors.New("abandoned")
	// ErrClosed is returned for a start after, and is the cause of the cancelled
	// context of a start during, the teardown of what it belongs to.
	ErrClosed = errors.New("being torn down")
)

// goexit is the Value of a [PanicError] that was no panic.
const goexit = "runtime.Goexit ended the goroutine"

// Bounds on text that comes from modules, in bytes.
const (
	maxText  = 4 << 10
	maxStack = 8 << 10
)

// StepError is the failure of one step; it names it. Err is what the step
// returned, or a *[PanicError] or *[AbandonedError].
type StepError struct {
	Step Step
	Err  error
	text string // of Err, taken once: Error of a module's error may panic or hang
}

func newStepError(s Step, err error) *StepError {
	return &StepError{Step: s, Err: err, text: textOf(err)}
}

// Error names library or module, the step, and what went wrong.
func (e *StepError) Error() string { return fmt.Sprintf("%s: %s", e.Step, e.text) }

// Unwrap returns Err.
func (e *StepError) Unwrap() error { return e.Err }

// AbandonedError is a step that did not come back within its limit, or after the
// caller's context had ended. Its goroutine is left behind, so what it uses (the
// library above all) must stay. It is [ErrAbandoned], and is also what ended the
// waiting: [context.DeadlineExceeded] or [context.Canceled].
type AbandonedError struct {
	Step  Step
	After time.Duration // how long it was waited for
	Cause error         // end of the step's context
}

func (e *AbandonedError) Error() string {
	return fmt.Sprintf("did not come back and is abandoned after %v: %v", e.After, e.Cause)
}

// Unwrap makes errors.Is find ErrAbandoned and the cause.
func (e *AbandonedError) Unwrap() []error { return []error{ErrAbandoned, e.Cause} }

// limitPassed is the cause of the context of a step whose own limit has passed.
type limitPassed time.Duration

func (l limitPassed) Error() string { return fmt.Sprintf("the limit of %v passed", time.Duration(l)) }
func (l limitPassed) Unwrap() error { return context.DeadlineExceeded }

// PanicError is a panic that was caught, as text: the value is not kept.
type PanicError struct {
	Value string // at most 4 KiB
	Stack string // at most 8 KiB
}

// Recovered makes a PanicError of what recover returned. Call it in the deferred
// function itself, so that the stack is that of the panic.
func Recovered(value any) *PanicError {
	return &PanicError{Value: clip(fmt.Sprint(value), maxText), Stack: clip(string(debug.Stack()), maxStack)}
}

func (e *PanicError) Error() string { return "panic: " + e.Value }

// textOf is Error of a foreign error, guarded (fmt catches panics) and bounded.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return clip(fmt.Sprintf("%v", err), maxText)
}

// clip cuts s after limit bytes, on a rune's edge, and makes it valid UTF-8, as
// it goes out as JSON.
func clip(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit] + " …"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
