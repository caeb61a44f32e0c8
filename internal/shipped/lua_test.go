package shipped_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
)

const luaModule = "org_apache_mesos_LuaAllocator"

// luaMaster is a cluster whose master has the Lua allocator.
type luaMaster struct {
	*clustertest.Cluster
	t      *testing.T
	plugin string // its path
	script string // likewise
}

// luaScript is one of those that come with the module.
func luaScript(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../modules/allocator/lua/scripts", name))
	require.NoError(t, err)
	return string(text)
}

// underLua builds the plugin and starts a cluster on it, with a script in place.
func underLua(t *testing.T, script string) *luaMaster {
	t.Helper()
	dir := t.TempDir()
	plugin := filepath.Join(dir, "libluaallocator.so")
	built(t, "../..", filepath.Join(programs, "mesos-module"), "build", "--as=goplugin",
		"--daemon="+filepath.Join(programs, "mesos-master"), "-o", plugin, "./modules/allocator/lua")

	m := &luaMaster{t: t, plugin: plugin, script: filepath.Join(dir, "allocate.lua")}
	m.write(script)
	m.Cluster = up(t, m.flags(m.script), nil)
	return m
}

// flags are those of a master with a script.
func (m *luaMaster) flags(script string) []string {
	type parameter struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	manifest, err := json.Marshal(map[string]any{"libraries": []any{map[string]any{"file": m.plugin, "modules": []any{map[string]any{
		"name": luaModule, "parameters": []parameter{{"script", script}, {"reload_interval", "50ms"}, {"instruction_limit", "1000000"}, {"memory_limit", "8MB"}}}}}}})
	require.NoError(m.t, err)
	return []string{"--modules=" + string(manifest), "--allocator=lua"}
}

// write puts a script into the place of the one that is there.
func (m *luaMaster) write(script string) {
	m.t.Helper()
	require.NoError(m.t, os.WriteFile(m.script+"~", []byte(script), 0o600))
	require.NoError(m.t, os.Rename(m.script+"~", m.script))
}

// measure is what the module publishes under a name.
func (m *luaMaster) measure(name string) float64 {
	m.t.Helper()
	response, err := http.Get("http://" + m.Master.Address + "/metrics")
	require.NoError(m.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(m.t, err)
	found := regexp.MustCompile(fmt.Sprintf(`(?m)^mesos_module_%s(?:_total)?\{[^}]*module="%s"[^}]*\} (\S+)$`, name, luaModule)).FindSubmatch(text)
	require.NotNil(m.t, found, "there is no %s in:\n%s", name, text)
	v, err := strconv.ParseFloat(string(found[1]), 64)
	require.NoError(m.t, err)
	return v
}

// comesTo waits until a measure has a value.
func (m *luaMaster) comesTo(name string, want float64) {
	m.t.Helper()
	clustertest.Eventually(m.t, func() string {
		if got := m.measure(name); got != want {
			return fmt.Sprintf("%s is %v, and has to become %v", name, got, want)
		}
		return ""
	})
}

// runs runs a task.
func (m *luaMaster) runs(word string) {
	m.t.Helper()
	status, output := m.Run("--name="+word, "--command=echo "+word, small)
	assert.Zero(m.t, status, output)
	assert.Contains(m.t, output, word+"\n")
}

func TestLuaAllocator(t *testing.T) {
	t.Parallel()
	m := underLua(t, luaScript(t, "fair_share.lua"))
	t.Run("tasks run under the script for fair shares", func(t *testing.T) {
		m.runs("fair")
		assert.Positive(t, m.measure("runs"))
		assert.Zero(t, m.measure("failures"))
		assert.Zero(t, m.measure("fallback_runs"))
	})
	fair := m.measure("script_digest")
	t.Run("a script that replaces it takes over", func(t *testing.T) {
		m.write(luaScript(t, "bin_packing.lua"))
		// It is tried as soon as there is something to divide, which tasks are.
		clustertest.Eventually(t, func() string {
			if m.runs("packed"); m.measure("reloads") != 1 {
				return "the script for packing is not in charge"
			}
			return ""
		})
		assert.NotEqual(t, fair, m.measure("script_digest"))
	})
	packing := m.measure("script_digest")
	refused := 0.0
	for _, bad := range []struct{ about, script string }{
		{"errs", "function allocate(cluster)\n  error('no')\nend\n"},
		{"is no Lua", "function allocate(\n"},
		{"loops", "function allocate(cluster)\n  while true do end\nend\n"},
		{"eats memory", "function allocate(cluster)\n  local s = 'x'\n  while true do s = s .. s end\nend\n"},
	} {
		t.Run("a script that "+bad.about+" is refused, and tasks run", func(t *testing.T) {
			m.write(bad.script)
			refused++
			m.comesTo("scripts_refused", refused)
			m.runs("goes-on")
			assert.Equal(t, packing, m.measure("script_digest"))
			assert.InDelta(t, 1, m.measure("script_in_charge"), 0)
			assert.Zero(t, m.measure("fallback_runs"))
		})
	}
	t.Run("a master that starts again begins with the last good one", func(t *testing.T) {
		require.NoError(t, m.Master.Kill())
		require.NoError(t, m.StartMaster(context.WithoutCancel(t.Context())))
		assert.Equal(t, packing, m.measure("script_digest"))
		m.runs("again")
	})
	t.Run("and a better one takes over again", func(t *testing.T) {
		m.write(luaScript(t, "fair_share.lua"))
		clustertest.Eventually(t, func() string {
			if m.runs("better"); m.measure("script_digest") != fair {
				return "the script for fair shares is not in charge"
			}
			return ""
		})
	})
	t.Run("a master whose script was never good does not start, and says the line", func(t *testing.T) {
		script := filepath.Join(t.TempDir(), "other.lua")
		require.NoError(t, os.WriteFile(script, []byte("function allocate(cluster)\n  cluster.agents[1].offer()\nend\n"), 0o600))
		ctx, cancel := context.WithTimeout(t.Context(), clustertest.Patience)
		defer cancel()
		out, err := exec.CommandContext(ctx, filepath.Join(programs, "mesos-master"),
			append(m.flags(script), "--ip=127.0.0.1", "--port=0", "--work_dir="+t.TempDir())...).CombinedOutput()
		require.Error(t, err)
		assert.Contains(t, string(out), "other.lua:2: attempt to call a non-function object")
	})
}
