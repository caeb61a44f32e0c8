package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

const secret = "swordfish-7319"

// sealed are the parameters of the Go module; declared by a type and by an option.
type sealed struct {
	Seal   facade.Secret `mms:"seal"`
	Other  string        `mms:"other,secret"`
	Digits int           `mms:"digits"`
}

// secretive is a manifest whose modules are all given the secret; digits is for
// those that declare it.
func secretive(t *testing.T, digits string) string {
	t.Helper()
	native := build(t, inCpp("secrets", "c++17", "secrets.cpp"))
	return fmt.Sprintf(`{"libraries": [
		{"file": %q, "modules": [%s, %s]},
		{"name": "builtin", "modules": [%s, %s]}]}`, native,
		entry("org_example_declared", "seal="+secret, "digits="+digits), entry("org_example_undeclared", "api_token="+secret, "uri=https://user:"+secret+"@example.org/", "plain=seen"),
		entry("org_example_compiled", "seal="+secret, "other="+secret, "digits="+digits),
		entry("org_example_loose", "password="+secret))
}

func secretiveConfig(fail error) manager.Config {
	schema := testharness.Calculator{Name: "org_example_compiled", Schema: facade.SchemaOf[sealed](),
		New: func(_ context.Context, host facade.Host, p facade.Parameters) error {
			s, err := facade.Decode[sealed](p)
			host.Logger().Info("made", "seal", s.Seal, "seals", []facade.Secret{s.Seal})
			return errors.Join(err, fail)
		}}
	loose := testharness.Calculator{Name: "org_example_loose"}
	j := &testharness.Journal{}
	return manager.Config{Builtin: []facade.Library{testharness.Library(schema.In(j), loose.In(j))},
		Bindings: []verify.Binding{binds("calculator", "org_example_declared", "org_example_undeclared", "org_example_loose", "org_example_compiled")}}
}

// said is everything that a module system says of itself, in every form.
func said(t *testing.T, r running, errs ...error) string {
	t.Helper()
	var b bytes.Buffer
	for _, e := range r.events.Events() {
		fmt.Fprintf(&b, "%v %+v %s\n", e, e, toJSON(t, e))
	}
	b.WriteString(strings.Join(r.events.Lines(), "\n") + r.log.String())
	for _, m := range r.Modules() {
		fmt.Fprintf(&b, "%+v %#v %s\n", m, m, toJSON(t, m))
		one, _ := r.Module(m.Declared.Name)
		fmt.Fprintf(&b, "%+v\n", one)
	}
	fmt.Fprintf(&b, "%+v\n%s\n", r.Libraries(), toJSON(t, r.Libraries()))
	result := r.Result()
	v := report.Verification{Daemon: "mesos-slave", Findings: result.Findings, Notices: result.Notices, Plan: result.Plan}
	require.NoError(t, v.WriteText(&b, report.Style{}))
	require.NoError(t, v.WriteText(&b, report.Style{Boxes: true, Colour: true, Width: 80}))
	require.NoError(t, v.WriteJSON(&b))
	if result.Plan != nil {
		require.NoError(t, report.PlanOf(result.Plan).WriteText(&b, report.Style{}))
		require.NoError(t, report.PlanOf(result.Plan).WriteJSON(&b))
		require.NoError(t, result.Plan.Graph.WriteDOT(&b))
	}
	for _, err := range errs {
		fmt.Fprintf(&b, "%v %+v %#v\n", err, err, findings(err))
	}
	return b.String()
}

