package vm

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Limits are those of one run. All are above 0.
type Limits struct {
	Instructions int64
	Memory       int64 // bytes, whether they have become garbage or not
	Time         time.Duration
}

// Usage is what a run took.
type Usage struct {
	Instructions, Memory int64
	Time                 time.Duration
}

// Stopped says that a run met a limit.
type Stopped struct {
	Limit string // instructions, memory or time
	Of    string // how much it is
	Where string // what the script did, as script.lua:12; empty if that is not known
}

func (s *Stopped) Error() string {
	text := fmt.Sprintf("stopped: it met the limit of %s, which is %s", s.Limit, s.Of)
	if s.Where != "" {
		text = s.Where + ": " + text
	}
	return text
}

// meter counts what a run takes. It is the context of the interpreter, which calls Done
// before each instruction.
type meter struct {
	limits  Limits
	used    Usage
	late    atomic.Bool
	stopped *Stopped
	closed  chan struct{}
}

var _ context.Context = (*meter)(nil)

func newMeter(l Limits) *meter {
	m := &meter{limits: l, closed: make(chan struct{})}
	close(m.closed)
	return m
}

// Done implements context.Context: nil never ends.
func (m *meter) Done() <-chan struct{} {
	m.used.Instructions++
	if m.used.Instructions > m.limits.Instructions || m.late.Load() || m.stopped != nil {
		m.judge()
		return m.closed
	}
	return nil
}

// judge says which limit it was. The first one counts.
func (m *meter) judge() {
	switch {
	case m.stopped != nil:
	case m.used.Memory > m.limits.Memory:
		m.stopped = &Stopped{Limit: "memory", Of: bytes(m.limits.Memory)}
	case m.used.Instructions > m.limits.Instructions:
		m.stopped = &Stopped{Limit: "instructions", Of: fmt.Sprint(m.limits.Instructions)}
	case m.late.Load():
		m.stopped = &Stopped{Limit: "time", Of: m.limits.Time.String()}
	}
}

// Err implements context.Context. The interpreter makes an error of the script of it.
func (m *meter) Err() error { return m.stopped }

// Deadline and Value implement context.Context.
func (m *meter) Deadline() (time.Time, bool) { return time.Time{}, false }
func (m *meter) Value(any) any               { return nil }

// memory counts bytes and says whether there may be as many. They are counted before they
// are there.
func (m *meter) memory(n int64) bool {
	if n < 0 || m.used.Memory > m.limits.Memory-n {
		m.used.Memory = m.limits.Memory + 1
		m.judge()
		return false
	}
	m.used.Memory += n
	return true
}

// work counts what takes as long as so many instructions.
func (m *meter) work(n int64) bool {
	if n < 0 || m.used.Instructions > m.limits.Instructions-n {
		m.used.Instructions = m.limits.Instructions + 1
		m.judge()
		return false
	}
	m.used.Instructions += n
	return true
}

func bytes(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
