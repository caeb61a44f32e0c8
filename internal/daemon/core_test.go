package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/roles/calculator"
)

// part is a core; nil functions do nothing.
type part struct {
	size  *flags.Value[uint64]
	check func(p *part, h daemon.Host) error
	serve func(h daemon.Host, w http.ResponseWriter, r *http.Request)
	host  daemon.Host
}

func (p *part) Declare(set *flags.Set) {
	p.size = set.Group("Part").Uint("part_size", "A size.", flags.Default("3"))
}

func (p *part) Check(h daemon.Host) error {
	p.host = h
	if p.check != nil {
		return p.check(p, h)
	}
	return nil
}

func (p *part) Options(h daemon.Host) fx.Option {
	return fx.Provide(func() daemon.Routes {
		return func(face http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/part" {
					p.serve(h, w, r)
					return
				}
				face.ServeHTTP(w, r)
			})
		}
	})
}

func withCore(p *part, args ...string) daemon.Options {
	o := options(nil, args...)
	o.Core = p
	return o
}

func TestCore(t *testing.T) {
	t.Run("its flags, its routes, and then the face's", func(t *testing.T) {
		p := &part{serve: func(h daemon.Host, w http.ResponseWriter, _ *http.Request) {
			for _, f := range h.Flags() {
				if f.Name == "part_size" {
					_, _ = w.Write([]byte(`"` + f.Value + `"`))
				}
			}
		}}
		d := start(t, withCore(p, "--part_size=7"))
		assert.Equal(t, `"7"`, d.get("/part"))
		assert.Equal(t, `{"version":"1.12.0"}`, d.get("/version"))
		assert.Equal(t, uint64(7), p.size.Get())
	})
	t.Run("flags that do not go together are status 1, all of them named", func(t *testing.T) {
		p := &part{check: func(*part, daemon.Host) error { return errors.Join(errors.New("first"), errors.New("second")) }}
		end := ended(t, withCore(p))
		assert.Equal(t, daemon.ExitUsage, end.code)
		order(t, end.stderr, "first", "second", "See mesos-slave --help")
		assert.Equal(t, daemon.ExitOK, ended(t, withCore(p, "--verify_only")).code, "to verify, they need not")
	})
	t.Run("one that gives up ends the daemon in order, with status 5", func(t *testing.T) {
		p := &part{serve: func(h daemon.Host, w http.ResponseWriter, _ *http.Request) {
			h.Fail(errors.New("the disk is full"))
			h.Fail(errors.New("and more"))
			_, _ = w.Write([]byte("{}"))
		}}
		d := start(t, withCore(p))
		d.get("/part")
		end := d.wait()
		assert.Equal(t, daemon.ExitFailed, end.code)
		order(t, end.stderr, "mesos-slave: stops: the disk is full", "teardown")
		assert.NotContains(t, end.stderr, "and more")
	})
	t.Run("requests that would go on for ever end when it stops", func(t *testing.T) {
		ended := make(chan struct{})
		p := &part{serve: func(h daemon.Host, w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-h.Stopping.Done()
			close(ended)
		}}
		d := start(t, withCore(p))
		r, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request(t, d.url+"/part"))
		assert.NoError(t, err)
		defer r.Body.Close()
		assert.Equal(t, daemon.ExitOK, d.stop(syscall.SIGTERM).code)
		<-ended
	})
}

// inclined is a core that has a calculator bound where the flag is not given.
type inclined struct{ part }

func (*inclined) Defaults() map[string][]string {
	return map[string][]string{"calculator": {"org_example_second", "org_example_first"}}
}

func TestDefaultsOfACore(t *testing.T) {
	bound := func(args ...string) (modules []string, fromDefault bool) {
		o := options([]facade.Declared{
			facade.Module[calculator.Calculator]{Name: "org_example_first", New: newSum},
			facade.Module[calculator.Calculator]{Name: "org_example_second", New: newSum},
		}, append(args, "--verify_only", "--format=json")...)
		o.Core = &inclined{}
		end := ended(t, o)
		require.Equal(t, daemon.ExitOK, end.code, end.stderr)
		var report struct {
			Plan struct {
				Sites []struct {
					Flag        string
					Modules     []string
					FromDefault bool `json:"from_default"`
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(end.stdout), &report))
		for _, s := range report.Plan.Sites {
			if s.Flag == "calculator" {
				return s.Modules, s.FromDefault
			}
		}
		return nil, false
	}
	modules, fromDefault := bound()
	assert.Equal(t, []string{"org_example_second", "org_example_first"}, modules, "in the core's order")
	assert.True(t, fromDefault)
	modules, fromDefault = bound("--calculator=org_example_first")
	assert.Equal(t, []string{"org_example_first"}, modules, "a flag that is given wins")
	assert.False(t, fromDefault)
}

func newSum(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
	return nil, errors.New("to verify, none is made")
}

func request(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	assert.NoError(t, err)
	return r
}

func TestLocation(t *testing.T) {
	host := func(t *testing.T, args ...string) daemon.Host {
		p := &part{}
		o := withCore(p)
		o.Args = append([]string{"--port=0"}, args...)
		start(t, o)
		return p.host
	}
	loopback := netip.MustParseAddr("127.0.0.1")
	t.Run("where it listens is what others are told", func(t *testing.T) {
		h := host(t, "--ip=127.0.0.1", "--hostname=here.example")
		assert.Equal(t, h.Bound, h.Advertised)
		assert.Equal(t, loopback, h.Bound.Addr())
		assert.NotZero(t, h.Bound.Port())
		assert.Equal(t, "here.example", h.Hostname)
	})
	t.Run("unless they are told otherwise", func(t *testing.T) {
		h := host(t, "--ip=127.0.0.1", "--advertise_ip=10.1.2.3", "--advertise_port=99", "--no-hostname_lookup")
		assert.Equal(t, netip.MustParseAddrPort("10.1.2.3:99"), h.Advertised)
		assert.Equal(t, "10.1.2.3", h.Hostname)
	})
	t.Run("one that listens everywhere tells an address that is one", func(t *testing.T) {
		h := host(t, "--no-hostname_lookup")
		assert.True(t, h.Bound.Addr().IsUnspecified())
		assert.True(t, h.Advertised.Addr().Is4())
		assert.False(t, h.Advertised.Addr().IsUnspecified())
	})
	t.Run("a command may say where to listen", func(t *testing.T) {
		assert.Equal(t, loopback, host(t, "--ip_discovery_command=echo 127.0.0.1").Bound.Addr())
		for command, want := range map[string]string{"echo here": `printed "here"`, "exit 3": "exit status 3"} {
			o := withCore(&part{})
			o.Args = []string{"--port=0", "--ip_discovery_command=" + command}
			end := ended(t, o)
			assert.Equal(t, daemon.ExitStart, end.code)
			assert.Contains(t, end.stderr, want)
		}
	})
}
