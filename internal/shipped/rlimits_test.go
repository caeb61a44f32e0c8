package shipped_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestATaskHasTheLimitsItAskedFor(t *testing.T) {
	t.Parallel()
	c := up(t, nil, []string{"--isolation=posix/cpu,posix/rlimits"})
	t.Run("and sees them", func(t *testing.T) {
		status, output := c.Run("--name=limited", "--command=ulimit -Sn; ulimit -Hn; ulimit -c; exec 9>file || exit 1", small,
			`--rlimits={"rlimits": [{"type": "RLMT_NOFILE", "soft": 77, "hard": 99}, {"type": "RLMT_CORE", "soft": 0, "hard": 0}]}`)
		assert.Zero(t, status, output)
		assert.Contains(t, output, "77\n99\n0\n")
	})
	t.Run("what makes no sense fails the task", func(t *testing.T) {
		status, output := c.Run("--name=twice", "--command=echo not run", small,
			`--rlimits={"rlimits": [{"type": "RLMT_NOFILE"}, {"type": "RLMT_NOFILE", "soft": 1, "hard": 2}]}`)
		assert.NotZero(t, status)
		assert.Contains(t, output, "RLMT_NOFILE: it is given twice")
		assert.NotContains(t, output, "\nnot run\n")
	})
}
