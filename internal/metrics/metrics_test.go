package metrics_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/metrics"
	"github.com/mesos-modules/mms/lifecycle"
)

// scrape returns the lines that begin with prefix.
func scrape(t *testing.T, r *metrics.Registry, prefix string) []string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, w.Code, w.Body.String())
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

func TestEventsAreCounted(t *testing.T) {
	r := metrics.New(nil)
	create := lifecycle.Header{Phase: lifecycle.Instantiate, Module: "org_a", Library: "liba.so"}
	for _, e := range []lifecycle.Event{
		lifecycle.StepBegan{Header: create, Step: "create"},
		lifecycle.StepEnded{Header: create, Step: "create", Duration: 20 * time.Millisecond},
		lifecycle.StepEnded{Header: create, Step: "create", Err: "no"},
		lifecycle.StepPanicked{Header: create, Step: "create"},
		lifecycle.StepEnded{Header: create, Step: "create", Err: "panic"},
		lifecycle.StepAbandoned{Header: create, Step: "create"},
		lifecycle.StepEnded{Header: create, Step: "create", Err: "abandoned"},
		lifecycle.StepEnded{Header: create, Step: "create"},
		lifecycle.PhaseEnded{Header: lifecycle.Header{Phase: lifecycle.Load}, Duration: 2 * time.Second},
		lifecycle.CallPanicked{Header: create, Method: "Compute"},
		lifecycle.FindingReported{Rule: "cycle"},
	} {
		r.Observe(e)
	}

	assert.Equal(t, []string{
		`mms_steps_total{outcome="abandoned",phase="instantiate",step="create"} 1`,
		`mms_steps_total{outcome="failed",phase="instantiate",step="create"} 1`,
		`mms_steps_total{outcome="ok",phase="instantiate",step="create"} 2`,
		`mms_steps_total{outcome="panicked",phase="instantiate",step="create"} 1`,
	}, scrape(t, r, "mms_steps_total"))
	assert.Equal(t, []string{`mms_step_duration_seconds_count{phase="instantiate",step="create"} 5`}, scrape(t, r, "mms_step_duration_seconds_count"))
	assert.Equal(t, []string{`mms_phase_duration_seconds{phase="load"} 2`}, scrape(t, r, "mms_phase"))
	assert.Equal(t, []string{`mms_call_panics_total{module="org_a"} 1`}, scrape(t, r, "mms_call"))
	assert.Equal(t, []string{`mms_findings_total{rule="cycle"} 1`}, scrape(t, r, "mms_findings"))
	assert.Len(t, scrape(t, r, "process_resident_memory_bytes"), 1)
}

func TestModulesAreCountedByPhase(t *testing.T) {
	r := metrics.New(nil)
	r.CountModules(func() []lifecycle.Phase { return []lifecycle.Phase{lifecycle.Bind, lifecycle.Bind, lifecycle.Verify} })
	assert.Equal(t, []string{
		`mms_modules{phase="bind"} 2`,
		`mms_modules{phase="instantiate"} 0`,
		`mms_modules{phase="load"} 0`,
		`mms_modules{phase="teardown"} 0`,
		`mms_modules{phase="verify"} 1`,
	}, scrape(t, r, "mms_modules"))
}

