package lua_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/allocator/lua"
	"github.com/mesos-modules/mms/roles/allocator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// example is the path of one of the scripts that come with the module.
func example(t testing.TB, name string) string {
	path, err := filepath.Abs(filepath.Join("scripts", name))
	require.NoError(t, err)
	return path
}

func TestConformance(t *testing.T) {
	for _, script := range []string{"fair_share.lua", "bin_packing.lua", "in_order.lua"} {
		t.Run(script, func(t *testing.T) {
			moduletest.Conformance(t, lua.Library, lua.Name, moduletest.Parameter(lua.Name, "script", example(t, script)))
		})
	}
}

// Two scripts offer exactly what the allocator of Apache Mesos does: one works it out by itself, and
// the other one takes the order it is given.
func TestBehaviours(t *testing.T) {
	for _, script := range []string{"fair_share.lua", "in_order.lua"} {
		t.Run(script, func(t *testing.T) {
			moduletest.AllocatorBehaviours(t, func(t *testing.T) allocator.Allocator {
				kit := moduletest.New(t, lua.Library, moduletest.Parameter(lua.Name, "script", example(t, script)))
				t.Cleanup(func() {
					for _, name := range []string{"failures", "fallback_runs", "offers_refused"} {
						v, ok := kit.Metric(lua.Name, name)
						assert.True(t, ok)
						assert.Zero(t, v, name)
					}
				})
				return moduletest.Load[allocator.Allocator](kit, lua.Name)
			})
		})
	}
}

func TestBinPacking(t *testing.T) {
	script, err := os.ReadFile(example(t, "bin_packing.lua"))
	require.NoError(t, err)
	inYard(t, string(script), func(y *yard) {
		y.must(y.a.Pause(y.Context()))
		for i, busy := range []string{"cpus:1", "cpus:3", "cpus:2", "", "mem:900"} {
			id := fmt.Sprint("a", i)
			y.agent(id, "cpus:4;mem:1024")
			if busy != "" {
				y.must(y.a.AddResourceProvider(y.Context(), agentNamed(id), nil, []*allocation.Share{{
					FrameworkId: frameworkNamed("g"), AgentId: agentNamed(id), Resources: parsed(y, busy).Allocate("web").Messages()}}))
			}
		}
		y.framework("f", "web")
		y.must(y.a.Resume(y.Context()))
		y.pass(time.Second)
		assert.Equal(y, []string{"f a4", "f a1", "f a2"}, y.offers(), "the fullest, and no more than three in a run")
		y.pass(time.Second)
		assert.Equal(y, []string{"f a0", "f a3"}, y.offers())
		assert.Zero(y, y.metric("failures"))
		assert.Zero(y, y.metric("offers_refused"))
	})
}

// TestClose: nothing is left of a module that ends, whatever it is at.
func TestClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allocate.lua")
	require.NoError(t, os.WriteFile(path, []byte("function allocate(cluster) end"), 0o600))
	instance, err := lua.Library.Modules[0].Declare().New(t.Context(), host{life: context.Background(), dir: t.TempDir()},
		facade.Parameters{{Key: "script", Value: path}, {Key: "reload_interval", Value: "10ms"}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte("while true do end"), 0o600)) // which is tried until it meets a limit
	require.NoError(t, instance.(facade.Closer).Close(context.Background()))
	require.NoError(t, instance.(facade.Closer).Close(context.Background()), "closing again does nothing")
}
