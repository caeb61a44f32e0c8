package conformance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

// verifyOnly runs a daemon's whole command line up to its report.
func verifyOnly(t *testing.T, d roles.Daemon, env []string, args ...string) verify.Result {
	t.Helper()
	var out, errs bytes.Buffer
	status := daemon.Run(t.Context(), daemon.Options{Daemon: d, Version: facade.MesosVersion, Builtin: daemon.Builtin(),
		Args: append(args, "--verify_only", "--format=json"), Env: env, Stdout: &out, Stderr: &errs})
	require.Equal(t, daemon.ExitOK, status, "%s%s", &out, &errs)
	var result verify.Result
	require.NoError(t, json.Unmarshal(out.Bytes(), &result), out.String())
	require.NotNil(t, result.Plan)
	return result
}

// bound are the modules of a site, by its flag.
func bound(t *testing.T, r verify.Result, flag string) []string {
	t.Helper()
	for _, s := range r.Plan.Sites {
		if s.Flag == flag {
			return s.Modules
		}
	}
	require.Fail(t, "no such site", flag)
	return nil
}

func planned(r verify.Result) (names []string) {
	for _, m := range r.Plan.Modules {
		if !m.ShipsWithMesos {
			names = append(names, m.Name)
		}
	}
	return names
}

// paths are the two of the seed's command line: two names of one plugin, in a
// folder whose name has no comma, unlike this test's.
func paths(t *testing.T) (path1, path2 string) {
	dir, err := os.MkdirTemp(workshop.dir, "root")
	require.NoError(t, err)
	path1, path2 = filepath.Join(dir, "path1"), filepath.Join(dir, "path2")
	plugin := build(t, inGo("plugin"))
	require.NoError(t, os.Symlink(plugin, path1))
	require.NoError(t, os.Symlink(plugin, path2))
	return path1, path2
}

func flagForms(t *testing.T) {
	path1, path2 := paths(t)
	short := fmt.Sprintf("--modules=%s:module1,%s:module2", path1, path2)
	text := fmt.Sprintf(`{"libraries": [{"file": %q, "modules": [{"name": "module1"}, {"name": "module2"}]}]}`, path1)
	dir := t.TempDir()
	file := filepath.Join(dir, "modules.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	for about, flag := range map[string]string{
		"as the seed has it":         short,
		"several modules of a path":  fmt.Sprintf("--modules=%s:module1,%s:module2", path1, path1),
		"as JSON":                    "--modules=" + text,
		"as a file":                  "--modules=" + file,
		"as a file, with its scheme": "--modules=file://" + file,
		"as a folder":                "--modules_dir=" + dir,
	} {
		t.Run(about, func(t *testing.T) {
			r := verifyOnly(t, roles.Slave, nil, flag, "--allocator=module1", "--auth=module2")
			assert.ElementsMatch(t, []string{"module1", "module2"}, planned(r))
			assert.Equal(t, []string{"module2"}, bound(t, r, "authenticatee"))
			assert.Contains(t, toJSON(t, r.Notices), "verified and not used here: --allocator leads to it, a flag of mesos-master")
		})
	}
	t.Run("from the environment", func(t *testing.T) {
		r := verifyOnly(t, roles.Slave, []string{"MESOS_MODULES=" + text, "MESOS_AUTHENTICATEE=module2", "MESOS_ALLOCATOR=module1"})
		assert.Equal(t, []string{"module2"}, bound(t, r, "authenticatee"))
	})
	t.Run("on a master --auth is another site", func(t *testing.T) {
		r := verifyOnly(t, roles.Master, nil, fmt.Sprintf("--modules=%s:module1,%s:module3", path1, path2), "--allocator=module1", "--auth=module3")
		assert.Equal(t, []string{"module1"}, bound(t, r, "allocator"))
		assert.Equal(t, []string{"module3"}, bound(t, r, "authenticators"))
	})
}

