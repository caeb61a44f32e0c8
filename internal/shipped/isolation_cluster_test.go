package shipped_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
	"github.com/mesos-modules/mms/internal/clustertest"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	authenticator "github.com/mesos-modules/mms/modules/authenticator/crammd5"
	"github.com/mesos-modules/mms/modules/authorizer/local"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	"github.com/mesos-modules/mms/modules/hook/labels"
	"github.com/mesos-modules/mms/modules/httpauthenticator/basic"
	"github.com/mesos-modules/mms/modules/isolator/posixmem"
	contender "github.com/mesos-modules/mms/modules/mastercontender/standalone"
	detector "github.com/mesos-modules/mms/modules/masterdetector/standalone"
	"github.com/mesos-modules/mms/roles"
)

// everythingIsolated runs a cluster of which every module is in a process of its own, and
// kills these processes one after the other while tasks run.
func everythingIsolated(t *testing.T, plugins map[string]string) {
	credentials := filepath.Join(t.TempDir(), "credentials")
	written(t, credentials, `{"credentials": [{"principal": "agent", "secret": "s3cret"}]}`)
	credential := filepath.Join(t.TempDir(), "credential")
	written(t, credential, `{"principal": "agent", "secret": "s3cret"}`)
	at := func(of roles.Daemon, more ...string) []string {
		modules := append(standard(of), labels.Name)
		return append([]string{"--modules_isolation=process", "--modules=" + manifestOf(t, plugins, modules), "--hooks=" + labels.Name}, more...)
	}
	c := up(t, at(roles.Master, "--credentials="+credentials, "--authenticate_agents"),
		at(roles.Slave, "--credential="+credential, "--authentication_backoff_factor=10ms"))
	for _, d := range []*cluster.Daemon{c.Master, c.Slave} {
		all := modulesOf(t, d)
		require.NotEmpty(t, all)
		for _, m := range all {
			if len(m.Sites) > 0 {
				assert.Equal(t, "process", m.Isolation, m.Name)
			}
		}
	}
	status, said := c.Run("--name=hello", "--command=echo hello; exit 7", small)
	require.Equal(t, 7, status, said)
	require.Contains(t, said, "hello\n")

	for _, k := range []struct {
		of     string
		daemon *cluster.Daemon
		module string
	}{
		{"the allocator", c.Master, hierarchical.Name},
		{"the authenticator", c.Master, authenticator.Name},
		{"the authorizer", c.Master, local.Name},
		{"the contender", c.Master, contender.Name},
		{"the master's detector", c.Master, detector.Name},
		{"a hook of the master", c.Master, labels.Name},
		{"an isolator", c.Slave, posixmem.Name},
		{"the containerizer", c.Slave, mesos.Name},
		{"the container logger", c.Slave, sandbox.Name},
		{"the agent's detector", c.Slave, detector.Name},
	} {
		t.Run("without "+k.of+" for a while a task lives, and others come", func(t *testing.T) {
			life := begun(t, c)
			before := moduleOf(t, k.daemon, k.module)
			require.NoError(t, syscall.Kill(before.PID, syscall.SIGKILL))
			after := again(t, k.daemon, k.module, 1)
			assert.NotEqual(t, before.PID, after.PID)
			status, said := c.Run("--name=next", "--command=exit 3", small)
			assert.Equal(t, 3, status, said)
			life.ends(t)
		})
	}
	t.Run("agents authenticate with a restarted authenticator", func(t *testing.T) {
		require.NoError(t, c.Slave.Stop())
		require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
		_, err := c.AwaitRegistered(within(t))
		require.NoError(t, err)
	})
	t.Run("a killed agent leaves no module, and its task to the next", func(t *testing.T) {
		life := begun(t, c)
		pids := pidsOf(t, c.Slave)
		require.NoError(t, c.Slave.Kill())
		requireGone(t, pids...)
		require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
		_, err := c.AwaitRegistered(within(t))
		require.NoError(t, err)
		life.ends(t)
	})
	t.Run("the end of the daemons is that of all", func(t *testing.T) {
		pids := slices.Concat(pidsOf(t, c.Master), pidsOf(t, c.Slave))
		require.NoError(t, c.Down())
		requireGone(t, pids...)
	})
}