func TestModuleMeasures(t *testing.T) {
	t.Run("asking twice gives the same measure", func(t *testing.T) {
		r := metrics.New(nil)
		r.Module("org_a").Counter("calls_total", "Calls.").Add(1)
		r.Module("org_a").Counter("calls_total", "Said otherwise.").Add(2)
		assert.Equal(t, []string{`mesos_module_calls_total{module="org_a"} 3`}, scrape(t, r, "mesos_module_calls_total{"))
	})

	t.Run("two modules have one name and a label each", func(t *testing.T) {
		r := metrics.New(nil)
		r.Module("org_b").Gauge("depth", "B.").Set(-2)
		r.Module("org_a").Gauge("depth", "A.").Set(4.5)
		assert.Equal(t, []string{
			`# HELP mesos_module_depth B.`,
			`# TYPE mesos_module_depth gauge`,
			`mesos_module_depth{module="org_a"} 4.5`,
			`mesos_module_depth{module="org_b"} -2`,
		}, append(scrape(t, r, "# HELP mesos_module"), append(scrape(t, r, "# TYPE mesos_module"), scrape(t, r, "mesos_module")...)...))
	})

	t.Run("a counter does not go down", func(t *testing.T) {
		r := metrics.New(nil)
		c := r.Module("org_a").Counter("n", "")
		c.Add(2)
		c.Add(-1)
		assert.Equal(t, []string{`mesos_module_n{module="org_a"} 2`}, scrape(t, r, "mesos_module_n{"))
	})

	t.Run("what cannot be exposed works and is told once", func(t *testing.T) {
		var told []string
		r := metrics.New(func(module string, err error) { told = append(told, module+": "+err.Error()) })
		r.Module("org_a").Counter("n", "").Add(1)
		for range 2 {
			r.Module("org_b").Gauge("n", "").Set(1)
			r.Module("org_b").Counter("Not Snake", "").Add(1)
		}
		assert.Equal(t, []string{
			"org_b: measure n is not exposed: it is a gauge here, and there is a counter of this name",
			`org_b: measure "Not Snake" is not exposed: its name is not snake_case`,
		}, told)
		assert.Equal(t, []string{`mesos_module_n{module="org_a"} 1`}, scrape(t, r, "mesos_module_"))
	})

	t.Run("a module cannot expose without bound", func(t *testing.T) {
		told := 0
		r := metrics.New(func(string, error) { told++ })
		for i := range 1010 {
			r.Module("org_a").Counter(fmt.Sprintf("n_%d", i), "").Add(1)
		}
		assert.Equal(t, 10, told)
		assert.Len(t, scrape(t, r, "mesos_module_"), 1000)
	})

	t.Run("any number of goroutines may count", func(t *testing.T) {
		r := metrics.New(nil)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 1000 {
					r.Module("org_a").Counter("n", "").Add(1)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, []string{`mesos_module_n{module="org_a"} 8000`}, scrape(t, r, "mesos_module_n{"))
	})
}

func Example() {
	r := metrics.New(nil)
	bus := lifecycle.NewBus(lifecycle.BusOptions{})
	bus.Observe(r.Observe)
	bus.Publish(lifecycle.FindingReported{Rule: "cycle"})

	var module facade.Metrics = r.Module("org_example")
	module.Counter("calls_total", "Calls that came in.").Add(1)

	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "mms_findings_total{") || strings.HasPrefix(line, "mesos_module_") {
			fmt.Print(line)
		}
	}
	// Output:
	// mesos_module_calls_total{module="org_example"} 1
	// mms_findings_total{rule="cycle"} 1
}

func TestProcessesAreCounted(t *testing.T) {
	r := metrics.New(nil)
	library := lifecycle.Header{Library: "liba"}
	module := lifecycle.Header{Module: "org_a", Library: "liba"}
	observe := func(events ...lifecycle.Event) {
		for _, e := range events {
			r.Observe(e)
		}
	}
	launch := lifecycle.StepEnded{Header: lifecycle.Header{Phase: lifecycle.Load, Library: "liba"}, Step: "launch"}
	observe(launch)
	assert.Equal(t, []string{`mms_process_up{library="liba"} 1`}, scrape(t, r, "mms_process_up"))
	observe(lifecycle.ProcessLost{Header: library, End: "signaled"}, lifecycle.ModuleLost{Header: module})
	assert.Equal(t, []string{`mms_process_up{library="liba"} 0`}, scrape(t, r, "mms_process_up"))
	assert.Equal(t, []string{`mms_module_up{module="org_a"} 0`}, scrape(t, r, "mms_module_up"))
	observe(lifecycle.RestartFailed{Header: library}, lifecycle.ProcessRestarted{Header: library}, lifecycle.ModuleRestarted{Header: module})
	assert.Equal(t, []string{`mms_process_up{library="liba"} 1`}, scrape(t, r, "mms_process_up"))
	assert.Equal(t, []string{`mms_module_up{module="org_a"} 1`}, scrape(t, r, "mms_module_up"))
	assert.Equal(t, []string{`mms_process_lost_total{end="signaled",library="liba"} 1`}, scrape(t, r, "mms_process_lost_total"))
	assert.Equal(t, []string{
		`mms_process_restarts_total{library="liba",outcome="failed"} 1`,
		`mms_process_restarts_total{library="liba",outcome="ok"} 1`,
	}, scrape(t, r, "mms_process_restarts_total"))
	assert.Equal(t, []string{`mms_module_restarts_total{module="org_a"} 1`}, scrape(t, r, "mms_module_restarts_total"))

	observe(lifecycle.StepEnded{Header: lifecycle.Header{Phase: lifecycle.Teardown, Library: "liba"}, Step: "close"})
	assert.Empty(t, scrape(t, r, "mms_process_up"))
	launch.Err = "no"
	observe(launch)
	assert.Empty(t, scrape(t, r, "mms_process_up"), "one that did not start")
}