// assertHidden fails with the surroundings of the first place where the secret
// stands, not with the whole text.
func assertHidden(t *testing.T, text string) {
	t.Helper()
	if at := strings.Index(text, secret); at >= 0 {
		assert.Fail(t, "the secret is shown", "... %s ...", text[max(0, at-200):min(len(text), at+100)])
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Run("by a module system that runs", func(t *testing.T) {
		r := run(t, secretiveConfig(nil))
		r.start(parsed(t, secretive(t, "2")))
		c, _, err := manager.LoadModule[calculator.Calculator](t.Context(), r.Manager, "org_example_declared")
		require.NoError(t, err)
		n, err := c.Compute(t.Context(), 0, 0)
		require.NoError(t, err)
		assert.EqualValues(t, len(secret), n, "the module gets it")
		all := said(t, r)
		require.NoError(t, r.Close())
		all += said(t, r)
		assertHidden(t, all)
		assert.Contains(t, all, "seen", "what is no secret is shown")
	})
	t.Run("by a constructor that fails", func(t *testing.T) {
		r := run(t, secretiveConfig(testharness.ErrBroken))
		require.NoError(t, r.verified(parsed(t, secretive(t, "2"))))
		err := r.Instantiate(t.Context())
		require.ErrorIs(t, err, testharness.ErrBroken)
		assertHidden(t, said(t, r, err))
	})
	t.Run("by findings", func(t *testing.T) {
		r := run(t, secretiveConfig(nil))
		err := r.verified(parsed(t, secretive(t, "two")))
		requireRefused(t, err, finding.Parameters, "digits")
		assertHidden(t, said(t, r, err))
	})
	t.Run("by findings about the secret parameter itself", func(t *testing.T) {
		r := run(t, secretiveConfig(nil))
		text := secretive(t, "2")
		twice := strings.Replace(text, `{"key": "seal", "value": "`+secret+`"}`, `{"key": "seal", "value": "`+secret+`"}, {"key": "seal", "value": "`+secret+`2"}, {"key": "saal", "value": "`+secret+`"}`, 1)
		err := r.verified(parsed(t, twice))
		requireRefused(t, err, finding.Parameters, "seal", "saal")
		assertHidden(t, said(t, r, err))
	})
	t.Run("by a module that is named twice", func(t *testing.T) {
		r := run(t, secretiveConfig(nil))
		err := r.Load(t.Context(), parsed(t, secretive(t, "2")), parsed(t, strings.ReplaceAll(secretive(t, "2"), secret, secret+"x")))
		requireRefused(t, err, finding.UniqueName)
		assertHidden(t, said(t, r, err))
	})
	t.Run("by a manifest that cannot be read", func(t *testing.T) {
		for _, text := range []string{
			strings.Replace(secretive(t, "2"), `"key": "seal"`, `"kee": "seal"`, 1),
			secretive(t, "2") + "x",
			strings.Replace(secretive(t, "2"), `"value": "`+secret+`"`, `"value": ["`+secret+`"]`, 1),
			secretive(t, "2")[:len(secretive(t, "2"))-2],
		} {
			_, notices, err := manifest.Parse(text, manifest.Options{})
			require.Error(t, err)
			assertHidden(t, fmt.Sprintf("%v %+v %v", err, err, notices))
		}
	})
	t.Run("by a manifest that is printed", func(t *testing.T) {
		m := parsed(t, fmt.Sprintf(`{"libraries": [{"name": "builtin", "modules": [%s]}]}`, entry("org_example_loose", "password="+secret)))
		assertHidden(t, fmt.Sprintf("%v %+v %#v %s", m, m, m, m.Text()))
	})
	t.Run("by a daemon that only verifies", func(t *testing.T) {
		native := build(t, inCpp("secrets", "c++17", "secrets.cpp"))
		for _, digits := range []string{"2", "two"} {
			text := fmt.Sprintf(`{"libraries": [{"file": %q, "modules": [%s]}]}`, native, entry("org_example_declared", "seal="+secret, "digits="+digits))
			for _, form := range []string{"text", "json"} {
				var out bytes.Buffer
				daemon.Run(t.Context(), daemon.Options{Daemon: roles.Slave, Version: facade.MesosVersion, Stdout: &out, Stderr: &out,
					Args: []string{"--modules=" + text, "--verify_only", "--format=" + form, "--calculator=org_example_declared"}})
				require.Contains(t, out.String(), "org_example_declared")
				assertHidden(t, out.String())
			}
		}
	})
}

// TestSecretsAreNeverServed runs a whole daemon, asks it everything that it answers,
// and reads what it writes.
func TestSecretsAreNeverServed(t *testing.T) {
	dir := t.TempDir()
	place := filepath.Join(dir, "address")
	var out buffer
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{Daemon: roles.Slave, Version: facade.MesosVersion, Builtin: secretiveConfig(nil).Builtin, Stdout: &out, Stderr: &out,
			Args: []string{"--ip=127.0.0.1", "--port=0", "--address_file=" + place, "--log_dir=" + dir, "--logging_level=DEBUG", "--modules=" + secretive(t, "2"),
				"--calculator=org_example_declared,org_example_undeclared,org_example_loose,org_example_compiled"}})
	}()
	t.Cleanup(stop)
	require.Eventually(t, func() bool { _, err := os.Stat(place); return err == nil }, time.Minute, 5*time.Millisecond, "%s", &out)
	base := "http://" + strings.TrimSpace(read(t, place))

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	get := func(path string) string {
		response, err := client.Get(base + path)
		require.NoError(t, err)
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body) // of the events until the daemon ends
		return string(body)
	}
	events := make(chan string, 1)
	go func() { events <- get("/modules/events?from=1") }()
	index := get("/")
	paths := regexp.MustCompile(`(?m)^/\S+`).FindAllString(index, -1)
	require.Greater(t, len(paths), 8, index)
	var answers strings.Builder
	for _, path := range paths {
		if path == "/modules/events" {
			continue
		}
		for _, name := range []string{"org_example_declared", "org_example_undeclared", "org_example_compiled", "org_example_loose"} {
			answers.WriteString(get(strings.Replace(path, "NAME", name, 1)))
			answers.WriteString(get(strings.Replace(path, "NAME", name, 1) + "?format=text"))
		}
	}
	stop()
	require.Equal(t, daemon.ExitOK, <-ended, "%s", &out)
	all := map[string]string{"events": <-events, "answers": answers.String(), "output": out.String()}
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	require.NoError(t, err)
	require.NotEmpty(t, logs)
	for _, path := range logs {
		all["log"] += read(t, path)
	}
	for what, text := range all {
		assert.Contains(t, text, "org_example_declared", what)
		assertHidden(t, text)
	}
}

