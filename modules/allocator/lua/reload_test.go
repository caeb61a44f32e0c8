package lua_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/allocator/lua"
	"github.com/mesos-modules/mms/roles/allocator"
)

// TestReload is about every way in which a file changes.
func TestReload(t *testing.T) {
	for _, c := range []struct {
		about  string
		change func(y *yard)
	}{
		{"renamed over", func(y *yard) { y.rename(tagged("two")) }},
		{"written in place", func(y *yard) { y.write(tagged("two")) }},
		{"removed, and written later", func(y *yard) {
			require.NoError(y, os.Remove(y.script))
			y.settle()
			y.write(tagged("two"))
		}},
		{"half of it written, and the rest later", func(y *yard) {
			text := tagged("two")
			y.write(text[:len(text)/2])
			y.pass(1500 * time.Millisecond)
			y.write(text)
		}},
		{"written with the same length and time", func(y *yard) {
			info, err := os.Stat(y.script)
			require.NoError(y, err)
			y.write(tagged("two"))
			require.NoError(y, os.Chtimes(y.script, info.ModTime(), info.ModTime()))
		}},
		{"a link that points elsewhere, as in the volumes of configurations", func(y *yard) {
			dir := filepath.Dir(y.script)
			for _, v := range []string{"one", "two"} {
				require.NoError(y, os.Mkdir(filepath.Join(dir, v), 0o700))
				require.NoError(y, os.WriteFile(filepath.Join(dir, v, "allocate.lua"), []byte(tagged(v)), 0o600))
			}
			require.NoError(y, os.Symlink("one", filepath.Join(dir, "data")))
			require.NoError(y, os.Remove(y.script))
			require.NoError(y, os.Symlink(filepath.Join("data", "allocate.lua"), y.script))
			y.settle()
			require.NoError(y, os.Symlink("two", filepath.Join(dir, "new")))
			require.NoError(y, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "data")))
		}},
	} {
		t.Run(c.about, func(t *testing.T) {
			inYard(t, tagged("one"), func(y *yard) {
				y.framework("f", "web")
				y.agent("a", "cpus:2")
				y.inCharge("one")
				digest := y.metric("script_digest")
				c.change(y)
				y.settle()
				y.inCharge("two")
				assert.NotEqual(y, digest, y.metric("script_digest"))
				assert.InDelta(y, 1, y.metric("reloads"), 0)
				assert.Zero(y, y.metric("scripts_refused"), "nothing half written was taken")
				assert.InDelta(y, 1, y.metric("script_in_charge"), 0)
				assert.Zero(y, y.metric("failures"))
			})
		})
	}
	t.Run("a file that vanishes leaves the script in charge, and says so once", func(t *testing.T) {
		inYard(t, tagged("one"), func(y *yard) {
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			require.NoError(y, os.Remove(y.script))
			y.pass(time.Minute)
			y.inCharge("one")
			assert.Equal(y, 1, strings.Count(strings.Join(y.kit.Log(), "\n"), "the script cannot be read, and the last good one stays in charge"))
			y.write(tagged("one"))
			y.settle()
			assert.True(y, y.logged("the script can be read again"))
			assert.Zero(y, y.metric("reloads"))
		})
	})
	t.Run("one that is written all the time is taken when it rests", func(t *testing.T) {
		inYard(t, tagged("one"), func(y *yard) {
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			for i := range 10 {
				y.write(tagged(strings.Repeat("x", i)))
				y.pass(time.Second)
			}
			assert.Zero(y, y.metric("reloads"))
			y.settle()
			y.inCharge("xxxxxxxxx")
		})
	})
	t.Run("nothing is read in between", func(t *testing.T) {
		inYard(t, tagged("one"), func(y *yard) {
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			y.write(tagged("two"))
			y.pass(50 * time.Second)
			y.inCharge("one")
			y.pass(3 * time.Minute)
			y.inCharge("two")
		}, moduletest.Parameter(lua.Name, "reload_interval", "1mins"))
	})
}

