package shipped_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/catalog"
	"github.com/mesos-modules/mms/internal/docs"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/modules/hook/labels"
	"github.com/mesos-modules/mms/roles"
)

// atOnce is how many plugins are built at a time: each links by itself, and takes a
// processor for it.
const atOnce = 2

// TestEveryModuleIsAPlugin builds each module as a Go plugin, those that the daemons are
// built with from the same source, has both daemons verify all of them at once, and runs
// a cluster on them.
func TestEveryModuleIsAPlugin(t *testing.T) {
	dir := t.TempDir()
	plugins := buildPlugins(t, dir)
	for _, c := range []struct {
		daemon    roles.Daemon
		isolation manifest.Isolation
	}{
		{roles.Master, manifest.IsolationNone},
		{roles.Slave, manifest.IsolationNone},
		{roles.Master, manifest.IsolationProcess},
		{roles.Slave, manifest.IsolationProcess},
	} {
		t.Run(fmt.Sprintf("%v finds nothing to hold against all of them, with isolation %s", c.daemon, c.isolation), func(t *testing.T) {
			all := loadable(plugins, c.daemon)
			out := verified(t, c.daemon, "--modules="+manifestOf(t, plugins, all), "--modules_isolation="+string(c.isolation), "--format=json")
			var report struct {
				Plan struct {
					Modules []struct{ Name, Vehicle string }
				}
			}
			require.NoError(t, json.Unmarshal(out, &report))
			var found []string
			for _, m := range report.Plan.Modules {
				if m.Vehicle == vehicle.GoPlugin {
					found = append(found, m.Name)
				}
			}
			assert.ElementsMatch(t, all, found)
		})
	}
	t.Run("a cluster whose modules are all plugins runs a task", func(t *testing.T) {
		at := func(daemon roles.Daemon) []string {
			return []string{"--modules=" + manifestOf(t, plugins, standard(daemon))}
		}
		c := up(t, at(roles.Master), at(roles.Slave))
		status, output := c.Run("--name=hello", "--command=echo hello; exit 7", small)
		assert.Equal(t, 7, status)
		assert.Contains(t, output, "hello\n")
		assert.Empty(t, builtins(t, c.Master.Address), "bound by the master")
		assert.Empty(t, builtins(t, c.Slave.Address), "bound by the slave")
	})
	t.Run("a cluster whose modules are all in processes of their own", func(t *testing.T) { everythingIsolated(t, plugins) })
	t.Run("an agent that has lost an isolator for good that it does not need", func(t *testing.T) { withoutAnIsolator(t, plugins) })
	t.Run("realms keep their passwords when their authenticators are restarted", func(t *testing.T) { realms(t, plugins) })
	t.Run("a master that has lost its allocator for good ends", func(t *testing.T) { withoutAnAllocator(t, plugins) })
}

// buildPlugins builds all and returns their paths by the modules' names.
func buildPlugins(t *testing.T, dir string) map[string]string {
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	folders, err := docs.Folders(repository)
	require.NoError(t, err)
	paths := map[string]string{}
	began := time.Now()
	limit := make(chan struct{}, atOnce)
	var building sync.WaitGroup
	for _, m := range catalog.Modules() {
		if !slices.Contains(m.Vehicles, vehicle.GoPlugin) {
			continue
		}
		folder := folders[m.Name]
		require.NotEmpty(t, folder, "no package below modules has the line: const Name = %q", m.Name)
		path := filepath.Join(dir, "lib"+strings.TrimSuffix(docs.PageOf(folder), ".md")+".so")
		paths[m.Name] = path
		building.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "mesos-module"), "build", "--as=goplugin",
				"--daemon="+filepath.Join(programs, "mesos-slave"), "--source="+repository, "-o", path, "./"+folder)
			cmd.Dir = repository
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, "%s: %s", m.Name, out)
		})
	}
	building.Wait()
	require.False(t, t.Failed())
	t.Logf("%d plugins in %v", len(paths), time.Since(began).Round(time.Second))
	return paths
}

// loadable are those that a daemon takes, sorted.
func loadable(plugins map[string]string, daemon roles.Daemon) (names []string) {
	for _, m := range catalog.Modules() {
		if plugins[m.Name] != "" && slices.Contains(m.Daemons, daemon.String()) {
			names = append(names, m.Name)
		}
	}
	return names
}

// standard are the modules that a daemon binds if no flag says otherwise.
func standard(daemon roles.Daemon) (names []string) {
	for _, r := range roles.Table() {
		for _, s := range r.Sites {
			if s.On&daemon == 0 {
				continue
			}
			for _, a := range s.Always {
				names = append(names, a.Module)
			}
			if s.Default != "" {
				for word := range strings.SplitSeq(s.Default, ",") {
					names = append(names, s.Named(word)...)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// manifestOf writes a manifest of modules in plugins and returns it as a flag takes it.
func manifestOf(t *testing.T, plugins map[string]string, modules []string) string {
	t.Helper()
	type named struct {
		Name       string            `json:"name"`
		Parameters facade.Parameters `json:"parameters"`
	}
	type library struct {
		File    string  `json:"file"`
		Modules []named `json:"modules"`
	}
	var all struct {
		Libraries []library `json:"libraries"`
	}
	for _, m := range modules {
		require.NotEmpty(t, plugins[m], "%s is no plugin", m)
		all.Libraries = append(all.Libraries, library{plugins[m], []named{{m, wanted(m)}}})
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "modules.json")
	require.NoError(t, os.WriteFile(path, text, 0o644))
	return "file://" + path
}

// wanted are the parameters without which a module does not verify, with any value.
func wanted(module string) facade.Parameters {
	all := facade.Parameters{}
	if module == "org_apache_mesos_LuaAllocator" { // its schema is in another Go module
		all = append(all, facade.Parameter{Key: "script", Value: "/allocate.lua"})
	}
	if module == labels.Name { // it wants at least one of three
		all = append(all, facade.Parameter{Key: "set", Value: "rack=r7"})
	}
	for _, lib := range catalog.Libraries() {
		for _, m := range lib.Modules {
			d := m.Declare()
			if d.Name != module {
				continue
			}
			for _, p := range d.Parameters.Specs() {
				if _, known := all.Get(p.Key); p.Required && !known {
					all = append(all, facade.Parameter{Key: p.Key, Value: "1"})
				}
			}
		}
	}
	return all
}

// builtins are the modules of a daemon that sites have and no plugin carries.
func builtins(t *testing.T, address string) (names []string) {
	t.Helper()
	answer, err := http.Get("http://" + address + "/modules")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var status struct {
		Modules []struct {
			Name, Vehicle string
			Sites         []string
		}
	}
	require.NoError(t, json.Unmarshal(text, &status))
	require.NotEmpty(t, status.Modules)
	for _, m := range status.Modules {
		if len(m.Sites) > 0 && m.Vehicle != vehicle.GoPlugin {
			names = append(names, m.Name)
		}
	}
	return names
}
