package conformance_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

var update = flag.Bool("update", false, "write the golden files")

// TestEverythingWrongAtOnce holds as many rules as one set can break against one
// manifest: all findings come in one run.
func TestEverythingWrongAtOnce(t *testing.T) {
	dir := t.TempDir()
	cfg, text := everythingWrong(t, dir)
	first, second := reportOf(t, cfg, text), reportOf(t, cfg, text)
	assert.Equal(t, first.text, second.text, "the same input gives another report")

	broken := map[finding.Rule]bool{}
	for _, f := range first.findings {
		broken[f.Rule] = true
		assert.NotEmpty(t, f.Mend, f.String())
		assert.NotEmpty(t, f.Problem, f.String())
		assert.NotEmpty(t, f.Path, f.String())
	}
	// The manifest's own text is read before; who has a finding is not asked for his
	// own check; and a graph that is too large is no part of a test.
	for _, x := range finding.Rules() {
		left := x.Rule == finding.Manifest || x.Rule == finding.OwnCheck || x.Rule == finding.GraphSize
		assert.Equal(t, !left, broken[x.Rule], x.Rule)
	}

	got := strings.ReplaceAll(first.text, dir, "DIR")
	const golden = "testdata/everything-wrong.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	assert.Equal(t, read(t, golden), got)
}

// everythingWrong puts libraries into a folder and returns a manifest of them, and
// the daemon that is to load it.
func everythingWrong(t *testing.T, dir string) (manager.Config, string) {
	var libraries []string
	add := func(path string, modules ...string) { // relative, as positions in the manifest are part of the report
		libraries = append(libraries, fmt.Sprintf(`{"file": "./%s", "modules": [%s]}`, filepath.Base(path), strings.Join(modules, ", ")))
	}
	put := func(name string, r recipe) string {
		return copied(t, build(t, r), filepath.Join(dir, "lib"+name+".so"))
	}
	odd := func(name string, defines ...string) {
		add(put(name, inC("manifest", "manifest.c", append(defines, "-DNAME=org_example_"+name)...)), entry("org_example_"+name))
	}
	add(filepath.Join(dir, "libmissing.so"), entry("org_example_missing"))
	script := filepath.Join(dir, "libscript.so")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o600))
	add(script, entry("org_example_script"))
	open := put("open", inC("manifest", "manifest.c"))
	require.NoError(t, os.Chmod(open, 0o666))
	add(open, entry(testModule))
	add(put("plain", inC("plain", "plain.c")), entry("org_example_plain"))
	add(put("undefined", inC("undefined", "manifest.c", "-DNEEDS=nobody_has_this")), entry(testModule))
	add(put("aborts", inC("aborts", "aborts.c")), entry("org_example_aborts"))
	odd("handshake", `-DMESOS_MODULE_API_VERSION="1000"`)
	odd("newer", `-DMESOS_VERSION="100.1.0"`)
	odd("older", `-DMESOS_VERSION="0.1.0"`)
	odd("unequal", `-DMESOS_VERSION="1.11.0"`, "-DCHECK=NULL")
	odd("min", `-DMESOS_MODULE_MIN_MESOS="1.13.0"`)
	odd("version", `-DWRONG=.version = "v2"`)
	odd("role", `-DWRONG=.role = "Calculater"`)
	add(put("several", inCpp("several", "c++17", "several.cpp")), entry("org_example_frist"), entry("org_example_second", "factor=three", "fastor=3"),
		`{"name": "org_example_third", "on_failure": "fallback: org_example_nobody"}`, entry("org_example_tested"), entry("org_example_first"), entry("org_example_first", "a=1"))
	set := func(name, settings string) {
		path := put(name, inC("manifest", "manifest.c"))
		libraries = append(libraries, fmt.Sprintf(`{"file": "./%s", %s, "modules": [%s]}`, filepath.Base(path), settings, entry(testModule)))
	}
	set("unconfined", `"process": {"memory": "1GB"}`)
	set("unknown", `"isolation": "process", "process": {"user": "no-such-user"}`)
	libraries = append(libraries, `{"name": "builtin", "isolation": "process"}`)
	plugin := filepath.Join(dir, "libplugin.so")
	require.NoError(t, os.Symlink(build(t, inGo("plugin")), plugin))
	add(plugin, entry("module1"))

	calc := func(name, version string, requires ...facade.Requirement) facade.Declared {
		return testharness.Calculator{Name: name, Version: version, Requires: requires}.In(&testharness.Journal{})
	}
	excludes := testharness.Calculator{Name: "org_example_excludes", Conflicts: []facade.Conflict{{Module: "org_example_third"}}}.In(&testharness.Journal{})
	return manager.Config{
		WorkDir: dir, Roles: since("1.10.0"),
		Builtin: []facade.Library{testharness.Library(excludes,
			calc("org_example_lonely", "1.0.0", testharness.Requires("org_example_nowhere", "")),
			calc("org_example_picky", "1.0.0", testharness.Requires("org_example_second", ">=3")),
			calc("org_example_round", "1.0.0", testharness.Requires("org_example_about", "")),
			calc("org_example_about", "1.0.0", testharness.Requires("org_example_round", "")))},
		Bindings: []verify.Binding{
			binds("calculator", "org_example_excludes", "org_example_lonely", "org_example_picky", "org_example_round"),
			binds("test_module", "org_example_tested", "org_example_min"),
			binds("calculater", "org_example_third"),
		},
	}, `{"libraries": [` + strings.Join(libraries, ",\n") + `]}`
}

type reported struct {
	findings []finding.Finding
	text     string
}

// reportOf loads a manifest of which nothing may be loaded, and renders the report
// for people and for programs.
func reportOf(t *testing.T, cfg manager.Config, text string) reported {
	t.Helper()
	r := run(t, cfg)
	err := r.Load(t.Context(), parsed(t, text))
	require.NotEmpty(t, findings(err), "%v", err)
	result := r.Result()
	require.Equal(t, findings(err), result.Findings)
	assert.Nil(t, result.Plan)
	v := report.Verification{Daemon: roles.Slave.String(), MesosVersion: facade.MesosVersion, Findings: result.Findings, Notices: result.Notices}
	var b bytes.Buffer
	require.NoError(t, v.WriteText(&b, report.Style{}))
	require.NoError(t, v.WriteJSON(&b))
	require.NoError(t, r.Close())
	return reported{result.Findings, b.String()}
}
