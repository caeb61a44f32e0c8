package lifecycle_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

// allEvents has one event of every type, as a bus would stamp them.
func allEvents() []lifecycle.Event {
	h := lifecycle.Header{
		Seq: 7, At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Phase: lifecycle.Instantiate, Module: "org_a", Library: "liba.so",
	}
	return []lifecycle.Event{
		lifecycle.PhaseBegan{Header: h},
		lifecycle.PhaseEnded{Header: h, Duration: 1500, Err: "load: no"},
		lifecycle.StateChanged{Header: h, From: lifecycle.New, To: lifecycle.Loading},
		lifecycle.StepBegan{Header: h, Step: "create", Limit: time.Second},
		lifecycle.StepEnded{Header: h, Step: "create", Duration: 2 * time.Millisecond, Err: "two\nlines"},
		lifecycle.StepAbandoned{Header: h, Step: "create", Limit: time.Second, Cause: "the limit of 1s passed"},
		lifecycle.StepReturnedLate{Header: h, Step: "create", Duration: time.Hour},
		lifecycle.StepPanicked{Header: h, Step: "create", Value: "ouch", Stack: "goroutine 1"},
		lifecycle.CallPanicked{Header: h, Method: "Allocate", Value: "ouch", Stack: "goroutine 1"},
		lifecycle.FindingReported{Header: h, Rule: "role-known", Text: "unknown role", Mend: "name a role"},
		lifecycle.Notice{Header: h, Text: "backup ignored"},
		lifecycle.ProcessLost{Header: h, PID: 42, End: "signaled", Cause: "signal SIGSEGV", Said: "oh"},
		lifecycle.ProcessRestarted{Header: h, PID: 43, Attempt: 2, Duration: time.Second},
		lifecycle.RestartFailed{Header: h, Attempt: 1, Wait: 200 * time.Millisecond, Err: "no"},
		lifecycle.ModuleLost{Header: h, Cause: "it requires org_b, which is gone"},
		lifecycle.ModuleRestarted{Header: h, Duration: time.Second},
		lifecycle.ModuleGivenUp{Header: h, Policy: "optional", Attempts: 5, Cause: "no"},
		lifecycle.FallbackBound{Header: h, Fallback: "org_c"},
		lifecycle.FallbackReturned{Header: h, Fallback: "org_c"},
		lifecycle.Gap{Header: h, First: 3, Last: 7},
	}
}

func TestEventJSON(t *testing.T) {
	head := `"seq":7,"at":"2026-01-02T03:04:05.000000006Z","phase":"instantiate","module":"org_a","library":"liba.so"`
	want := map[string]string{
		"PhaseBegan":       head,
		"PhaseEnded":       head + `,"duration_ns":1500,"duration":"1.5µs","error":"load: no"`,
		"StateChanged":     head + `,"from":"new","to":"loading"`,
		"StepBegan":        head + `,"step":"create","limit_ns":1000000000,"limit":"1s"`,
		"StepEnded":        head + `,"step":"create","duration_ns":2000000,"duration":"2ms","error":"two\nlines"`,
		"StepAbandoned":    head + `,"step":"create","limit_ns":1000000000,"limit":"1s","cause":"the limit of 1s passed"`,
		"StepReturnedLate": head + `,"step":"create","duration_ns":3600000000000,"duration":"1h0m0s"`,
		"StepPanicked":     head + `,"step":"create","value":"ouch","stack":"goroutine 1"`,
		"CallPanicked":     head + `,"method":"Allocate","value":"ouch","stack":"goroutine 1"`,
		"FindingReported":  head + `,"rule":"role-known","text":"unknown role","mend":"name a role"`,
		"Notice":           head + `,"text":"backup ignored"`,
		"ProcessLost":      head + `,"cause":"signal SIGSEGV","pid":42,"end":"signaled","said":"oh"`,
		"ProcessRestarted": head + `,"duration_ns":1000000000,"duration":"1s","pid":43,"attempt":2`,
		"RestartFailed":    head + `,"attempt":1,"wait_ns":200000000,"wait":"200ms","error":"no"`,
		"ModuleLost":       head + `,"cause":"it requires org_b, which is gone"`,
		"ModuleRestarted":  head + `,"duration_ns":1000000000,"duration":"1s"`,
		"ModuleGivenUp":    head + `,"cause":"no","attempts":5,"policy":"optional"`,
		"FallbackBound":    head + `,"fallback":"org_c"`,
		"FallbackReturned": head + `,"fallback":"org_c"`,
		"Gap":              head + `,"first":3,"last":7`,
	}
	events := allEvents()
	require.Len(t, events, len(want))
	for _, e := range events {
		t.Run(e.Type()+" has a stable form and comes back as it was", func(t *testing.T) {
			data, err := json.Marshal(e)
			require.NoError(t, err)
			require.Equal(t, `{"type":"`+e.Type()+`",`+want[e.Type()]+`}`, string(data))
			back, err := lifecycle.ParseEvent(data)
			require.NoError(t, err)
			assert.True(t, e == back, "%#v", back)
		})
	}
	t.Run("a header without phase, module and library leaves them out", func(t *testing.T) {
		data, err := json.Marshal(lifecycle.Notice{Text: "hello"})
		require.NoError(t, err)
		assert.JSONEq(t, `{"type":"Notice","seq":0,"at":"0001-01-01T00:00:00Z","text":"hello"}`, string(data))
	})
	t.Run("an event of a real bus survives the round trip", func(t *testing.T) {
		r := newRig()
		publish(r.bus, 1)
		data, err := json.Marshal(r.rec.Events()[0])
		require.NoError(t, err)
		back, err := lifecycle.ParseEvent(data)
		require.NoError(t, err)
		assert.True(t, r.rec.Events()[0] == back)
	})
	t.Run("what is no event is an error", func(t *testing.T) {
		for text, want := range map[string]string{
			`{`:                                  "parse event: unexpected end",
			`{"type":"Nonsense"}`:                `unknown type "Nonsense"`,
			`{"type":"Notice","phase":"lunch"}`:  `"lunch" is not a phase`,
			`{"type":"StateChanged","seq":3}`:    "StateChanged 3 lacks from or to",
			`{"type":"StateChanged","to":"off"}`: `"off" is not a state`,
		} {
			_, err := lifecycle.ParseEvent([]byte(text))
			require.ErrorContains(t, err, want)
		}
	})
	t.Run("a phase that is none is not written", func(t *testing.T) {
		_, err := json.Marshal(lifecycle.PhaseBegan{Header: lifecycle.Header{Phase: 9}})
		require.ErrorContains(t, err, "9 is not a phase")
	})
}

