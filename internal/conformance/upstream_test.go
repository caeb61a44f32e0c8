package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/modules/testmodule/example"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/testmodule"
)

const testModule = example.Name

// upstreamCase is one case of upstream's module tests, or one that they lack.
//
// Upstream verifies while it loads, module by module. Here verification is a phase
// of its own, over the whole set: most of what upstream refuses in load is refused
// in verify.
type upstreamCase struct {
	name, setUp, expected string

	// better says where the expectation is not upstream's, and why it is better.
	better string

	// on are the vehicles of the case; nil means builtin and native. Go plugins
	// stand where they differ, and with enough of the rest to see that they do not.
	on []string

	library   subject
	manifests []string          // loaded in this order; nil means the default one
	dir       map[string]string // or: the files of --modules_dir
	bindings  []verify.Binding
	roles     []roles.Role // the daemon's table, where it is another one
	mesos     string       // the daemon's release, where it is another one

	// phase is where the case is decided; builtinPhase where that is another one
	// for builtin.
	phase        lifecycle.Phase
	builtinPhase lifecycle.Phase

	// refused is the rule that refuses, in these words; empty if nobody does.
	refused finding.Rule
	says    []string

	// then looks at what there is after the phase, or after the refusal.
	then func(t *testing.T, s stage)
}

// subject is the library of a case; nil means the default one of the vehicle.
type subject struct {
	native  *recipe
	plugin  *recipe
	builtin []facade.Library
}

// stage is a case under way.
type stage struct {
	running
	vehicle string
	path    string // of the library; empty for builtin
}

func everywhere() []string { return []string{vehicle.Builtin, vehicle.Native, vehicle.GoPlugin} }
func filesOnly() []string  { return []string{vehicle.Native, vehicle.GoPlugin} }

// of names modules of the library under test, in the JSON form.
func of(modules ...string) string {
	return `{"libraries": [{LIBRARY, "modules": [` + strings.Join(modules, ", ") + `]}]}`
}

func entry(name string, pairs ...string) string {
	var all []string
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		all = append(all, fmt.Sprintf(`{"key": %q, "value": %q}`, key, value))
	}
	return fmt.Sprintf(`{"name": %q, "parameters": [%s]}`, name, strings.Join(all, ", "))
}

// with is the default manifest with parameters.
func with(pairs ...string) []string { return []string{of(entry(testModule, pairs...))} }

func TestUpstream(t *testing.T) {
	for _, c := range upstreamCases() {
		for _, on := range c.vehicles() {
			t.Run(c.name+"/"+on, func(t *testing.T) { c.run(t, on) })
		}
	}
}

func (c upstreamCase) vehicles() []string {
	if c.on != nil {
		return c.on
	}
	return []string{vehicle.Builtin, vehicle.Native}
}

func (c upstreamCase) phaseOn(on string) lifecycle.Phase {
	if on == vehicle.Builtin && c.builtinPhase != 0 {
		return c.builtinPhase
	}
	return c.phase
}

func (c upstreamCase) run(t *testing.T, on string) {
	s := c.stage(t, on)
	phase, err := c.advance(s)
	if c.refused == "" {
		require.NoError(t, err)
	} else {
		requireRefused(t, err, c.refused, c.says...)
		assert.Equal(t, c.phaseOn(on), phase, "refused in another phase")
		for _, m := range s.Modules() {
			assert.False(t, m.Made, "an instance was made of what is refused")
		}
	}
	if c.then != nil {
		c.then(t, s)
	}
	require.NoError(t, s.Close())
}

// advance takes the case to its phase, and says in which phase it ended.
func (c upstreamCase) advance(s stage) (lifecycle.Phase, error) {
	if c.dir != nil {
		if err := s.loadDir(c.dir); err != nil {
			return lifecycle.Load, err
		}
	}
	for _, text := range c.texts() {
		if err := s.load(text); err != nil {
			return lifecycle.Load, err
		}
	}
	if c.phaseOn(s.vehicle) == lifecycle.Load {
		return lifecycle.Load, nil
	}
	return lifecycle.Verify, s.through(lifecycle.Verify)
}

func (c upstreamCase) texts() []string {
	if c.manifests == nil && c.dir == nil {
		return with()
	}
	return c.manifests
}