// withoutAnIsolator runs a cluster whose agent does not need one of its isolators, and
// loses it for good.
func withoutAnIsolator(t *testing.T, plugins map[string]string) {
	c := up(t, nil, []string{isolating(t, plugins[posixmem.Name], `"restart": {"limit": 0}`, fmt.Sprintf(`{"name": %q, "on_failure": "optional"}`, posixmem.Name))})
	life := begun(t, c)
	require.NoError(t, syscall.Kill(moduleOf(t, c.Slave, posixmem.Name).PID, syscall.SIGKILL))
	clustertest.Eventually(t, func() string {
		if now := moduleOf(t, c.Slave, posixmem.Name); now.State != "unavailable" {
			return now.State
		}
		return ""
	})
	status, said := c.Run("--name=next", "--command=exit 3", small)
	assert.Equal(t, 3, status, said)
	assert.Contains(t, c.Slave.Log(), "a container is launched without an isolator that is lost for good")
	life.ends(t)
}

// withoutAnAllocator runs a cluster whose master loses what it needs.
func withoutAnAllocator(t *testing.T, plugins map[string]string) {
	d := alone(t, isolating(t, plugins[hierarchical.Name], `"restart": {"limit": 0}`, fmt.Sprintf(`{"name": %q}`, hierarchical.Name)))
	pid := moduleOf(t, d, hierarchical.Name).PID
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	assert.Equal(t, daemon.ExitFailed, exitOf(t, d))
	assert.Contains(t, d.Log(), "stops: module "+hierarchical.Name)
}

// realms runs a master whose authenticators of HTTP requests are in a process.
func realms(t *testing.T, plugins map[string]string) {
	credentials := filepath.Join(t.TempDir(), "credentials")
	written(t, credentials, `{"credentials": [{"principal": "ops", "secret": "0ps"}]}`)
	d := alone(t, "--modules_isolation=process", "--modules="+manifestOf(t, plugins, []string{basic.Name}),
		"--authenticate_http_readonly", "--authenticate_http_readwrite", "--credentials="+credentials)
	status := func(who string) int {
		answer, err := http.Get("http://" + who + "@" + d.Address + "/state")
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	known := &cluster.Daemon{Address: "ops:0ps@" + d.Address}
	before := moduleOf(t, known, basic.Name)
	require.NoError(t, syscall.Kill(before.PID, syscall.SIGKILL))
	clustertest.Eventually(t, func() string {
		if now := status("ops:0ps"); now != http.StatusOK {
			return fmt.Sprintf("the operator gets %d", now)
		}
		return ""
	})
	again(t, known, basic.Name, 1)
	assert.Equal(t, http.StatusOK, status("ops:0ps"))
	assert.Equal(t, http.StatusUnauthorized, status("ops:guess"))
}

// pidsOf are the processes of a daemon's modules.
func pidsOf(t *testing.T, d *cluster.Daemon) (all []int) {
	t.Helper()
	for _, m := range modulesOf(t, d) {
		if m.PID != 0 && !slices.Contains(all, m.PID) {
			all = append(all, m.PID)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// long is a task that runs until a file is there.
type long struct {
	*running
	file string
}

// begun starts a task and returns when it runs.
func begun(t *testing.T, c *clustertest.Cluster) *long {
	t.Helper()
	dir := t.TempDir()
	started, file := filepath.Join(dir, "started"), filepath.Join(dir, "end")
	r := begin(t, c, "--name=long", "--checkpoint", small,
		fmt.Sprintf("--command=touch %s; while ! test -e %s; do sleep 0.02; done; exit 5", started, file))
	clustertest.Eventually(t, func() string { return missing(started) })
	return &long{r, file}
}

// ends lets the task end and sees how it does.
func (k *long) ends(t *testing.T) {
	t.Helper()
	written(t, k.file, "")
	said := k.end()
	assert.Equal(t, 5, k.cmd.ProcessState.ExitCode(), said)
}

func missing(file string) string {
	if found, _ := filepath.Glob(file); len(found) == 0 {
		return file + " is not there"
	}
	return ""
}
