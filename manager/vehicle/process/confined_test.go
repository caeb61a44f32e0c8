package process_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
	"github.com/mesos-modules/mms/roles/calculator"
)

// TestConfined has libraries work under every limit: what carries them needs no more.
func TestConfined(t *testing.T) {
	privileged.Root(t, "only root runs processes as somebody else")
	cgroupstest.Need(t)
	// Others may go where the library is.
	folder, err := os.MkdirTemp("", "confined")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o755))
	state := filepath.Join(folder, "state")
	require.NoError(t, os.Mkdir(state, 0o777))
	path := filepath.Join(folder, "library.so")
	require.NoError(t, os.Rename(compile(t, "behave.c"), path))
	require.NoError(t, os.Chmod(path, 0o755))

	c := vehicle.Confinement{
		Memory: 512 << 20, CPUs: 2, OpenFiles: 128, User: "nobody", NoNewPrivileges: true, Seccomp: "compute", ReadWrite: []string{state},
		Environment: []string{"KEY=value"},
	}
	if errs := confine.Check(vehicle.Confinement{ReadWrite: c.ReadWrite}); len(errs) > 0 {
		c.ReadWrite = nil // this kernel has no landlock
	}
	x := newFixture()
	m, _, err := x.tryLaunch(t, path, c)
	require.NoError(t, err, x.said)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })
	n, err := create[calculator.Calculator](t, m, "good", &daemon{}).Compute(t.Context(), 'A', 10)
	require.NoError(t, err)
	assert.Equal(t, int32(75), n)

	t.Run("also when the path leads elsewhere by now", func(t *testing.T) {
		require.NoError(t, os.Rename(path, path+".old"))
		again, err := m.Again(t.Context())
		require.NoError(t, err, x.said)
		t.Cleanup(func() { assert.NoError(t, again.Close()) })
		_, err = create[calculator.Calculator](t, again, "good", &daemon{}).Compute(t.Context(), 'A', 10)
		assert.NoError(t, err)
	})
}
