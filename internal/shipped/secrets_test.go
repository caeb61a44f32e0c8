package shipped_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/modules/hook/environment"
	environmentsecrets "github.com/mesos-modules/mms/modules/secretresolver/environment"
	filesecrets "github.com/mesos-modules/mms/modules/secretresolver/file"
)

// readsSecret is a task that prints what it finds in its environment, which is the secret
// of this name.
func readsSecret(name string) string {
	return fmt.Sprintf(`--task={"name": "t", "task_id": {"value": "t"}, "agent_id": {"value": ""},
		"resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}, {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}}],
		"command": {"value": "echo \"<$PASSWORD>\"", "environment": {"variables": [
			{"name": "PASSWORD", "type": "SECRET", "secret": {"type": "REFERENCE", "reference": {"name": %q}}}]}}}`, name)
}

func TestSecretsOfFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "db"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "db", "password"), []byte("t0p s3cret\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "open"), []byte("t0p s3cret\n"), 0o600))
	require.NoError(t, os.Chmod(filepath.Join(dir, "open"), 0o644))
	c := up(t, nil, []string{"--secret_resolver=" + filesecrets.Name, "--hooks=" + environment.Name, // which hands on what it does not set
		builtin(t, []string{filesecrets.Name, "root=" + dir}, []string{environment.Name, "set=SITE=east"})})

	status, said := c.Run(readsSecret("db/password"))
	require.Zero(t, status, said)
	assert.Contains(t, said, "\n<t0p s3cret>\n")
	for name, why := range map[string]string{"db/gone": "no such file", "open": "everybody may read its file", "../" + filepath.Base(dir) + "/open": "no plain name"} {
		status, said := c.Run(readsSecret(name))
		assert.NotZero(t, status)
		assert.Contains(t, said, "TASK_FAILED")
		assert.Contains(t, said, why)
		assert.NotContains(t, said, "s3cret")
	}
	assert.NotContains(t, c.Slave.Log(), "s3cret")
}

func TestSecretsOfTheEnvironment(t *testing.T) {
	t.Setenv("MMS_TEST_SHIPPED_password", "t0p s3cret")
	c := up(t, nil, []string{"--secret_resolver=" + environmentsecrets.Name, builtin(t, []string{environmentsecrets.Name, "prefix=MMS_TEST_SHIPPED_"})})
	status, said := c.Run(readsSecret("password"))
	require.Zero(t, status, said)
	assert.Contains(t, said, "\n<t0p s3cret>\n")
	status, said = c.Run(readsSecret("PATH"))
	assert.NotZero(t, status)
	assert.Contains(t, said, "MMS_TEST_SHIPPED_PATH of the daemon is not set")
	assert.NotContains(t, c.Slave.Log(), "s3cret")
}
