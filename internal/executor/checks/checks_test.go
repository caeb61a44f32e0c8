package checks

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// attempts is what a probe finds, one after another; the last again and again.
type attempts struct {
	mu      sync.Mutex
	results []any // an exit code, or an error
	at      []time.Duration
	began   time.Time
	takes   time.Duration
}

func (a *attempts) probe(ctx context.Context) (int, error) {
	a.mu.Lock()
	a.at = append(a.at, time.Since(a.began))
	n := len(a.at)
	a.mu.Unlock()
	if a.takes > 0 {
		select {
		case <-time.After(a.takes):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	result := a.results[min(n, len(a.results))-1]
	if err, failed := result.(error); failed {
		return 0, err
	}
	return result.(int), nil
}

func (a *attempts) probes() Probes {
	a.began = time.Now()
	return Probes{Command: func(*mesosv1.CommandInfo) Probe { return a.probe }}
}

var errFailed = errors.New("failed")

func check(delay, interval, timeout float64) *mesosv1.TaskInfo {
	return &mesosv1.TaskInfo{Check: &mesosv1.CheckInfo{
		Type: mesosv1.CheckInfo_COMMAND.Enum(), Command: &mesosv1.CheckInfo_Command{Command: &mesosv1.CommandInfo{}},
		DelaySeconds: &delay, IntervalSeconds: &interval, TimeoutSeconds: &timeout,
	}}
}

func healthCheck(grace float64, failures uint32) *mesosv1.TaskInfo {
	return &mesosv1.TaskInfo{HealthCheck: &mesosv1.HealthCheck{
		Type: mesosv1.HealthCheck_COMMAND.Enum(), Command: &mesosv1.CommandInfo{},
		DelaySeconds: new(1.0), IntervalSeconds: new(1.0), TimeoutSeconds: new(0.0), GracePeriodSeconds: &grace, ConsecutiveFailures: &failures,
	}}
}

func runFor(t *testing.T, set *Set, d time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	set.Run(ctx)
}

func TestWhenAttemptsAreMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &attempts{results: []any{0}, takes: time.Second}
		set, err := New(check(15, 10, 20), a.probes(), Reports{Check: func(*mesosv1.CheckStatusInfo) {}})
		require.NoError(t, err)
		runFor(t, set, 40*time.Second)
		assert.Equal(t, []time.Duration{15 * time.Second, 26 * time.Second, 37 * time.Second}, a.at, "after a delay, then an interval after each end")
		runFor(t, set, 15*time.Second) // again, from the 40th second
		assert.Equal(t, []time.Duration{50 * time.Second}, a.at[3:], "after an interval")
	})
}

func TestACheckTellsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &attempts{results: []any{errFailed, 0, 0, 7, errFailed, errFailed, 7}}
		var told []string
		set, err := New(check(1, 1, 20), a.probes(), Reports{Check: func(s *mesosv1.CheckStatusInfo) {
			require.Equal(t, mesosv1.CheckInfo_COMMAND, s.GetType())
			require.NotNil(t, s.GetCommand())
			text := "none"
			if s.GetCommand().ExitCode != nil {
				text = strconv.Itoa(int(s.GetCommand().GetExitCode()))
			}
			told = append(told, time.Since(a.began).String()+" "+text)
		}})
		require.NoError(t, err)
		runFor(t, set, 20*time.Second)
		assert.Equal(t, []string{"2s 0", "4s 7", "5s none", "7s 7"}, told, "a failure before all is what was known")
	})
}

func TestATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &attempts{results: []any{0}, takes: time.Hour}
		var told []*mesosv1.CheckStatusInfo
		task := check(1, 1, 5)
		task.Check.Type = mesosv1.CheckInfo_COMMAND.Enum()
		set, err := New(task, a.probes(), Reports{Check: func(s *mesosv1.CheckStatusInfo) { told = append(told, s) }})
		require.NoError(t, err)
		runFor(t, set, 8*time.Second)
		assert.Equal(t, []time.Duration{time.Second, 7 * time.Second}, a.at)
		assert.Empty(t, told, "a timeout is no result, and none was known")

		_, err = within(5*time.Second, a.probe)(t.Context())
		require.EqualError(t, err, "it took more than 5s")
	})
}

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		name    string
		grace   float64
		results []any
		seconds int
		want    []Health
	}{
		{"the first success is told, the next ones not", 10, []any{0}, 5, []Health{{Healthy: true}}},
		{"failures are told, and so is the success after them", 0, []any{0, 1, 1, 0}, 6, []Health{
			{Healthy: true}, {Failures: 1}, {Failures: 2}, {Healthy: true}}},
		{"so many in a row kill", 0, []any{1}, 3, []Health{{Failures: 1}, {Failures: 2}, {Failures: 3, Kill: true}}},
		{"within the grace period they do not count", 3, []any{1}, 5, []Health{{Failures: 1}, {Failures: 2}}},
		{"but they do after a success", 10, []any{1, 0, 1}, 3, []Health{{Healthy: true}, {Failures: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &attempts{results: c.results}
				var told []Health
				set, err := New(healthCheck(c.grace, 3), a.probes(), Reports{Health: func(h Health) {
					if !h.Healthy {
						require.EqualError(t, h.Err, "exit status 1")
						h.Err = nil
					}
					told = append(told, h)
				}})
				require.NoError(t, err)
				runFor(t, set, time.Duration(c.seconds)*time.Second+time.Millisecond)
				assert.Equal(t, c.want, told)
			})
		})
	}
}

func TestTheEndInterrupts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &attempts{results: []any{1}, takes: time.Hour}
		task := check(0, 1, 0)
		task.HealthCheck = healthCheck(0, 1).GetHealthCheck()
		fail := func() { require.Fail(t, "what was interrupted has found nothing") }
		set, err := New(task, a.probes(), Reports{Check: func(*mesosv1.CheckStatusInfo) { fail() }, Health: func(Health) { fail() }})
		require.NoError(t, err)
		runFor(t, set, 10*time.Second)
		assert.Len(t, a.at, 2, "one attempt of each, without a limit")
	})
}

func TestNothingToCheck(t *testing.T) {
	set, err := New(&mesosv1.TaskInfo{}, Probes{}, Reports{})
	require.NoError(t, err)
	set.Run(t.Context())

	_, err = New(&mesosv1.TaskInfo{Check: &mesosv1.CheckInfo{}, HealthCheck: &mesosv1.HealthCheck{}}, Probes{}, Reports{})
	require.EqualError(t, err, "check of unknown type UNKNOWN\nhealth check of unknown type UNKNOWN")
}

func port(t *testing.T, address string) *uint32 {
	_, text, err := net.SplitHostPort(address)
	require.NoError(t, err)
	n, err := strconv.ParseUint(text, 10, 32)
	require.NoError(t, err)
	return new(uint32(n))
}

