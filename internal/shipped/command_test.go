package shipped_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
)

// operator is a script for every step: it gives tasks a variable, ends those that make a
// file called "forbidden", and keeps an inventory.
const operator = `
echo "$MESOS_ISOLATOR_STEP" >>%[1]s/steps
case "$MESOS_ISOLATOR_STEP" in
prepare) echo '{"environment": {"variables": [{"name": "TEAM", "value": "blue"}]}}' ;;
watch)
	while :; do
		set -- %[2]s/slaves/*/frameworks/*/executors/*/runs/latest/forbidden
		if [ -e "$1" ]; then
			echo '{"message": "made a forbidden file"}'
			exit 0
		fi
		sleep 0.05
	done ;;
cleanup) touch "%[1]s/cleaned-$MESOS_CONTAINER_ID" ;;
esac
`

func TestAnOperatorsScript(t *testing.T) {
	t.Parallel()
	folder, dir := t.TempDir(), t.TempDir()
	script := filepath.Join(folder, "operator.sh")
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, operator, folder, filepath.Join(dir, "mesos-slave")), 0o644))
	var parameters []string
	for _, step := range []string{"recover", "prepare", "isolate", "watch", "cleanup"} {
		parameters = append(parameters, fmt.Sprintf(`{"key": "%s", "value": "/bin/sh %s"}`, step, script))
	}
	c := clustertest.Up(t, clustertest.Config{Bin: programs, Dir: dir, Slave: []string{"--isolation=posix/cpu,command",
		`--modules={"libraries": [{"name": "builtin", "modules": [{"name": "org_apache_mesos_CommandIsolator", "parameters": [` + strings.Join(parameters, ",") + `]}]}]}`}})

	status, output := c.Run("--name=blue", `--command=echo "I am $TEAM"`, small)
	assert.Zero(t, status, output)
	assert.Contains(t, output, "I am blue\n")
	status, output = c.Run("--name=wicked", "--command=touch forbidden; sleep 1000", small)
	assert.NotZero(t, status)
	assert.Contains(t, output, "reason: REASON_CONTAINER_LIMITATION")
	assert.Contains(t, output, "message: 'made a forbidden file'")
	clustertest.Eventually(t, func() string {
		if cleaned, _ := filepath.Glob(folder + "/cleaned-*"); len(cleaned) != 2 {
			return fmt.Sprintf("%d of two containers were cleaned up", len(cleaned))
		}
		return ""
	})
	steps, err := os.ReadFile(folder + "/steps")
	require.NoError(t, err)
	assert.Equal(t, "recover\n", strings.Repeat("recover\n", strings.Count(string(steps), "recover")), "once")
	for _, step := range []string{"prepare", "isolate", "watch", "cleanup"} {
		assert.Equal(t, 2, strings.Count(string(steps), step), step)
	}
}
