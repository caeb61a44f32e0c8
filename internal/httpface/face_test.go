package httpface_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/httpface"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// modules is what the faces of these tests show.
type modules struct {
	all    []manager.ModuleStatus
	result verify.Result
	bus    *lifecycle.Bus
}

func (m *modules) Modules() []manager.ModuleStatus { return m.all }
func (m *modules) Result() verify.Result           { return m.result }
func (m *modules) State() lifecycle.State          { return lifecycle.Bound }
func (m *modules) Events() *lifecycle.Bus          { return m.bus }

func (m *modules) Module(name string) (manager.ModuleStatus, bool) {
	for _, s := range m.all {
		if s.Declared.Name == name {
			return s, true
		}
	}
	return manager.ModuleStatus{}, false
}

func (m *modules) Libraries() []manager.LibraryStatus {
	return []manager.LibraryStatus{{Path: "/opt/liba.so", Modules: []string{"org_a", "posix/cpu"}, Description: vehicle.Description{
		MMSVersion: "1", MesosVersion: "1.12.0", Build: []vehicle.Setting{{Key: "compiler", Value: "GCC 12"}},
	}}}
}

// verified returns two modules, one of which needs the other, as they are when a
// daemon runs.
func verified(t *testing.T) *modules {
	t.Helper()
	plan, found := depgraph.Solve(depgraph.Input{
		Modules: []depgraph.Module{
			{Name: "org_a", Role: "Calculator", Version: "1.0.0", Edges: []depgraph.Edge{{Kind: depgraph.RequiresModule, Target: "posix/cpu"}}},
			{Name: "posix/cpu", Role: "Isolator"},
		},
		Roots: []depgraph.Root{{Name: "--calculator", Module: "org_a"}},
	})
	require.Empty(t, found)
	return &modules{
		bus: lifecycle.NewBus(lifecycle.BusOptions{}),
		all: []manager.ModuleStatus{
			{Declared: vehicle.Module{Name: "posix/cpu", Role: "Isolator"}, Library: "/opt/liba.so", Vehicle: vehicle.Native, Phase: lifecycle.Bind},
			{Declared: vehicle.Module{Name: "org_a", Role: "Calculator", Version: "1.0.0", Author: "Ann",
				Requires:   []facade.Requirement{{Module: "posix/cpu"}},
				Parameters: []facade.ParameterSpec{{Key: "token", Type: "secret", Secret: true, Default: "hunter2"}}},
				Library: "/opt/liba.so", Vehicle: vehicle.Native, Phase: lifecycle.Bind, Sites: []string{"calculator"}, Made: true,
				Parameters: facade.Parameters{{Key: "token", Value: "<secret>"}}, Spent: 1500, Err: errors.New("close: no")},
		},
		result: verify.Result{Plan: &verify.Plan{Graph: plan, Modules: []verify.Module{
			{Name: "posix/cpu"}, {Name: "org_a", Requires: []string{"posix/cpu"}},
		}}},
	}
}

// newFace returns a face over modules, closed with the test.
func newFace(t *testing.T, m *modules, more ...func(*httpface.Config)) *httpface.Face {
	t.Helper()
	c := httpface.Config{
		Daemon: "mesos-slave", Prefix: "/slave(1)", Version: "1.12.0", Modules: m,
		Flags: func() []flags.NameValue {
			return []flags.NameValue{{Name: "port", Value: "5051"}, {Name: "modules", Value: "(hidden)"}}
		},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "measures\n") }),
	}
	for _, change := range more {
		change(&c)
	}
	f := httpface.New(c)
	t.Cleanup(f.Close)
	return f
}