func TestTheNetwork(t *testing.T) {
	handler := http.NewServeMux()
	handler.HandleFunc("/ok", func(http.ResponseWriter, *http.Request) {})
	handler.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	handler.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	handler.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	plain := httptest.NewServer(handler)
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(handler)
	t.Cleanup(secure.Close)
	closed := httptest.NewServer(handler)
	closed.Close()
	open := port(t, plain.Listener.Addr().String())

	t.Run("health", func(t *testing.T) {
		for _, c := range []struct {
			name  string
			check *mesosv1.HealthCheck
			error string
		}{
			{"HTTP", &mesosv1.HealthCheck{Type: mesosv1.HealthCheck_HTTP.Enum(), Http: &mesosv1.HealthCheck_HTTPCheckInfo{Port: open, Path: new("/ok")}}, ""},
			{"redirected", &mesosv1.HealthCheck{Type: mesosv1.HealthCheck_HTTP.Enum(), Http: &mesosv1.HealthCheck_HTTPCheckInfo{Port: open, Path: new("/moved")}}, ""},
			{"no type", &mesosv1.HealthCheck{Http: &mesosv1.HealthCheck_HTTPCheckInfo{Port: open, Path: new("/ok")}}, ""},
			{"a bad answer", &mesosv1.HealthCheck{Type: mesosv1.HealthCheck_HTTP.Enum(), Http: &mesosv1.HealthCheck_HTTPCheckInfo{Port: open, Path: new("/bad")}}, "status 418"},
			{"round and round", &mesosv1.HealthCheck{Type: mesosv1.HealthCheck_HTTP.Enum(), Http: &mesosv1.HealthCheck_HTTPCheckInfo{Port: open, Path: new("/loop")}}, "more than 50 redirects"},
			{"a certificate of nobody's", &mesosv1.HealthCheck{Type: mesosv1.HealthCheck_HTTP.Enum(),
				Http: &mesosv1.HealthCheck_HTTPCheckInfo{Port: port(t, secure.Listener.Addr().String()), Scheme: new("https"), Path: new("/ok")}}, ""},
			{"TCP", &mesosv1.HealthCheck{Type: mesosv1.HealthCheck_TCP.Enum(), Tcp: &mesosv1.HealthCheck_TCPCheckInfo{Port: open}}, ""},
			{"nobody listens", &mesosv1.HealthCheck{Tcp: &mesosv1.HealthCheck_TCPCheckInfo{Port: port(t, closed.Listener.Addr().String())}}, "connection refused"},
		} {
			t.Run(c.name, func(t *testing.T) {
				c.check.GracePeriodSeconds = new(0.0)
				var told []Health
				h, err := newHealthChecker(c.check, Probes{}, func(h Health) { told = append(told, h) })
				require.NoError(t, err)
				h.attempt(t.Context())
				require.Len(t, told, 1)
				assert.Equal(t, c.error == "", told[0].Healthy)
				if c.error != "" {
					require.ErrorContains(t, told[0].Err, c.error)
				}
			})
		}
	})
	t.Run("checks", func(t *testing.T) {
		find := func(info *mesosv1.CheckInfo) *mesosv1.CheckStatusInfo {
			var told *mesosv1.CheckStatusInfo
			c, err := newChecker(info, Probes{}, func(s *mesosv1.CheckStatusInfo) { told = s })
			require.NoError(t, err)
			c.attempt(t.Context())
			return told
		}
		answer := find(&mesosv1.CheckInfo{Type: mesosv1.CheckInfo_HTTP.Enum(), Http: &mesosv1.CheckInfo_Http{Port: open, Path: new("/bad")}})
		assert.EqualValues(t, http.StatusTeapot, answer.GetHttp().GetStatusCode())
		assert.Nil(t, find(&mesosv1.CheckInfo{Type: mesosv1.CheckInfo_HTTP.Enum(), Http: &mesosv1.CheckInfo_Http{Port: port(t, closed.Listener.Addr().String())}}))
		assert.True(t, find(&mesosv1.CheckInfo{Type: mesosv1.CheckInfo_TCP.Enum(), Tcp: &mesosv1.CheckInfo_Tcp{Port: open}}).GetTcp().GetSucceeded())
		refused := find(&mesosv1.CheckInfo{Type: mesosv1.CheckInfo_TCP.Enum(), Tcp: &mesosv1.CheckInfo_Tcp{Port: port(t, closed.Listener.Addr().String())}})
		require.NotNil(t, refused.GetTcp().Succeeded)
		assert.False(t, refused.GetTcp().GetSucceeded())
	})
	t.Run("a connection that takes too long is no result", func(t *testing.T) {
		c := &checker{info: &mesosv1.CheckInfo{Type: mesosv1.CheckInfo_TCP.Enum()}}
		assert.Nil(t, c.status(0, errTimeout).GetTcp().Succeeded)
	})
	assert.Equal(t, "[::1]:80", address(mesosv1.NetworkInfo_IPv6, 80))
}
