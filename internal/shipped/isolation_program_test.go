package shipped_test

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/modules/hook/labels"
)

// TestAProgramOfModules builds a package of a module as a program, which a master runs.
func TestAProgramOfModules(t *testing.T) {
	t.Parallel()
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "labels")
	build := exec.CommandContext(t.Context(), filepath.Join(programs, "mesos-module"), "build", "--as=process", "-o", program, "./modules/hook/labels")
	build.Dir = repository
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	parameters := `"parameters": [{"key": "set", "value": "rack=r7"}]`
	c := up(t, []string{"--hooks=" + labels.Name, `--modules={"libraries": [{"file": "` + program + `", "process": {"open_files": 64, "no_new_privileges": true,
		"restart": {"backoff": "1ms"}}, "modules": [{"name": "` + labels.Name + `", ` + parameters + `}]}]}`}, nil)
	first := moduleOf(t, c.Master, labels.Name)
	assert.Equal(t, "process", first.Vehicle)
	run := func() {
		status, said := c.Run("--name=t", "--command=true", small)
		require.Zero(t, status, said)
		var agent any
		get(t, "http://"+c.Slave.Address+"/state", &agent)
		seen, found := labelsOf(agent, "t")
		require.True(t, found, "%v", agent)
		assert.Equal(t, []string{"rack=r7"}, seen)
	}
	run()
	require.NoError(t, syscall.Kill(first.PID, syscall.SIGKILL))
	again(t, c.Master, labels.Name, 1)
	run()
}