func nameExpansion(t *testing.T) {
	dir := filepath.Dir(several(t))
	other := t.TempDir()
	text := `--modules={"libraries": [{"name": "several", "modules": [{"name": "org_example_first"}]}]}`
	for about, c := range map[string]struct {
		env  []string
		args []string
	}{
		"in LD_LIBRARY_PATH": {[]string{"LD_LIBRARY_PATH=" + other + ":" + dir}, nil},
		"in --modules_path":  {nil, []string{"--modules_path=" + dir}},
	} {
		t.Run(about, func(t *testing.T) {
			r := verifyOnly(t, roles.Slave, c.env, append(c.args, text)...)
			assert.Equal(t, filepath.Join(dir, "libseveral.so"), r.Plan.Modules[len(r.Plan.Modules)-1].Library)
		})
	}
	t.Run("a file without a slash is searched too", func(t *testing.T) {
		r := verifyOnly(t, roles.Slave, nil, "--modules_path="+dir, "--modules=libseveral.so:org_example_first")
		assert.Equal(t, []string{"org_example_first"}, planned(r))
	})
	t.Run("nothing is searched elsewhere", func(t *testing.T) {
		err := run(t, manager.Config{SearchPath: []string{other}}).verified(parsed(t, "libseveral.so:org_example_first"))
		require.ErrorContains(t, err, filepath.Join(other, "libseveral.so"))
	})
}

func bindingFlags(t *testing.T) {
	flags := map[roles.Daemon]string{roles.Master: "authenticators", roles.Slave: "authenticatee"}
	plugin := build(t, inGo("plugin"))
	for d, module := range map[roles.Daemon]string{roles.Master: "module3", roles.Slave: "module2"} {
		for _, flag := range []string{"auth", flags[d]} {
			t.Run(fmt.Sprintf("--%s of %v", flag, d), func(t *testing.T) {
				r := run(t, manager.Config{Daemon: d, Bindings: []verify.Binding{binds(flag, module)}})
				r.start(library(plugin, module))
				m, _ := r.Module(module)
				assert.Equal(t, []string{flags[d]}, m.Sites)
				assert.Equal(t, d == roles.Master, m.Made, "of an authenticatee an instance is made per attempt")
			})
		}
	}
	t.Run("a list is bound in the order of its flag", func(t *testing.T) {
		r := verifyOnly(t, roles.Slave, nil, "--modules="+several(t)+":org_example_first,"+several(t)+":org_example_second", "--calculator=org_example_second,org_example_first")
		assert.Equal(t, []string{"org_example_second", "org_example_first"}, bound(t, r, "calculator"))
	})
	t.Run("a version constraint may follow", func(t *testing.T) {
		cfg := manager.Config{Bindings: []verify.Binding{{Flag: "calculator", Refs: []verify.Ref{{Name: "org_example_second", Constraint: ">=3"}}}}}
		err := run(t, cfg).verified(library(several(t), "org_example_second"))
		require.ErrorContains(t, err, "2.1.0")
		require.ErrorContains(t, err, ">=3")
	})
}

func perModuleParameters(t *testing.T) {
	cfg := manager.Config{Builtin: []facade.Library{{Modules: []facade.Declared{facade.Module[calculator.Calculator]{Name: "org_example_compiled", New: newAdder}}}}}
	r := run(t, cfg)
	r.start(parsed(t, fmt.Sprintf(`{"libraries": [{"file": %q, "modules": [
		{"name": "org_example_first"},
		{"name": "org_example_second", "parameters": [{"key": "factor", "value": "3"}]}]}]}`, several(t))))
	for name, want := range map[string]int32{"org_example_first": 75, "org_example_second": 225} {
		c, _, err := manager.LoadModule[calculator.Calculator](t.Context(), r.Manager, name)
		require.NoError(t, err)
		n, err := c.Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.Equal(t, want, n, name)
	}
}
