package lua_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

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
	for _, script := range []string{"fair_share.lua", "bin_packing.lua"} {
		t.Run(script, func(t *testing.T) {
			moduletest.Conformance(t, lua.Library, lua.Name, moduletest.Parameter(lua.Name, "script", example(t, script)))
		})
	}
}

// The script for fair shares offers exactly what the allocator of Apache Mesos does.
func TestBehaviours(t *testing.T) {
	moduletest.AllocatorBehaviours(t, func(t *testing.T) allocator.Allocator {
		return moduletest.Load[allocator.Allocator](
			moduletest.New(t, lua.Library, moduletest.Parameter(lua.Name, "script", example(t, "fair_share.lua"))), lua.Name)
	})
}
