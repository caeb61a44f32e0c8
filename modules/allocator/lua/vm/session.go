package vm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// Stacks of the interpreter. What is deeper is an error of the script.
const (
	frames       = 180
	registers    = 2048
	maxRegisters = 32768
)

// Session is one run of a program. It is for one goroutine.
type Session struct {
	// State is the interpreter, for functions and tables of the caller's. What they
	// allocate for the script is counted by Take.
	State *lua.LState

	program *Program
	meter   *meter
	begun   time.Time
	timer   *time.Timer
}

// Options are what a script gets from outside.
type Options struct {
	// Random is a number from 0 to less than 1; nil leaves math.random out.
	Random func() float64

	// Log gets what the script logs; nil drops it.
	Log func(text string)
}

// Start begins a run: its globals are there, and nothing of the script has run. The limits
// count from here on. End has to be called.
func (p *Program) Start(limits Limits, o Options) *Session {
	s := &Session{
		State:   lua.NewState(lua.Options{CallStackSize: frames, RegistrySize: registers, RegistryMaxSize: maxRegisters, SkipOpenLibs: true}),
		program: p, meter: newMeter(limits), begun: time.Now(),
	}
	s.State.SetContext(s.meter)
	s.globals(o)
	late := &s.meter.late
	s.timer = time.AfterFunc(limits.Time, func() { late.Store(true) })
	return s
}

// End lets everything go.
func (s *Session) End() {
	s.timer.Stop()
	s.State.Close()
}

// Usage is what the run has taken so far.
func (s *Session) Usage() Usage {
	u := s.meter.used
	u.Instructions = min(u.Instructions, s.meter.limits.Instructions)
	u.Memory = min(u.Memory, s.meter.limits.Memory)
	u.Time = time.Since(s.begun)
	return u
}

// ErrNoFunction is the error of Call for a function that the script does not have.
var ErrNoFunction = errors.New("the script has no such function")

// Load runs the script itself, which defines functions.
func (s *Session) Load() error {
	return s.call(s.State.NewFunctionFromProto(s.program.proto))
}

// Call calls a global function of the script.
func (s *Session) Call(name string, args ...lua.LValue) error {
	f, ok := s.State.GetGlobal(name).(*lua.LFunction)
	if !ok {
		return fmt.Errorf("%s: function %s: %w", s.program.name, name, ErrNoFunction)
	}
	return s.call(f, args...)
}

// Protect runs a function of the caller's like one of the script's: it may call Take and
// Work, and what ends the script ends it.
func (s *Session) Protect(do func()) error {
	return s.call(s.State.NewFunction(func(*lua.LState) int {
		do()
		return 0
	}))
}

// ScriptError is what went wrong in a script, with the place in front.
type ScriptError struct{ Message string }

func (e *ScriptError) Error() string { return e.Message }

func (s *Session) call(f *lua.LFunction, args ...lua.LValue) error {
	err := s.State.CallByParam(lua.P{Fn: f, Protect: true}, args...)
	if err == nil && s.meter.stopped == nil {
		return nil
	}
	where, message := s.describe(err)
	if s.meter.stopped != nil { // whatever became of the error
		s.meter.stopped.Where = where
		return s.meter.stopped
	}
	return &ScriptError{Message: message}
}

// describe returns the place of an error, if it names one, and its text, of bounded length.
func (s *Session) describe(err error) (where, message string) {
	var api *lua.ApiError
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &api) && api.Object != nil && api.Object.Type() == lua.LTTable:
		message = "the error is a table, and has to be a text"
	case errors.As(err, &api) && api.Object != nil:
		message = api.Object.String()
	default:
		message = err.Error()
	}
	message, _, _ = strings.Cut(message, "\n")
	if len(message) > maxMessage {
		message = message[:maxMessage] + "…"
	}
	if rest, ok := strings.CutPrefix(message, s.program.name+":"); ok {
		if line, _, ok := strings.Cut(rest, ":"); ok {
			where = s.program.name + ":" + line
		}
	}
	return where, message
}

const maxMessage = 500

// Take counts memory that a function of the caller's is about to allocate, and ends the
// script if there is no more.
func (s *Session) Take(n int64) {
	if !s.meter.memory(n) {
		s.State.RaiseError("%v", s.meter.stopped)
	}
}

// Work counts what takes as long as n instructions, and ends the script if it may not.
func (s *Session) Work(n int64) {
	if !s.meter.work(n) {
		s.State.RaiseError("%v", s.meter.stopped)
	}
}
