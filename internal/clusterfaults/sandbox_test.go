package clusterfaults_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
)

// readsOf reads a file of a sandbox in all ways in which the agent lets it be read.
func readsOf(t *testing.T, d *cluster.Daemon, path string) map[string]answer {
	t.Helper()
	all := map[string]answer{}
	for _, route := range []string{"read?offset=0&path=", "read.json?offset=0&path=", "download?path="} {
		a, err := try(t.Context(), http.MethodGet, d.Address, "/files/"+route+url.QueryEscape(path), nil)
		require.NoError(t, err)
		all[route] = a
	}
	body := fmt.Sprintf(`{"type":"READ_FILE","read_file":{"path":%q,"offset":0}}`, path)
	all["READ_FILE"] = post(t, d.Address, operatorPath, strings.NewReader(body), "Content-Type", typeJSON, "Accept", typeJSON)
	return all
}

// The sandbox of a task that runs belongs to whom it runs for, who puts into it what he
// likes. Nothing there shows what lies outside.
func TestSandboxReads(t *testing.T) {
	t.Parallel()
	c, dir := up(t, nil, nil)
	f := join(t, c)
	secret := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("hidden"), 0o644))
	up := strings.Repeat("../", 30) + secret[1:] // above / is / itself
	leave := filepath.Join(dir, "leave")
	f.launch(shell("live", strings.Join([]string{
		"printf shown > file", "mkdir sub", "ln -s file inside", "ln -s ../file sub/up",
		"ln -s " + secret + " absolute", "ln -s " + up + " relative",
		"ln -s " + dir + " folder", "ln -s absolute chain", "ln -s loop loop", "mkfifo pipe",
		"touch ready", "while [ ! -e " + leave + " ]; do sleep 0.05; done",
	}, " && ")), func(point, string) {})
	var sandbox string
	eventually(t, func() string {
		var s struct {
			Frameworks []struct {
				Executors []struct{ Directory string }
			}
		}
		fetch(t, c.Slave.Address, "/state", &s)
		if len(s.Frameworks) == 0 || len(s.Frameworks[0].Executors) == 0 {
			return "the task is there; the scheduler was told " + f.told("live")
		}
		sandbox = s.Frameworks[0].Executors[0].Directory
		if _, err := os.Stat(filepath.Join(sandbox, "ready")); err != nil {
			return err.Error()
		}
		return ""
	})
	for _, virtual := range []string{sandbox, filepath.Join(filepath.Dir(sandbox), "latest")} {
		for _, path := range []string{"file", "inside", "sub/up", "sub/../file", "./file"} {
			for way, a := range readsOf(t, c.Slave, virtual+"/"+path) {
				assert.Equal(t, http.StatusOK, a.status, "%s%s: %s", way, path, a.body)
				want := "shown"
				if way == "READ_FILE" {
					want = `"data":"c2hvd24="`
				}
				assert.Contains(t, a.body, want, "%s%s", way, path)
			}
		}
		for _, path := range []string{
			up, "sub/" + up, "./" + up, "..", "../..", "sub/../..", "absolute", "relative", "folder/secret", "chain", "loop", "pipe", "sub",
		} {
			for way, a := range readsOf(t, c.Slave, virtual+"/"+path) {
				assert.Equal(t, http.StatusBadRequest, a.status, "%s%s: %s", way, path, a.body)
				assert.NotContains(t, a.body, "hidden", "%s%s", way, path)
				assert.NotContains(t, a.body, "aGlkZGVu", "%s%s", way, path)
			}
		}
		a, err := try(t.Context(), http.MethodGet, c.Slave.Address, "/files/browse?path="+url.QueryEscape(virtual+"/folder"), nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusBadRequest, a.status, a.body)
	}
	well(t, server{"slave", c.Slave})
	require.NoError(t, os.WriteFile(leave, nil, 0o600))
	assert.Equal(t, "TASK_FINISHED", f.ends(t, "live").GetState().String())
	nobodyLeft(t, c, dir)
	assert.Empty(t, f.wrongs())
}