func (c upstreamCase) stage(t *testing.T, on string) stage {
	s := stage{vehicle: on}
	cfg := manager.Config{Bindings: c.bindings, Roles: c.roles, MesosVersion: c.mesos}
	switch on {
	case vehicle.Native:
		r := inCpp("testmodule", "c++17", "testmodule.cpp")
		if c.library.native != nil {
			r = *c.library.native
		}
		s.path = build(t, r)
	case vehicle.GoPlugin:
		r := inGo("plugin")
		if c.library.plugin != nil {
			r = *c.library.plugin
		}
		s.path = build(t, r)
	default:
		cfg.Builtin = c.library.builtin
		if cfg.Builtin == nil {
			cfg.Builtin = []facade.Library{example.Library}
		}
	}
	s.running = run(t, cfg)
	return s
}

// expand puts the library's place into a manifest.
func (s stage) expand(text string) string {
	place := `"name": "builtin"`
	if s.path != "" {
		place = fmt.Sprintf(`"file": %q`, s.path)
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "LIBRARY", place), "PATH", s.path)
}

// load parses and loads a manifest, as a daemon does: what is wrong with the text
// is held by the rule "manifest".
func (s stage) load(text string) error {
	m, _, err := manifest.Parse(s.expand(text), manifest.Options{})
	if err != nil {
		return textual(err)
	}
	return s.Load(s.t.Context(), m)
}

func textual(err error) error {
	explained, _ := finding.Explain(finding.Manifest)
	return &finding.Error{Findings: []finding.Finding{{Rule: finding.Manifest, Problem: err.Error(), Mend: explained.Mend}}}
}

func (s stage) loadDir(files map[string]string) error {
	dir := s.t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(s.t, os.WriteFile(path, []byte(s.expand(text)), 0o600))
	}
	m, _, err := manifest.ReadDir(dir, manifest.Options{})
	if err != nil {
		return textual(err)
	}
	return s.Load(s.t.Context(), m)
}

// create makes an instance; nil parameters are those of the manifest.
func (s stage) create(t *testing.T, p facade.Parameters) testmodule.TestModule {
	t.Helper()
	instance, _, err := manager.Create[testmodule.TestModule](t.Context(), s.Manager, testModule, p)
	require.NoError(t, err)
	return instance
}

func (s stage) createFails(t *testing.T, says ...string) {
	t.Helper()
	instance, _, err := manager.LoadModule[testmodule.TestModule](t.Context(), s.Manager, testModule)
	require.Error(t, err)
	assert.Nil(t, instance)
	for _, text := range append(says, testModule) {
		assert.ErrorContains(t, err, text)
	}
}

func baz(want int32) func(*testing.T, stage) {
	return func(t *testing.T, s stage) {
		got, err := s.create(t, nil).Baz(t.Context(), 5, 10)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func shown(t *testing.T, m testmodule.TestModule) []string {
	t.Helper()
	all, err := m.Parameters(t.Context())
	require.NoError(t, err)
	return all
}

func contains[T any](t *testing.T, s stage, name string, want bool) {
	t.Helper()
	assert.Equal(t, want, manager.Contains[T](s.Manager, name), name)
}

// nothingStays says that a failed load is as if it had not been tried.
func nothingStays(t *testing.T, s stage) {
	t.Helper()
	if s.vehicle == vehicle.Builtin {
		return // what is compiled in is there for itself
	}
	assert.False(t, manager.Contains[testmodule.TestModule](s.Manager, testModule))
	for _, l := range s.Libraries() {
		assert.NotEmpty(t, l.Ended.String(), "%s is still open", l.Path)
	}
}

// closedOrStays is the end of a library on its vehicle.
func closedOrStays(s stage) string {
	if s.vehicle == vehicle.Native {
		return "closed"
	}
	return "stays"
}

// wrong is the library in C with one field that is not as it should be.
func wrong(field string, defines ...string) *recipe {
	r := inC("manifest", "manifest.c", slices.Concat([]string{"-DWRONG=" + field}, defines)...)
	return &r
}

func inGoWith(change func(*facade.Library)) []facade.Library {
	l := example.Library
	l.Modules = slices.Clone(l.Modules)
	change(&l)
	return []facade.Library{l}
}

// declares is a Go library with a changed declaration of the TestModule.
func declares(change func(*facade.Module[testmodule.TestModule])) []facade.Library {
	m := example.Library.Modules[0].(facade.Module[testmodule.TestModule])
	change(&m)
	return []facade.Library{{Modules: []facade.Declared{m}}}
}

// since is the role table as if nothing had changed incompatibly since a release.
func since(version string) []roles.Role {
	table := roles.Table()
	for i := range table {
		table[i].Version = version
	}
	return table
}
