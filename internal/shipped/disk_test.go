package shipped_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
)

// measureDisk are the flags of an agent that looks at disks often.
var measureDisk = []string{"--isolation=posix/cpu,disk/du", "--container_disk_watch_interval=50ms"}

// A writer stops by itself at 4 MB.
const writer = "i=0; while [ $i -lt 64 ]; do head -c 65536 /dev/zero; i=$((i+1)); sleep 0.02; done >data; echo all written; sleep 1000"

func TestAWriterMeetsItsQuota(t *testing.T) {
	t.Parallel()
	c := up(t, nil, append(measureDisk, "--enforce_container_disk_quota"))
	status, output := c.Run("--name=writer", "--command="+writer, small+";disk:1")
	assert.NotZero(t, status)
	assert.Contains(t, output, "TASK_FAILED")
	assert.Contains(t, output, "source: SOURCE_AGENT")
	assert.Contains(t, output, "reason: REASON_CONTAINER_LIMITATION_DISK")
	assert.Regexp(t, `message: 'Disk usage \(\d+KB\) exceeds quota \(1MB\)'`, output)
	assert.NotContains(t, output, "all written")
}

func TestDiskIsReportedAndRecovered(t *testing.T) {
	t.Parallel()
	c := up(t, nil, append(measureDisk, "--enforce_container_disk_quota"))
	task := begin(t, c, "--checkpoint", "--name=modest", "--command=head -c 500000 /dev/zero >data; "+wait+"head -c 2000000 /dev/zero >more; sleep 1000", small+";disk:2")
	sandbox := waiting(t, c)
	require.NoError(t, c.Slave.Kill())
	require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
	var statistics []struct {
		Statistics struct {
			Used  float64 `json:"disk_used_bytes"`
			Limit float64 `json:"disk_limit_bytes"`
		} `json:"statistics"`
	}
	clustertest.Eventually(t, func() string {
		get(t, "http://"+c.Slave.Address+"/containers", &statistics)
		if len(statistics) != 1 || statistics[0].Statistics.Used < 500000 || statistics[0].Statistics.Limit != 2<<20 {
			return fmt.Sprintf("the agent says %v", statistics)
		}
		return ""
	})
	assert.Less(t, statistics[0].Statistics.Used, 600000.0)
	goOn(t, sandbox)
	output := task.end()
	assert.Contains(t, output, "reason: REASON_CONTAINER_LIMITATION_DISK", "the agent that has come back enforces it too")
	assert.Equal(t, 1, strings.Count(output, "TASK_FAILED for"))
}
