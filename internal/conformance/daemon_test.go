package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

// running is a daemon's module system with everything that it says.
type running struct {
	*manager.Manager
	t      testing.TB
	events *lifecycle.Recorder
	log    *buffer
}

// run makes a module system: a slave's, where the config does not say.
func run(t testing.TB, cfg manager.Config) running {
	t.Helper()
	r := running{t: t, log: &buffer{}}
	if cfg.Daemon == 0 {
		cfg.Daemon = roles.Slave
	}
	if cfg.WorkDir == "" {
		cfg.WorkDir = t.TempDir()
	}
	cfg.Vehicles, cfg.Bus = vehicles, lifecycle.NewBus(lifecycle.BusOptions{})
	cfg.Logger = slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.events = lifecycle.NewRecorder(cfg.Bus)
	m, err := manager.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	r.Manager = m
	return r
}

// through goes through the phases after load, up to and with the last one.
func (r running) through(last lifecycle.Phase) error {
	for _, p := range []struct {
		phase lifecycle.Phase
		do    func() error
	}{
		{lifecycle.Verify, func() error { return r.Verify(r.t.Context()) }},
		{lifecycle.Instantiate, func() error { return r.Instantiate(r.t.Context()) }},
		{lifecycle.Bind, func() error { return r.Bind(r.t.Context()) }},
	} {
		if p.phase > last {
			break
		}
		if err := p.do(); err != nil {
			return err
		}
	}
	return nil
}

// start loads and goes through all phases.
func (r running) start(manifests ...manifest.Manifest) {
	r.t.Helper()
	require.NoError(r.t, r.Load(r.t.Context(), manifests...))
	require.NoError(r.t, r.through(lifecycle.Bind))
}

// verified loads and verifies.
func (r running) verified(manifests ...manifest.Manifest) error {
	if err := r.Load(r.t.Context(), manifests...); err != nil {
		return err
	}
	return r.through(lifecycle.Verify)
}

// library is a manifest that takes modules from one file.
func library(path string, modules ...string) manifest.Manifest {
	l := manifest.Library{File: path}
	for _, name := range modules {
		l.Modules = append(l.Modules, manifest.Module{Name: name})
	}
	return manifest.Manifest{Libraries: []manifest.Library{l}}
}

// builtins is a manifest that names modules of the binary itself.
func builtins(modules ...string) manifest.Manifest {
	m := library("", modules...)
	m.Libraries[0].Name = "builtin"
	return m
}

func parsed(t testing.TB, text string) manifest.Manifest {
	t.Helper()
	m, _, err := manifest.Parse(text, manifest.Options{})
	require.NoError(t, err)
	return m
}

func binds(flag string, modules ...string) verify.Binding {
	b := verify.Binding{Flag: flag}
	for _, name := range modules {
		b.Refs = append(b.Refs, verify.Ref{Name: name})
	}
	return b
}

func findings(err error) []finding.Finding {
	var found *finding.Error
	if !errors.As(err, &found) {
		return nil
	}
	return found.Findings
}

// rulesOf are those that an error's findings are held by, each once.
func rulesOf(err error) []finding.Rule {
	var all []finding.Rule
	for _, f := range findings(err) {
		if len(all) == 0 || all[len(all)-1] != f.Rule {
			all = append(all, f.Rule)
		}
	}
	return all
}

// requireRefused fails unless this rule and no other refuses, in these words, with
// a mend.
func requireRefused(t testing.TB, err error, rule finding.Rule, says ...string) {
	t.Helper()
	require.Equal(t, []finding.Rule{rule}, rulesOf(err), "%v", err)
	for _, s := range says {
		require.ErrorContains(t, err, s)
	}
	for _, f := range findings(err) {
		require.NotEmpty(t, f.Mend, f.String())
	}
}

// parameters are pairs key=value.
func parameters(pairs ...string) facade.Parameters {
	p := facade.Parameters{}
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		p = append(p, facade.Parameter{Key: key, Value: value})
	}
	return p
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// buffer may be written from several goroutines.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