// bad are scripts that a good one must never give way to.
var bad = []struct{ about, script, problem string }{
	{"a syntax error", "function allocate(cluster)\n  local = 3\nend\n", `allocate.lua:2: syntax error near`},
	{"an error", "function allocate(cluster)\n  local x = nil\n  return x.y\nend\n", "allocate.lua:3: attempt to index a non-table object(nil) with key 'y'"},
	{"an error of its own", "function allocate(cluster)\n  error('I cannot')\nend\n", "allocate.lua:2: I cannot"},
	{"an error while it is read", "local x = nothing.at.all\nfunction allocate(cluster) end\n", "allocate.lua:1: attempt to index"},
	{"no function", "x = 1\n", "allocate.lua: function allocate: the script has no such function; a script defines: function allocate(cluster) … end"},
	{"nothing", "", "the script has no such function"},
	{"a loop", "function allocate(cluster)\n  while true do end\nend\n", "allocate.lua:2: stopped: it met the limit of instructions, which is 100000"},
	{"a loop while it is read", "while true do end\n", "allocate.lua:1: stopped: it met the limit of instructions"},
	{"too much memory", "function allocate(cluster)\n  local s = 'x'\n  while true do s = s .. s end\nend\n", "allocate.lua:3: stopped: it met the limit of memory, which is 1 MB"},
	{"recursion", "function allocate(cluster)\n  return 1 + allocate(cluster)\nend\n", "allocate.lua:2: stack overflow"},
	{"a forged agent", "function allocate(cluster)\n  cluster.offer({id = 'a'}, {})\nend\n", "allocate.lua:2: bad argument #1 to offer (one of cluster.agents is wanted)"},
	{"a forged candidate", "function allocate(cluster)\n  cluster.offer(cluster.agents[1], {framework = 'f'})\nend\n", "bad argument #2 to offer (one of what cluster.candidates returns is wanted)"},
	{"amounts that are none", "function allocate(cluster)\n  local a = cluster.agents[1]\n  cluster.offer(a, cluster.candidates(a)[1], {cpus = 'two'})\nend\n", "an amount is a number, or true for all there is"},
	{"amounts without names", "function allocate(cluster)\n  local a = cluster.agents[1]\n  cluster.offer(a, cluster.candidates(a)[1], {2})\nend\n", "amounts by the names of resources are wanted"},
	{"a file that is too long", strings.Repeat("-- nothing\n", 30000), "has more than 262144 bytes"},
}

var tight = []moduletest.Option{
	moduletest.Parameter(lua.Name, "instruction_limit", "100000"), moduletest.Parameter(lua.Name, "memory_limit", "1MB"),
}

func TestBadScriptsNeverTakeOver(t *testing.T) {
	for _, c := range bad {
		t.Run(c.about, func(t *testing.T) {
			inYard(t, tagged("good"), func(y *yard) {
				y.framework("f", "web")
				y.agent("a", "cpus:2")
				y.rename(c.script)
				y.settle()
				y.inCharge("good")
				assert.True(y, y.logged("stays in charge", c.problem), "%v", y.kit.Log())
				assert.Zero(y, y.metric("reloads"))
				assert.Zero(y, y.metric("failures"), "it was not even tried on the cluster")
				y.rename(tagged("better"))
				y.settle()
				y.inCharge("better")
			}, tight...)
		})
		t.Run(c.about+", and none was ever good", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "allocate.lua")
			require.NoError(t, os.WriteFile(path, []byte(c.script), 0o600))
			kit := moduletest.New(t, lua.Library, append(tight, moduletest.Parameter(lua.Name, "script", path))...)
			_, err := moduletest.TryLoad[allocator.Allocator](kit, lua.Name)
			require.ErrorContains(t, err, c.problem)
			require.ErrorContains(t, err, path)
		})
	}
}