func do(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// object returns the body of an answer as JSON.
func object(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	require.Equal(t, "application/json", w.Header().Get("Content-Type"), w.Body.String())
	var v map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

func TestMesosOwnRoutes(t *testing.T) {
	face := newFace(t, verified(t))
	for _, prefix := range []string{"", "/slave(1)"} {
		t.Run("health is 200 and empty at "+prefix, func(t *testing.T) {
			w := do(face, "GET", prefix+"/health")
			assert.Equal(t, 200, w.Code)
			assert.Empty(t, w.Body.String())
		})
		t.Run("version is JSON at "+prefix, func(t *testing.T) {
			assert.Equal(t, map[string]any{"version": "1.12.0"}, object(t, do(face, "GET", prefix+"/version")))
		})
		t.Run("flags are names and texts at "+prefix, func(t *testing.T) {
			assert.Equal(t, map[string]any{"flags": map[string]any{"modules": "(hidden)", "port": "5051"}}, object(t, do(face, "GET", prefix+"/flags")))
		})
	}
	t.Run("what is not Mesos' own is not below the prefix", func(t *testing.T) {
		assert.Equal(t, 404, do(face, "GET", "/slave(1)/modules").Code)
	})
	t.Run("another daemon's prefix is unknown", func(t *testing.T) {
		assert.Equal(t, 404, do(face, "GET", "/master/health").Code)
	})
}

func TestModules(t *testing.T) {
	face := newFace(t, verified(t))

	t.Run("the list is JSON", func(t *testing.T) {
		list := object(t, do(face, "GET", "/modules"))
		assert.Equal(t, "bound", list["state"])
		lines := list["modules"].([]any)
		require.Len(t, lines, 2)
		assert.Equal(t, map[string]any{
			"name": "org_a", "role": "Calculator", "version": "1.0.0", "library": "/opt/liba.so", "vehicle": "native",
			"ships_with_mesos": false, "phase": "bind", "time": "1.5µs", "time_ns": 1500.0, "sites": []any{"calculator"}, "error": "close: no",
		}, lines[1])
	})
	for about, w := range map[string]*httptest.ResponseRecorder{
		"by Accept": do(face, "GET", "/modules", "Accept", "text/plain, application/json;q=0.5"),
		"by format": do(face, "GET", "/modules?format=text", "Accept", "application/json"),
	} {
		t.Run("the list is a table where text is wanted "+about, func(t *testing.T) {
			assert.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			assert.Regexp(t, `(?m)^org_a +Calculator +1\.0\.0 +/opt/liba\.so +native +elsewhere +bind `, w.Body.String())
		})
	}
	t.Run("format wins over Accept", func(t *testing.T) {
		assert.Equal(t, "mesos-slave", object(t, do(face, "GET", "/modules?format=json", "Accept", "text/plain"))["daemon"])
	})
	t.Run("one module, with all there is to know", func(t *testing.T) {
		d := object(t, do(face, "GET", "/modules/org_a"))
		assert.Equal(t, "Ann", d["author"])
		assert.Equal(t, "--calculator -> org_a", d["why"])
		assert.Equal(t, true, d["needed"])
		assert.Equal(t, []any{"posix/cpu"}, d["gets"])
		assert.Equal(t, []any{map[string]any{"key": "compiler", "value": "GCC 12"}}, d["library_info"].(map[string]any)["build"])
	})
	t.Run("its steps with their times, and nobody else's", func(t *testing.T) {
		m := verified(t)
		for _, name := range []string{"org_a", "org_b"} {
			m.bus.Publish(lifecycle.StepEnded{Header: lifecycle.Header{Phase: lifecycle.Instantiate, Module: name}, Step: "create", Duration: 2000, Err: "no"})
		}
		face := newFace(t, m)
		steps := object(t, do(face, "GET", "/modules/org_a"))["steps"].([]any)
		require.Len(t, steps, 1)
		step := steps[0].(map[string]any)
		delete(step, "at")
		assert.Equal(t, map[string]any{"seq": 1.0, "phase": "instantiate", "step": "create", "time": "2µs", "time_ns": 2000.0, "error": "no"}, step)
		assert.Empty(t, object(t, do(face, "GET", "/modules/posix/cpu"))["steps"])
	})
	t.Run("what became of one that runs in a process, or was lost with one", func(t *testing.T) {
		m := verified(t)
		since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		m.all[1].Life = manager.Life{State: manager.StoodInFor, PID: 4711, Restarts: 2, Since: since, Last: "signal SIGSEGV", Fallback: "org_b"}
		d := object(t, do(newFace(t, m), "GET", "/modules/org_a"))
		for key, want := range map[string]any{"state": "fallback", "pid": 4711.0, "restarts": 2.0, "since": "2026-01-02T03:04:05Z",
			"last_cause": "signal SIGSEGV", "fallback": "org_b"} {
			assert.Equal(t, want, d[key], key)
		}
		assert.Regexp(t, `(?m)^org_a .* fallback: org_b, restarted twice$`, do(newFace(t, m), "GET", "/modules?format=text").Body.String())
	})
	t.Run("no secret is in it", func(t *testing.T) {
		w := do(face, "GET", "/modules/org_a")
		assert.NotContains(t, w.Body.String(), "hunter2")
		assert.Contains(t, w.Body.String(), `"default": "<secret>"`)
	})
	for _, target := range []string{"/modules/posix/cpu", "/modules/posix%2Fcpu", "/modules/posix/cpu/"} {
		t.Run("a name with a slash is found at "+target, func(t *testing.T) {
			d := object(t, do(face, "GET", target))
			assert.Equal(t, "posix/cpu", d["name"])
			assert.Equal(t, "--calculator -> org_a -> posix/cpu", d["why"])
		})
	}
	t.Run("an unknown module, and the one that was meant", func(t *testing.T) {
		w := do(face, "GET", "/modules/org_b")
		assert.Equal(t, 404, w.Code)
		assert.Equal(t, map[string]any{"error": "there is no module org_b", "near": []any{"/modules/org_a"}}, object(t, w))
	})
}

func TestGraph(t *testing.T) {
	t.Run("in three forms", func(t *testing.T) {
		face := newFace(t, verified(t))
		assert.Contains(t, do(face, "GET", "/modules/graph").Body.String(), "--calculator binds org_a")
		assert.Contains(t, object(t, do(face, "GET", "/modules/graph.json")), "modules")
		w := do(face, "GET", "/modules/graph.dot")
		assert.Equal(t, "text/vnd.graphviz; charset=utf-8", w.Header().Get("Content-Type"))
		assert.Contains(t, w.Body.String(), "digraph")
	})
	t.Run("before there is a plan", func(t *testing.T) {
		m := verified(t)
		m.result = verify.Result{Findings: []finding.Finding{{Rule: finding.Cycle, Problem: "round"}}}
		face := newFace(t, m)
		assert.Equal(t, 503, do(face, "GET", "/modules/graph.json").Code)
		assert.Equal(t, "there is no plan yet", object(t, do(face, "GET", "/modules/org_a"))["why"])
		assert.Contains(t, do(face, "GET", "/modules/findings?format=text").Body.String(), "round")
		assert.Len(t, object(t, do(face, "GET", "/modules/findings"))["findings"], 1)
	})
}

func TestRequests(t *testing.T) {
	face := newFace(t, verified(t))

	t.Run("an unknown path names the near one", func(t *testing.T) {
		w := do(face, "GET", "/module")
		assert.Equal(t, 404, w.Code)
		assert.Equal(t, map[string]any{"error": "there is nothing at /module", "near": []any{"/modules"}}, object(t, w))
	})
	t.Run("and all where none is near, as text for people", func(t *testing.T) {
		w := do(face, "GET", "/something/else/altogether", "Accept", "text/plain")
		assert.Equal(t, 404, w.Code)
		assert.True(t, strings.HasPrefix(w.Body.String(), "there is nothing at /something/else/altogether\n  /\n  /health\n  /slave(1)/health\n"), w.Body.String())
	})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		t.Run(method+" is not allowed", func(t *testing.T) {
			w := do(face, method, "/modules")
			assert.Equal(t, 405, w.Code)
			assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
			assert.Contains(t, w.Body.String(), "but received '"+method+"'.")
		})
	}
	t.Run("HEAD is", func(t *testing.T) {
		assert.Equal(t, 200, do(face, "HEAD", "/modules").Code)
	})
	t.Run("the first page lists the others", func(t *testing.T) {
		body := do(face, "GET", "/").Body.String()
		for _, path := range []string{"/health", "/modules/events", "/calculators", "/metrics"} {
			assert.Contains(t, body, "\n"+path+" ")
		}
	})
	t.Run("metrics are handed on", func(t *testing.T) {
		assert.Equal(t, "measures\n", do(face, "GET", "/metrics").Body.String())
	})
}

// adder is a calculator; broken fails.
type adder struct{ broken error }

func (a adder) Compute(_ context.Context, x byte, y int64) (int32, error) {
	return int32(int64(x) + y), a.broken
}

// echo is a TestModule that answers with its arguments.
type echo struct {
	testmodule.TestModule
	err error
}

func (e echo) Foo(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), e.err
}
func (e echo) Bar(_ context.Context, a float32, b float64) (int32, error) {
	return int32(float64(a) * b), e.err
}
func (e echo) Baz(_ context.Context, a, b int32) (int32, error) { return a - b, e.err }
func (e echo) Parameters(context.Context) ([]string, error)     { return []string{"k=v"}, e.err }

