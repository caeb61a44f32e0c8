package clusterfaults_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
)

// refused runs a daemon that must not go on, and returns its exit status and the line
// that says why.
func refused(t *testing.T, name string, args ...string) (status int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(programs, name), args...).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, name+": cannot start: ") || strings.HasPrefix(line, name+": stops: ") {
			return exit.ExitCode(), line
		}
	}
	require.Fail(t, "it does not say why it ends", "%s", out)
	return 0, ""
}

// Exit statuses: of a daemon that could not start, and of one that ended by itself. The
// core looks at the disk after the start.
const (
	exitStart  = 3
	exitFailed = 5
)

func TestSecondDaemon(t *testing.T) {
	t.Parallel()
	c, dir := up(t, nil, nil)
	_, port, _ := strings.Cut(c.Master.Address, ":")
	t.Run("a master on a port that is taken does not start", func(t *testing.T) {
		status, said := refused(t, "mesos-master", "--ip=127.0.0.1", "--port="+port, "--work_dir="+t.TempDir())
		assert.Equal(t, exitStart, status)
		assert.Contains(t, said, "address already in use")
	})
	t.Run("a master on a registry that is in use does not start", func(t *testing.T) {
		status, said := refused(t, "mesos-master", "--ip=127.0.0.1", "--port=0", "--work_dir="+filepath.Join(dir, "mesos-master"))
		assert.Contains(t, []int{exitStart, exitFailed}, status)
		assert.Contains(t, said, "registry")
	})
	t.Run("a slave on a folder that is in use does not start", func(t *testing.T) {
		status, said := refused(t, "mesos-slave", "--ip=127.0.0.1", "--port=0", "--master="+c.Master.Address,
			"--work_dir="+filepath.Join(dir, "mesos-slave"), "--runtime_dir="+t.TempDir())
		assert.Contains(t, []int{exitStart, exitFailed}, status)
		assert.Contains(t, said, filepath.Join(dir, "mesos-slave"))
	})
	runsATask(t, c, dir, "still")
}

func TestDamagedRegistry(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(text []byte) []byte{
		"of nonsense":    func(text []byte) []byte { return []byte(strings.Repeat("nonsense", len(text)/8)) },
		"that is cut":    func(text []byte) []byte { return text[:len(text)/2+100] },
		"of zeros":       func(text []byte) []byte { return make([]byte, len(text)) },
		"of a few bytes": func([]byte) []byte { return []byte("x") },
		"turned around":  func(text []byte) []byte { return flipped(text) },
	} {
		t.Run(name+" is told of, and is not overwritten", func(t *testing.T) {
			dir := t.TempDir()
			c := withAgent(t, dir)
			require.NoError(t, c.Master.Stop())
			path := filepath.Join(dir, "mesos-master", "registry.db")
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			damaged := damage(text)
			require.NoError(t, os.WriteFile(path, damaged, 0o600))
			status, said := refused(t, "mesos-master", "--ip=127.0.0.1", "--port=0", "--work_dir="+filepath.Join(dir, "mesos-master"))
			assert.Contains(t, []int{exitStart, exitFailed}, status, said)
			assert.Contains(t, said, path, "it says which file")
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, damaged, after)
			// The way out that it names: another place for the file.
			require.NoError(t, os.Rename(path, path+".damaged"))
			again, err := cluster.Start(context.WithoutCancel(t.Context()), t.Context(), cluster.Options{Binary: filepath.Join(programs, "mesos-master"),
				Args: []string{"--ip=127.0.0.1", "--port=0", "--work_dir=" + filepath.Join(dir, "mesos-master")}})
			require.NoError(t, err)
			assert.NoError(t, again.Stop())
		})
	}
}

// flipped turns every byte of the pages around.
func flipped(text []byte) []byte {
	all := append([]byte(nil), text...)
	for i := range all {
		all[i] ^= 0xff
	}
	return all
}

// withAgent is a master that has an agent in its registry.
func withAgent(t *testing.T, dir string) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Up(context.WithoutCancel(t.Context()), cluster.Config{Bin: programs, Dir: dir})
	require.NoError(t, err)
	require.NoError(t, c.Slave.Stop())
	return c
}