func TestPhasesAndStatesSpeak(t *testing.T) {
	assert.Equal(t, "[load verify instantiate bind teardown]", fmt.Sprint(lifecycle.Phases()))
	assert.Equal(t, "phase(9)", lifecycle.Phase(9).String())
	assert.Equal(t, "tearing down", lifecycle.TearingDown.String())
	assert.Equal(t, "state(99)", lifecycle.State(99).String())
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	handler := slog.NewTextHandler(&out, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})
	log := lifecycle.NewLogger(slog.New(handler))
	for _, e := range allEvents() {
		log(e)
	}
	tail := ` seq=7 phase=instantiate module=org_a library=liba.so`
	assert.Equal(t, []string{
		`level=INFO msg="instantiate org_a begins" event=PhaseBegan` + tail,
		`level=ERROR msg="instantiate org_a ends: load: no" event=PhaseEnded` + tail + ` duration=1.5µs`,
		`level=DEBUG msg="state new -> loading" event=StateChanged` + tail,
		`level=DEBUG msg="instantiate org_a create begins" event=StepBegan` + tail + ` step=create limit=1s`,
		`level=ERROR msg="instantiate org_a create ends: two; lines" event=StepEnded` + tail + ` step=create duration=2ms`,
		`level=ERROR msg="instantiate org_a create abandoned (limit 1s): the limit of 1s passed" event=StepAbandoned` + tail + ` step=create limit=1s`,
		`level=INFO msg="instantiate org_a create returned late" event=StepReturnedLate` + tail + ` step=create duration=1h0m0s`,
		`level=ERROR msg="instantiate org_a create panicked: ouch" event=StepPanicked` + tail + ` step=create`,
		`level=ERROR msg="instantiate org_a call of Allocate panicked: ouch" event=CallPanicked` + tail + ` method=Allocate`,
		`level=WARN msg="instantiate org_a finding role-known: unknown role" event=FindingReported` + tail + ` rule=role-known mend="name a role"`,
		`level=WARN msg="instantiate org_a notice: backup ignored" event=Notice` + tail,
		`level=ERROR msg="instantiate org_a process lost (signaled): signal SIGSEGV" event=ProcessLost` + tail + ` end=signaled said=oh`,
		`level=INFO msg="instantiate org_a process restarted at attempt 2" event=ProcessRestarted` + tail + ` duration=1s`,
		`level=ERROR msg="instantiate org_a restart 1 failed: no" event=RestartFailed` + tail + ` wait=200ms`,
		`level=ERROR msg="instantiate org_a lost: it requires org_b, which is gone" event=ModuleLost` + tail,
		`level=INFO msg="instantiate org_a restarted" event=ModuleRestarted` + tail + ` duration=1s`,
		`level=ERROR msg="instantiate org_a given up (optional; attempts: 5): no" event=ModuleGivenUp` + tail + ` policy=optional`,
		`level=WARN msg="instantiate org_a replaced by org_c" event=FallbackBound` + tail + ` fallback=org_c`,
		`level=INFO msg="instantiate org_a back in the place of org_c" event=FallbackReturned` + tail + ` fallback=org_c`,
		`level=WARN msg="gap: events 3 to 7 were missed" event=Gap` + tail,
	}, strings.Split(strings.TrimSpace(out.String()), "\n"))

	t.Run("stays below the level set", func(t *testing.T) {
		out.Reset()
		lifecycle.NewLogger(slog.New(slog.NewTextHandler(&out, nil)))(lifecycle.StepBegan{})
		assert.Empty(t, out.String())
	})
}