func TestFilesThatAreNoScripts(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, c := range []struct{ about, path, problem string }{
		{"none", filepath.Join(dir, "missing.lua"), "no such file or directory"},
		{"a folder", dir, "is no file but a d"},
		{"a pipe that nobody writes into", pipe, "is no file but a p"},
		{"a path that is not absolute", "allocate.lua", `parameter script: "allocate.lua" is no absolute path`},
	} {
		t.Run(c.about, func(t *testing.T) {
			kit := moduletest.New(t, lua.Library, moduletest.Parameter(lua.Name, "script", c.path))
			_, err := moduletest.TryLoad[allocator.Allocator](kit, lua.Name)
			require.ErrorContains(t, err, c.problem)
		})
	}
	t.Run("limits that make no sense are all named", func(t *testing.T) {
		kit := moduletest.New(t, lua.Library, moduletest.Parameter(lua.Name, "script", "x"), moduletest.Parameter(lua.Name, "reload_interval", "0secs"),
			moduletest.Parameter(lua.Name, "instruction_limit", "1"), moduletest.Parameter(lua.Name, "memory_limit", "1B"), moduletest.Parameter(lua.Name, "time_limit", "1us"))
		_, err := moduletest.TryLoad[allocator.Allocator](kit, lua.Name)
		for _, key := range []string{"script", "reload_interval", "instruction_limit", "memory_limit", "time_limit"} {
			require.ErrorContains(t, err, "parameter "+key+": ")
		}
	})
	t.Run("without a script", func(t *testing.T) {
		kit := moduletest.New(t, lua.Library)
		_, err := moduletest.TryLoad[allocator.Allocator](kit, lua.Name)
		require.ErrorContains(t, err, `parameter "script" is required`)
	})
}

// onlyReal is a script that is good on every cluster but one with an agent of some id: so it
// is good when it is tried first.
func onlyReal(then string) string {
	return `function allocate(cluster)
  for _, agent in ipairs(cluster.agents) do
    local candidates = cluster.candidates(agent)
    cluster.offer(agent, candidates[#candidates])
    if agent.id == "a" then
      ` + then + `
    end
  end
end
`
}

func TestNewScriptsAreTriedOnTheClusterAsItIs(t *testing.T) {
	for about, then := range map[string]string{
		"an error": "error('not this one')", "a loop": "while true do end", "too much memory": "local s = 'x' while true do s = s .. s end",
	} {
		t.Run(about, func(t *testing.T) {
			inYard(t, tagged("good"), func(y *yard) {
				y.framework("f", "web")
				y.framework("g", "batch")
				y.agent("a", "cpus:2")
				y.agent("b", "cpus:2")
				y.giveBack()
				y.rename(onlyReal(then))
				y.settle()
				assert.Zero(y, y.metric("scripts_refused"), "there was nothing to divide yet")
				y.inCharge("good")
				assert.True(y, y.logged("the new script is refused, and the last good one stays in charge", "allocate.lua:"), "%v", y.kit.Log())
				assert.InDelta(y, 1, y.metric("scripts_refused"), 0)
				assert.InDelta(y, 1, y.metric("failures"), 0, "it is not tried again")
				assert.Zero(y, y.metric("fallback_runs"))
			}, tight...)
		})
	}
	t.Run("a refused one that is touched is tried again", func(t *testing.T) {
		inYard(t, tagged("good"), func(y *yard) {
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			y.rename(onlyReal("error('no')"))
			y.settle()
			y.inCharge("good")
			now := time.Now().Add(time.Hour)
			require.NoError(y, os.Chtimes(y.script, now, now))
			y.settle()
			y.inCharge("good")
			assert.InDelta(y, 2, y.metric("scripts_refused"), 0)
		})
	})
}

