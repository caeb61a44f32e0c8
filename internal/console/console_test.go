package console_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/internal/console"
	"github.com/mesos-modules/mms/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	load   = lifecycle.Header{Phase: lifecycle.Load, Library: "liba.so"}
	verify = lifecycle.Header{Phase: lifecycle.Verify}
	create = lifecycle.Header{Phase: lifecycle.Instantiate, Module: "org_a", Library: "liba.so"}
	down   = lifecycle.Header{Phase: lifecycle.Teardown}
)

// told returns what the events are told as.
func told(o console.Options, events ...lifecycle.Event) string {
	var out bytes.Buffer
	o.Out = &out
	c := console.New(o)
	defer c.Close()
	for _, e := range events {
		c.Observe(e)
	}
	return out.String()
}

func TestPhases(t *testing.T) {
	opened := []lifecycle.Event{
		lifecycle.PhaseBegan{Header: lifecycle.Header{Phase: lifecycle.Load}},
		lifecycle.StepBegan{Header: load, Step: "open"},
		lifecycle.StepEnded{Header: load, Step: "open", Duration: 1234567},
		lifecycle.PhaseEnded{Header: lifecycle.Header{Phase: lifecycle.Load}, Duration: 2345678},
	}

	t.Run("a line each for begin and end, with counts and duration", func(t *testing.T) {
		assert.Equal(t, "load         begins\nload         done: 1 library opened in 2.3ms\n", told(console.Options{}, opened...))
	})
	t.Run("verbose tells the steps too", func(t *testing.T) {
		assert.Equal(t, "load         begins\nload         library liba.so: open in 1.2ms\nload         done: 1 library opened in 2.3ms\n",
			told(console.Options{Verbose: true}, opened...))
	})
	t.Run("colours where they are wanted", func(t *testing.T) {
		assert.Contains(t, told(console.Options{Color: true}, opened...), "\x1b[32mdone\x1b[0m: 1 library opened in 2.3ms\n")
	})
	t.Run("counts begin anew with each phase", func(t *testing.T) {
		all := told(console.Options{}, append(opened,
			lifecycle.StepEnded{Header: down, Step: "close"}, // of a start that failed
			lifecycle.PhaseBegan{Header: down},
			lifecycle.StepEnded{Header: down, Step: "drain"},
			lifecycle.StepEnded{Header: down, Step: "close"},
			lifecycle.StepEnded{Header: down, Step: "close"},
			lifecycle.PhaseEnded{Header: down, Duration: 3 * time.Second})...)
		assert.True(t, strings.HasSuffix(all, "\nteardown     done: 1 handle drained, 2 instances and libraries closed in 3s\n"), all)
	})
}

func TestWhatGoesWrong(t *testing.T) {
	assert.Equal(t, strings.Join([]string{
		"instantiate  module org_a: panicked in create: nil map",
		"instantiate  module org_a: create failed after 20ms: panic: nil map",
		"instantiate  module org_a: did not come back from create and is left behind: deadline",
		"instantiate  module org_a: came back from create after all, after 40s",
		"call         module org_a: panicked in Compute: index out\\x1b[2J of range",
		"verify       notice: module org_a: odd name; really",
		"verify       notice: nothing is bound",
		"verify       failed: 2 findings, 1 step failed in 1µs",
		"",
	}, "\n"), told(console.Options{},
		lifecycle.StepPanicked{Header: create, Step: "create", Value: "nil map"},
		lifecycle.StepEnded{Header: create, Step: "create", Duration: 20 * time.Millisecond, Err: "panic: nil map"},
		lifecycle.StepAbandoned{Header: create, Step: "create", Cause: "deadline"},
		lifecycle.StepReturnedLate{Header: create, Step: "create", Duration: 40 * time.Second},
		lifecycle.CallPanicked{Header: lifecycle.Header{Module: "org_a"}, Method: "Compute", Value: "index out\x1b[2J of range"},
		lifecycle.Notice{Header: lifecycle.Header{Phase: lifecycle.Verify, Module: "org_a"}, Text: "odd name\nreally"},
		lifecycle.Notice{Header: verify, Text: "nothing is bound"},
		lifecycle.FindingReported{Header: verify, Rule: "cycle"},
		lifecycle.FindingReported{Header: verify, Rule: "cycle"},
		lifecycle.StateChanged{},
		lifecycle.PhaseEnded{Header: verify, Duration: time.Microsecond, Err: "2 findings"},
	))
}

func TestProcessesAreTold(t *testing.T) {
	library := lifecycle.Header{Library: "/opt/liba"}
	module := lifecycle.Header{Module: "org_a", Library: "/opt/liba"}
	assert.Equal(t, strings.Join([]string{
		"process      /opt/liba process lost (signaled): signal \\x1b[2J",
		"process      org_a lost: gone",
		"process      /opt/liba restart 1 failed: no",
		"process      org_a given up (fallback; attempts: 1): no",
		"process      org_a replaced by org_b",
		"process      /opt/liba process restarted at attempt 2",
		"process      org_a back in the place of org_b",
		"process      org_a restarted",
		"",
	}, "\n"), told(console.Options{},
		lifecycle.ProcessLost{Header: library, End: "signaled", Cause: "signal \x1b[2J"},
		lifecycle.ModuleLost{Header: module, Cause: "gone"},
		lifecycle.RestartFailed{Header: library, Attempt: 1, Err: "no"},
		lifecycle.ModuleGivenUp{Header: module, Policy: "fallback", Attempts: 1, Cause: "no"},
		lifecycle.FallbackBound{Header: module, Fallback: "org_b"},
		lifecycle.ProcessRestarted{Header: library, Attempt: 2},
		lifecycle.FallbackReturned{Header: module, Fallback: "org_b"},
		lifecycle.ModuleRestarted{Header: module},
	))
}

func TestProgress(t *testing.T) {
	began := lifecycle.StepBegan{Header: create, Step: "create", Limit: 30 * time.Second}

	t.Run("a step that takes long is named again and again, more and more rarely", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			out := &buffer{}
			c := console.New(console.Options{Out: out})
			c.Observe(began)
			advance(999 * time.Millisecond)
			assert.Empty(t, out.String())
			advance(4 * time.Second)
			c.Observe(lifecycle.StepEnded{Header: create, Step: "create"})
			advance(time.Minute)
			assert.Equal(t, "instantiate  still creating org_a (1s of 30s)\n"+
				"instantiate  still creating org_a (2s of 30s)\n"+
				"instantiate  still creating org_a (4s of 30s)\n", out.String())
		})
	})
	t.Run("nothing is told after the end, not even of what begins then", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			out := &buffer{}
			c := console.New(console.Options{Out: out})
			c.Observe(began)
			c.Close()
			c.Observe(lifecycle.StepBegan{Header: load, Step: "open"})
			advance(time.Minute)
			assert.Empty(t, out.String())
		})
	})
}

// buffer may be read while a timer writes.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// advance lets time pass in a bubble of synctest, where this is no waiting.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestColor(t *testing.T) {
	none := func(string) string { return "" }
	assert.False(t, console.Color(&bytes.Buffer{}, none), "a buffer is no terminal")
	pipe, _, err := os.Pipe()
	if assert.NoError(t, err) {
		assert.False(t, console.Color(pipe, none), "a pipe is no terminal")
	}
}
