package shipped_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
)

// rotating is the logger with small files; a task may write some 100 KB here.
const rotating = `--modules={"libraries": [{"name": "builtin", "modules": [{"name": "org_apache_mesos_LogrotateContainerLogger", "parameters": [
	{"key": "max_stdout_size", "value": "16KB"}, {"key": "max_files", "value": "3"}, {"key": "compression", "value": "gzip"}]}]}]}`

// A line of 16 bytes for each number.
const talker = "i=%d; while [ $i -lt %d ]; do printf 'line %%010d\\n' $i; i=$((i+1)); done; "

func TestOutputIsRotatedOverARestart(t *testing.T) {
	t.Parallel()
	c := up(t, nil, []string{"--container_logger=org_apache_mesos_LogrotateContainerLogger", rotating})
	task := begin(t, c, "--checkpoint", "--no-show_output", "--name=talker", "--command="+fmt.Sprintf(talker, 0, 3000)+wait+fmt.Sprintf(talker, 3000, 6000)+"exit 7", small)
	sandbox := waiting(t, c)
	before, names := settled(t, sandbox)
	assert.Equal(t, []string{"stdout.2.gz", "stdout.1.gz", "stdout"}, names[max(0, len(names)-3):])
	assert.True(t, strings.HasSuffix(before, "line 0000002999\n"), "all of it has come")

	require.NoError(t, c.Slave.Kill())
	goOn(t, sandbox) // it writes while no agent runs
	clustertest.Eventually(t, func() string {
		if text, _ := rotated(t, sandbox); !strings.HasSuffix(text, "line 0000005999\n") {
			return "the output ends with " + text[max(0, len(text)-40):]
		}
		return ""
	})
	require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
	assert.Contains(t, task.end(), "Command exited with status 7")

	text, names := settled(t, sandbox)
	assert.Equal(t, []string{"stdout.3.gz", "stdout.2.gz", "stdout.1.gz", "stdout"}, names)
	first, err := strconv.Atoi(strings.TrimPrefix(strings.SplitN(text, "\n", 2)[0], "line "))
	require.NoError(t, err)
	var want strings.Builder
	for n := first; n < 6000; n++ {
		fmt.Fprintf(&want, "line %010d\n", n)
	}
	assert.Equal(t, want.String(), text, "no line is lost, torn or out of order")
	assert.LessOrEqual(t, len(text), 4*16<<10)
	clustertest.Eventually(t, func() string {
		for _, p := range c.Containers() {
			return "this process goes: " + p.Line
		}
		all, err := clustertest.Processes(sandbox)
		require.NoError(t, err)
		if len(all) > 0 {
			return "this process goes: " + all[0].Line
		}
		return ""
	})
}

func TestOutputOfTaskGroupsIsRotatedToo(t *testing.T) {
	t.Parallel()
	c := up(t, nil, []string{"--container_logger=org_apache_mesos_LogrotateContainerLogger"})
	status, output := c.Run(fmt.Sprintf(`--task_group={"tasks": [{"name": "a", "task_id": {"value": "a"}, "agent_id": {"value": ""},
		"command": {"value": "%s", "environment": {"variables": [{"name": "CONTAINER_LOGGER_MAX_STDOUT_SIZE", "value": "4KB"}]}},
		"resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}, {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}}]}]}`,
		strings.ReplaceAll(fmt.Sprintf(talker, 0, 1000), `\`, `\\`)), "--no-show_output")
	assert.Zero(t, status, output)
	found, err := filepath.Glob(filepath.Join(c.Dir, "mesos-slave/slaves/*/frameworks/*/executors/*/runs/latest/containers/*/stdout"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	text, names := rotated(t, filepath.Dir(found[0]))
	assert.Equal(t, []string{"stdout.3", "stdout.2", "stdout.1", "stdout"}, names)
	assert.Len(t, text, 16000)
}

// rotated is what is kept of standard output, from the oldest file to the newest, and the
// names of the files. A rotation that is under way is waited for.
func rotated(t *testing.T, sandbox string) (text string, names []string) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		var whole bool
		if text, names, whole = files(t, sandbox); !whole {
			return "it is being rotated"
		}
		return ""
	})
	return text, names
}

// settled is likewise, when all but the newest file are compressed.
func settled(t *testing.T, sandbox string) (text string, names []string) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		text, names = rotated(t, sandbox)
		for _, name := range names[:len(names)-1] {
			if !strings.HasSuffix(name, ".gz") {
				return name + " is compressed"
			}
		}
		return ""
	})
	return text, names
}

func files(t *testing.T, sandbox string) (text string, names []string, whole bool) {
	t.Helper()
	for n := 9; n >= 0; n-- {
		for _, extension := range []string{".gz", ""} {
			name := "stdout" + strings.TrimSuffix("."+strconv.Itoa(n), ".0") + extension
			data, err := os.ReadFile(filepath.Join(sandbox, name))
			if os.IsNotExist(err) {
				continue
			}
			require.NoError(t, err)
			names = append(names, name)
			if extension != "" {
				r, err := gzip.NewReader(bytes.NewReader(data))
				require.NoError(t, err)
				data, err = io.ReadAll(r)
				require.NoError(t, err)
			}
			assert.LessOrEqual(t, len(data), 16<<10)
			text += string(data)
		}
	}
	last := len(names) - 1
	return text, names, last >= 0 && names[last] == "stdout" && (last == 0 || strings.HasPrefix(names[last-1], "stdout.1"))
}