func TestAScriptThatFailsLater(t *testing.T) {
	t.Run("the one before it divides, in the same run, and takes over after three failures", func(t *testing.T) {
		inYard(t, tagged("before"), func(y *yard) {
			y.framework("f", "web")
			y.framework("g", "web")
			y.agent("other", "cpus:2")
			y.rename(onlyReal("error('I met a')"))
			y.settle()
			y.giveBack()
			y.pass(2 * time.Second)
			require.InDelta(y, 1, y.metric("reloads"), 0)
			other := y.offers()
			require.Len(y, other, 1)
			want := map[string]string{"f other": "g a", "g other": "f a"}[other[0]] // whoever has nothing
			y.agent("a", "cpus:2")                                                  // now it fails
			assert.Equal(y, []string{want}, y.offers(), "what the bad one offered to the other framework is taken back")
			assert.Equal(y, "before", y.said())
			for range 5 {
				y.inCharge("before")
			}
			assert.InDelta(y, 3, y.metric("failures"), 0, "and is asked no more")
			assert.True(y, y.logged("the script is put aside until the file changes"))
			assert.InDelta(y, 1, y.metric("script_in_charge"), 0)
			assert.Zero(y, y.metric("fallback_runs"))
		})
	})
	t.Run("without one before it the order of the hierarchical allocator divides, until the file changes", func(t *testing.T) {
		inYard(t, onlyReal("error('I met a')"), func(y *yard) {
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			assert.Equal(y, []string{"f a"}, y.offers())
			for range 5 {
				y.giveBack()
				y.pass(time.Second)
				assert.Equal(y, []string{"f a"}, y.offers())
			}
			assert.InDelta(y, 3, y.metric("failures"), 0)
			assert.Zero(y, y.metric("script_in_charge"))
			assert.Greater(y, y.metric("fallback_runs"), 3.0)
			y.rename(tagged("new"))
			y.settle()
			y.inCharge("new")
			assert.InDelta(y, 1, y.metric("script_in_charge"), 0)
		})
	})
	t.Run("a run that is good again counts from the beginning", func(t *testing.T) {
		inYard(t, onlyReal("if math.random() < 2 and cluster.total.cpus > 2 then error('too many') end"), func(y *yard) {
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			for range 4 {
				y.agent("b", "cpus:2") // a run that fails if it looks at a
				y.giveBack()
				y.pass(time.Second)
				y.must(y.a.RemoveSlave(y.Context(), agentNamed("b")))
				y.giveBack()
				y.pass(time.Second)
			}
			assert.InDelta(y, 4, y.metric("failures"), 0)
			assert.InDelta(y, 1, y.metric("script_in_charge"), 0)
		})
	})
}

// TestRestart is about daemons that end and begin again.
func TestRestart(t *testing.T) {
	state := t.TempDir()
	path := filepath.Join(t.TempDir(), "allocate.lua")
	run := func(t *testing.T, script string, do func(y *yard)) {
		if script != "" {
			require.NoError(t, os.WriteFile(path, []byte(script), 0o600))
		}
		inBubble(t, func(t *testing.T) {
			y := &yard{T: t, script: path}
			y.start(moduletest.StateDir(state))
			y.framework("f", "web")
			y.agent("a", "cpus:2")
			do(y)
		})
	}
	run(t, tagged("one"), func(y *yard) { y.settle() })
	t.Run("a bad script gives way to the one that was in charge", func(t *testing.T) {
		run(t, "function allocate(", func(y *yard) {
			y.inCharge("one")
			assert.True(y, y.logged("the script is refused, and the one that was in charge when the master ended begins", "allocate.lua:1:"))
			y.rename(tagged("two"))
			y.settle()
			y.inCharge("two")
		})
	})
	t.Run("a missing one does", func(t *testing.T) {
		require.NoError(t, os.Remove(path))
		run(t, "", func(y *yard) { y.inCharge("two") })
	})
	t.Run("a good one begins", func(t *testing.T) {
		run(t, tagged("three"), func(y *yard) { y.inCharge("three") })
	})
	t.Run("one for another path does not", func(t *testing.T) {
		kit := moduletest.New(t, lua.Library, moduletest.StateDir(state), moduletest.Parameter(lua.Name, "script", path+".other"))
		_, err := moduletest.TryLoad[allocator.Allocator](kit, lua.Name)
		require.ErrorContains(t, err, "no such file")
	})
	t.Run("nor one that is bad by now", func(t *testing.T) {
		kept, err := filepath.Glob(filepath.Join(state, "*", "last-good-*.lua"))
		require.NoError(t, err)
		if len(kept) == 0 {
			kept, err = filepath.Glob(filepath.Join(state, "last-good-*.lua"))
			require.NoError(t, err)
		}
		require.Len(t, kept, 1)
		require.NoError(t, os.WriteFile(kept[0], []byte("torn"), 0o600))
		require.NoError(t, os.WriteFile(path, []byte("bad"), 0o600))
		kit := moduletest.New(t, lua.Library, moduletest.StateDir(state), moduletest.Parameter(lua.Name, "script", path))
		_, err = moduletest.TryLoad[allocator.Allocator](kit, lua.Name)
		require.ErrorContains(t, err, "allocate.lua:1: parse error")
		require.ErrorContains(t, err, "the one that was in charge before")
	})
}