func TestCalls(t *testing.T) {
	face := newFace(t, verified(t), func(c *httpface.Config) {
		c.Calculators = []httpface.Calculator{{Module: "org_a", Calculator: adder{}}, {Module: "org_b", Calculator: adder{errors.New("no")}}}
		c.TestModule = echo{}
	})

	for _, target := range []string{"/calculators?a=A&b=10", "/calculators?a=65&b=10"} {
		t.Run("every calculator answers for itself at "+target, func(t *testing.T) {
			assert.Equal(t, map[string]any{"calculators": []any{
				map[string]any{"module": "org_a", "result": 75.0},
				map[string]any{"module": "org_b", "error": "no"},
			}}, object(t, do(face, "GET", target)))
		})
	}
	t.Run("no calculator gives an empty list", func(t *testing.T) {
		assert.Equal(t, map[string]any{"calculators": []any{}}, object(t, do(newFace(t, verified(t)), "GET", "/calculators?a=A&b=10")))
	})
	for target, result := range map[string]any{
		"?method=foo&a=A&b=1024":   1089.0,
		"?method=bar&a=0.5&b=10.8": 5.0,
		"?method=baz&a=5&b=10":     -5.0,
		"?method=parameters":       []any{"k=v"},
	} {
		t.Run("the test module answers "+target, func(t *testing.T) {
			assert.Equal(t, result, object(t, do(face, "GET", "/test_module"+target))["result"])
		})
	}
	for target, problem := range map[string]string{
		"/calculators":                           `a is a character like A, or its number like 65, and not ""`,
		"/calculators?a=300&b=1":                 `a is a character like A, or its number like 65, and not "300"`,
		"/calculators?a=A&b=9223372036854775808": `b is a whole number of 64 bits, and not "9223372036854775808"`,
		"/test_module":                           `method is one of foo, bar, baz and parameters, and not ""`,
		"/test_module?method=baz&a=1&b=x":        `b is a whole number of 32 bits, and not "x"`,
		"/test_module?method=bar&a=x&b=1":        `a is a number like 0.5, and not "x"`,
	} {
		t.Run("a wrong question is answered: "+target, func(t *testing.T) {
			w := do(face, "GET", target)
			assert.Equal(t, 400, w.Code)
			assert.Equal(t, problem, object(t, w)["error"])
		})
	}
	for about, c := range map[string]struct {
		module testmodule.TestModule
		status int
	}{
		"no site":             {nil, 503},
		"nothing bound":       {echo{err: handle.ErrUnbound}, 503},
		"an error of its own": {echo{err: errors.New("no")}, 500},
	} {
		t.Run("a test module with "+about, func(t *testing.T) {
			face := newFace(t, verified(t), func(conf *httpface.Config) { conf.TestModule = c.module })
			assert.Equal(t, c.status, do(face, "GET", "/test_module?method=parameters").Code)
		})
	}
}