// curious asks the manager and the host everything there is to ask.
type curious struct {
	mu    sync.Mutex
	m     *manager.Manager
	hosts []facade.Host
	asked map[string]int
}

// ask is called by modules, from New, Compute, Close and Compatible: if the manager
// held a lock meanwhile, it would not return.
func (c *curious) ask(where string, v facade.View) {
	c.mu.Lock()
	c.asked[where]++
	if h, ok := v.(facade.Host); ok {
		c.hosts = append(c.hosts, h)
	}
	hosts := c.hosts
	c.mu.Unlock()

	if v != nil {
		_, _, _ = v.MesosVersion(), v.Libraries(), v.Modules()
		v.Module("org_example_curious")
	}
	for _, h := range hosts {
		h.Logger().Info("asks", "where", where)
		_, _ = h.StateDir()
		h.Metrics().Counter("asked", "").Add(1)
		h.Metrics().Gauge("asked_now", "").Set(1)
		_ = h.Lifetime().Err()
		h.Requirement("org_example_base")
		h.Requirements(reflect.TypeFor[calculator.Calculator]())
	}
	_, _, _, _, _ = c.m.Modules(), c.m.Libraries(), c.m.Result(), c.m.State(), c.m.Events()
	c.m.Module("org_example_curious")
	manager.Contains[calculator.Calculator](c.m, "org_example_curious")
	manager.Find[calculator.Calculator](c.m)
	_ = c.m.Unload(context.Background(), "org_example_unknown")
	_, _, _ = manager.LoadModule[testmodule.TestModule](context.Background(), c.m, "org_example_curious")
}

// TestNoLockIsHeldWhileAModuleRuns gives itself a limit: with a lock held it would
// hang.
func TestNoLockIsHeldWhileAModuleRuns(t *testing.T) {
	limit := time.AfterFunc(time.Minute, func() { panic("a module that asks the manager does not come back: a lock is held") })
	defer limit.Stop()
	c := &curious{asked: map[string]int{}}
	var base testharness.Calculator
	base.Name = "org_example_base"
	asks := testharness.Calculator{
		Name: "org_example_curious", Requires: []facade.Requirement{testharness.Requires("org_example_base", "")},
		Check: func(_ context.Context, v facade.View) error { c.ask("check", v); return nil },
		New:   func(_ context.Context, h facade.Host, _ facade.Parameters) error { c.ask("new", h); return nil },
		Compute: func(context.Context, byte, int64) (int32, error) {
			c.ask("compute", nil)
			return 75, nil
		},
		Close: func(context.Context) error { c.ask("close", nil); return nil },
	}
	j := &testharness.Journal{}
	r := run(t, manager.Config{Builtin: []facade.Library{testharness.Library(base.In(j), asks.In(j))}, StateDir: t.TempDir(),
		Bindings: []verify.Binding{binds("calculator", "org_example_curious")}})
	c.m = r.Manager
	// A module that makes and closes instances of others while it is made itself.
	r.start(builtins("org_example_curious", "org_example_base"))
	made, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), r.Manager, "org_example_curious")
	require.NoError(t, err)
	n, err := made.Compute(t.Context(), 'A', 10)
	require.NoError(t, err)
	assert.EqualValues(t, 75, n)
	require.NoError(t, closing(t.Context()))
	require.NoError(t, r.Close())
	assert.Equal(t, map[string]int{"check": 1, "new": 2, "compute": 1, "close": 2}, c.asked)

	t.Run("not even where one makes instances of another, from its constructor and from its calls", func(t *testing.T) {
		var m *manager.Manager
		nest := func(ctx context.Context) error {
			other, closing, err := manager.LoadModule[calculator.Calculator](ctx, m, "org_example_base")
			if err != nil {
				return err
			}
			_, err = other.Compute(ctx, 'A', 10)
			return errors.Join(err, closing(ctx))
		}
		nests := testharness.Calculator{Name: "org_example_nests",
			New:     func(ctx context.Context, _ facade.Host, _ facade.Parameters) error { return nest(ctx) },
			Compute: func(ctx context.Context, _ byte, _ int64) (int32, error) { return 1, nest(ctx) }}
		j := &testharness.Journal{}
		r := run(t, manager.Config{Builtin: []facade.Library{testharness.Library(base.In(j), nests.In(j))},
			Bindings: []verify.Binding{binds("calculator", "org_example_nests")}})
		m = r.Manager
		r.start()
		made, _, err := manager.LoadModule[calculator.Calculator](t.Context(), m, "org_example_nests")
		require.NoError(t, err)
		_, err = made.Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		assert.Equal(t, []string{"close org_example_nests", "close org_example_nests"}, j.Lines()[len(j.Lines())-2:])
	})
}
