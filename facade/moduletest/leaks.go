package moduletest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A goroutine inherits the profiling labels of the one that starts it. So everything
// that a module starts, in its constructor or when the test calls it, carries the mark
// of the test, and what is left can be told from the goroutines of tests that run in
// parallel. (go.uber.org/goleak looks at the whole process.)
const markKey = "moduletest"

// open are the tests that have kits, each with one mark for all of them: while one
// kit of a test is open, its goroutines are nobody's leak.
var open = struct {
	sync.Mutex
	byTest map[testing.TB]*marks
}{byTest: map[testing.TB]*marks{}}

var lastMark atomic.Int64

type marks struct {
	t    testing.TB
	id   string
	kits int
}

// mark marks the calling goroutine, which is the test's.
func mark(t testing.TB) *marks {
	open.Lock()
	defer open.Unlock()
	m := open.byTest[t]
	if m == nil {
		m = &marks{t: t, id: fmt.Sprintf("test-%d.", lastMark.Add(1))}
		open.byTest[t] = m
	}
	m.kits++
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(markKey, m.id)))
	return m
}

// remove takes the mark off the calling goroutine when the test's last kit is
// closed, and returns the stacks of those that still carry it after a while: a
// goroutine that is told to end takes its time.
func (m *marks) remove(patience time.Duration) []string {
	open.Lock()
	m.kits--
	last := m.kits == 0
	if last {
		delete(open.byTest, m.t)
	}
	open.Unlock()
	if !last {
		return nil
	}
	pprof.SetGoroutineLabels(context.Background())
	var left []string
	for wait := time.Microsecond; wait < patience; wait *= 2 {
		if left = m.left(); len(left) == 0 {
			return nil
		}
		<-time.After(wait)
	}
	return left
}

func (m *marks) left() []string {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return []string{err.Error()}
	}
	var left []string
	for record := range strings.SplitSeq(text.String(), "\n\n") {
		if strings.Contains(record, fmt.Sprintf("%q:%q", markKey, m.id)) && !strings.Contains(record, "testing.tRunner") {
			left = append(left, record)
		}
	}
	return left
}
