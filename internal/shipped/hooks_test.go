package shipped_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
	alive "github.com/mesos-modules/mms/modules/anonymous/example"
	"github.com/mesos-modules/mms/modules/hook/environment"
	"github.com/mesos-modules/mms/modules/hook/labels"
)

// builtin is the flag that gives parameters to modules that are compiled in: each a list
// of its name and of texts key=value.
func builtin(t *testing.T, modules ...[]string) string {
	t.Helper()
	type pair struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	type module struct {
		Name       string `json:"name"`
		Parameters []pair `json:"parameters"`
	}
	var all []module
	for _, m := range modules {
		one := module{Name: m[0], Parameters: []pair{}}
		for _, text := range m[1:] {
			key, value, _ := strings.Cut(text, "=")
			one.Parameters = append(one.Parameters, pair{key, value})
		}
		all = append(all, one)
	}
	text, err := json.Marshal(map[string]any{"libraries": []any{map[string]any{"name": "builtin", "modules": all}}})
	require.NoError(t, err)
	return "--modules=" + string(text)
}

// labelsOf finds the labels of a task in a document of a daemon's, wherever it stands.
func labelsOf(document any, task string) (labels []string, found bool) {
	switch v := document.(type) {
	case []any:
		for _, one := range v {
			if labels, found = labelsOf(one, task); found {
				return labels, true
			}
		}
	case map[string]any:
		if v["id"] == task && v["labels"] != nil && v["executor_id"] != nil {
			for _, l := range v["labels"].([]any) {
				l := l.(map[string]any)
				value, _ := l["value"].(string)
				labels = append(labels, l["key"].(string)+"="+value)
			}
			return labels, true
		}
		for _, one := range v {
			if labels, found = labelsOf(one, task); found {
				return labels, true
			}
		}
	}
	return nil, false
}

func TestHooksDecorateATask(t *testing.T) {
	t.Parallel()
	c := up(t,
		[]string{"--hooks=" + labels.Name, builtin(t, []string{labels.Name, "set=cluster=east", "remove=internal", "framework=mesos-execute*"})},
		[]string{"--hooks=" + labels.Name + "," + environment.Name, builtin(t,
			[]string{labels.Name, "set=rack=r7", "default=cluster=nowhere", "role=~*"},
			[]string{environment.Name, "set=SITE=east 1", "default=TZ=UTC", "default=OWN=hook", "role=*"})},
	)
	status, said := c.Run(`--task={"name": "t", "task_id": {"value": "t"}, "agent_id": {"value": ""},
		"resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}, {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}}],
		"labels": {"labels": [{"key": "internal", "value": "1"}, {"key": "tier", "value": "web"}]},
		"command": {"value": "echo \"$SITE/$TZ/$OWN\"", "environment": {"variables": [{"name": "OWN", "value": "task"}]}}}`)
	require.Zero(t, status, said)
	assert.Contains(t, said, "\neast 1/UTC/task\n", "the task's own variables are the last word")

	var agent, master any
	get(t, "http://"+c.Slave.Address+"/state", &agent)
	seen, found := labelsOf(agent, "t")
	require.True(t, found, "%v", agent)
	assert.Equal(t, []string{"tier=web", "cluster=east"}, seen, "the agent's hook has a role that the task has not")
	get(t, "http://"+c.Master.Address+"/state", &master)
	seen, found = labelsOf(master, "t")
	require.True(t, found, "%v", master)
	assert.Equal(t, []string{"internal=1", "tier=web"}, seen, "the master shows what the framework said")
}

func TestHooksOfAnAgent(t *testing.T) {
	t.Parallel()
	c := up(t, nil, []string{"--hooks=" + labels.Name, builtin(t, []string{labels.Name, "set=rack=r7", "role=web"})})
	status, said := c.Run("--name=t", "--command=true", "--role=web", small)
	require.Zero(t, status, said)
	var agent any
	get(t, "http://"+c.Slave.Address+"/state", &agent)
	seen, found := labelsOf(agent, "t")
	require.True(t, found, "%v", agent)
	assert.Equal(t, []string{"rack=r7"}, seen)
}

func TestASignOfLife(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := up(t, []string{builtin(t, []string{alive.Name, "file=" + filepath.Join(dir, "master")})},
		[]string{builtin(t, []string{alive.Name, "interval=10ms"})})
	agents := filepath.Join(c.Dir, "mesos-slave", "modules", "module-"+alive.Name, "alive")
	clustertest.Eventually(t, func() string {
		for _, file := range []string{filepath.Join(dir, "master"), agents} {
			if _, err := os.Stat(file); err != nil {
				return err.Error()
			}
		}
		return ""
	})
	require.NoError(t, c.Down())
	assert.NoFileExists(t, filepath.Join(dir, "master"))
	assert.NoFileExists(t, agents)
}
