package shipped_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
	"github.com/mesos-modules/mms/internal/clustertest"
	"github.com/mesos-modules/mms/modules/httpauthenticator/jwt"
	filesecrets "github.com/mesos-modules/mms/modules/secretresolver/file"
)

// written puts a text into a file that only the owner reads.
func written(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clustertest.Patience)
	t.Cleanup(cancel)
	return ctx
}

func TestAgentsAuthenticate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	credentials := written(t, filepath.Join(dir, "credentials"), `{"credentials": [{"principal": "agent 1", "secret": "s3cret"}, {"principal": "ops", "secret": "0ps"}]}`)
	credential := filepath.Join(dir, "credential")
	written(t, credential, `{"principal": "agent 1", "secret": "s3cret"}`)
	c := up(t, []string{"--credentials=" + credentials, "--authenticate_agents"},
		[]string{"--credential=" + credential, "--authentication_backoff_factor=10ms"})
	status, said := c.Run("--name=t", "--command=true", small)
	require.Zero(t, status, said)

	t.Run("one with another secret is refused, and ends", func(t *testing.T) {
		require.NoError(t, c.Slave.Stop())
		written(t, credential, `{"principal": "agent 1", "secret": "guess"}`)
		require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
		select {
		case <-c.Slave.Ended():
		case <-within(t).Done():
			require.Fail(t, "the agent goes on")
		}
		assert.Contains(t, c.Slave.Log(), "refused authentication")
	})
	t.Run("one that does not authenticate is not registered", func(t *testing.T) {
		work := filepath.Join(c.Dir, "another")
		d, err := cluster.Start(context.WithoutCancel(t.Context()), within(t), cluster.Options{Binary: filepath.Join(c.Bin, "mesos-slave"), Args: []string{
			"--ip=127.0.0.1", "--port=0", "--work_dir=" + work, "--runtime_dir=" + filepath.Join(work, "run"), "--master=" + c.Master.Address,
			"--resources=cpus:1;mem:64;disk:64", "--registration_backoff_factor=10ms"}})
		require.NoError(t, err)
		_, err = c.Master.Await(within(t), "it is not authenticated")
		require.NoError(t, err)
		require.NoError(t, d.Stop())
	})
	t.Run("the right secret is let in again", func(t *testing.T) {
		written(t, credential, `{"principal": "agent 1", "secret": "s3cret"}`)
		require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
		_, err := c.AwaitRegistered(within(t))
		require.NoError(t, err)
	})
	for _, log := range []string{c.Master.Log(), c.Slave.Log()} {
		assert.NotContains(t, log, "s3cret")
	}
}

// token is one that names a principal, signed with a key.
func token(key, principal string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(fmt.Appendf(nil, `{"sub":%q}`, principal))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// ask returns status and challenges of a request.
func ask(t *testing.T, url, authorization string) (status int, challenges string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if authorization != "" {
		q.Header.Set("Authorization", authorization)
	}
	answer, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	defer answer.Body.Close()
	return answer.StatusCode, strings.Join(answer.Header.Values("WWW-Authenticate"), ", ")
}

func basicOf(principal, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(principal+":"+secret))
}

func TestHTTPBasicAndTokens(t *testing.T) {
	t.Parallel()
	const masterKey, agentKey = "a key of the master's, 32 bytes!!", "a key of the agent's own, 32 byte"
	dir := t.TempDir()
	credentials := written(t, filepath.Join(dir, "credentials"), `{"credentials": [{"principal": "ops", "secret": "0ps s3cret"}]}`)
	secrets := filepath.Join(dir, "secrets")
	require.NoError(t, os.Mkdir(secrets, 0o700))
	written(t, filepath.Join(secrets, "jwt"), masterKey+"\n")
	c := up(t,
		[]string{"--credentials=" + credentials, "--authenticate_http_readonly", "--authenticate_http_readwrite", "--authenticate_http_frameworks",
			"--http_authenticators=basic,jwt", "--http_framework_authenticators=jwt,basic", "--secret_resolver=" + filesecrets.Name,
			builtin(t, []string{filesecrets.Name, "root=" + secrets}, []string{jwt.Name, "key_secret=jwt", "key_refresh=0secs"})},
		[]string{"--http_credentials=" + credentials, "--authenticate_http_readonly", "--authenticate_http_readwrite",
			"--authenticate_http_executors", "--jwt_secret_key=" + written(t, filepath.Join(dir, "key"), agentKey+"\n")})

	state := "http://" + c.Master.Address + "/state"
	both := `Basic realm="mesos-master-readonly", Bearer realm="mesos-master-readonly"`
	for _, q := range []struct {
		name, url, authorization string
		status                   int
		challenges               string
	}{
		{"nobody is told all ways", state, "", 401, both},
		{"a name with its secret is let in", state, basicOf("ops", "0ps s3cret"), 200, ""},
		{"a wrong one is not", state, basicOf("ops", "guess"), 401, both},
		{"a token is let in", state, "Bearer " + token(masterKey, "ops"), 200, ""},
		{"one with another key is not", state, "Bearer " + token("guess", "ops"), 401, both + `, error="invalid_token", error_description="the token is not signed with the key of this realm"`},
		{"an agent has both, too", "http://" + c.Slave.Address + "/state", "", 401, `Basic realm="mesos-agent-readonly", Bearer realm="mesos-agent-readonly"`},
		{"and its own key", "http://" + c.Slave.Address + "/state", "Bearer " + token(agentKey, "ops"), 200, ""},
		{"executors have a realm", "http://" + c.Slave.Address + "/api/v1/executor", "", 401, `Basic realm="mesos-agent-executor", Bearer realm="mesos-agent-executor"`},
	} {
		t.Run(q.name, func(t *testing.T) {
			status, challenges := ask(t, q.url, q.authorization)
			assert.Equal(t, q.status, status)
			assert.Equal(t, q.challenges, challenges)
		})
	}
	t.Run("a framework with its secret runs tasks, whose executors bring the agent's tokens", func(t *testing.T) {
		status, said := c.Run("--principal=ops", "--secret=0ps s3cret", "--name=t", "--command=echo done", small)
		require.Zero(t, status, said)
		assert.Contains(t, said, "\ndone\n")
	})
	t.Run("the default executor launches with its token", func(t *testing.T) {
		status, said := c.Run("--principal=ops", "--secret=0ps s3cret", `--task_group={"tasks": [{"name": "g", "task_id": {"value": "g"}, "agent_id": {"value": ""},
			"resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}, {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}}],
			"command": {"value": "echo of a group"}}]}`)
		require.Zero(t, status, said)
		assert.Contains(t, said, "of a group\n")
	})
	t.Run("one with another is not subscribed", func(t *testing.T) {
		status, said := c.Run("--principal=ops", "--secret=guess", "--name=t", "--command=true", small)
		assert.NotZero(t, status)
		assert.Contains(t, said, "401")
	})
	t.Run("a key that is changed is used, and the one before still is", func(t *testing.T) {
		written(t, filepath.Join(secrets, "new"), "another")
		require.NoError(t, os.Rename(filepath.Join(secrets, "new"), filepath.Join(secrets, "jwt")))
		status, _ := ask(t, state, "Bearer "+token("another", "ops"))
		assert.Equal(t, 200, status)
		status, _ = ask(t, state, "Bearer "+token(masterKey, "ops"))
		assert.Equal(t, 200, status)
	})
	for _, log := range []string{c.Master.Log(), c.Slave.Log()} {
		for _, secret := range []string{"0ps s3cret", masterKey, agentKey} {
			assert.NotContains(t, log, secret)
		}
	}
}

func TestTheManifestsCredentialsWin(t *testing.T) {
	t.Parallel()
	credentials := written(t, filepath.Join(t.TempDir(), "credentials"), `{"credentials": [{"principal": "ops", "secret": "of the flag"}]}`)
	c := up(t, []string{"--credentials=" + credentials, "--authenticate_http_readonly",
		builtin(t, []string{"org_apache_mesos_BasicHttpAuthenticator", `credentials=[{"principal": "ann", "secret": "of the manifest"}]`})}, nil)
	state := "http://" + c.Master.Address + "/state"
	status, challenges := ask(t, state, basicOf("ops", "of the flag"))
	assert.Equal(t, 401, status)
	assert.Equal(t, `Basic realm="mesos-master-readonly"`, challenges, "the realm is still the daemon's")
	status, _ = ask(t, state, basicOf("ann", "of the manifest"))
	assert.Equal(t, 200, status)
}

func TestACLsRefuse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	credentials := written(t, filepath.Join(dir, "credentials"), `{"credentials": [{"principal": "ops", "secret": "o"}, {"principal": "guest", "secret": "g"}]}`)
	lists := written(t, filepath.Join(dir, "acls"), `{"register_frameworks": [{"principals": {"values": ["guest"]}, "roles": {"values": ["web"]}}, {"principals": {"values": ["guest"]}, "roles": {"type": "NONE"}}],
		"run_tasks": [{"principals": {"values": ["guest"]}, "users": {"type": "NONE"}}],
		"get_endpoints": [{"principals": {"values": ["guest"]}, "paths": {"type": "NONE"}}]}`)
	c := up(t, []string{"--credentials=" + credentials, "--authenticate_http_frameworks", "--http_framework_authenticators=basic", "--authenticate_http_readonly",
		"--acls=file://" + lists}, nil)
	require.NoError(t, os.Remove(lists)) // it was read when the master started
	t.Run("a role that is not the principal's", func(t *testing.T) {
		status, said := c.Run("--principal=guest", "--secret=g", "--name=t", "--command=true", small)
		assert.NotZero(t, status)
		assert.Contains(t, said, "Not authorized to use roles")
	})
	t.Run("a task that the principal may not run", func(t *testing.T) {
		status, said := c.Run("--principal=guest", "--secret=g", "--role=web", "--name=t", "--command=true", small)
		assert.NotZero(t, status)
		assert.Contains(t, said, "TASK_ERROR")
		assert.Contains(t, said, "REASON_TASK_UNAUTHORIZED")
	})
	t.Run("an endpoint that the principal may not read", func(t *testing.T) {
		status, _ := ask(t, "http://"+c.Master.Address+"/metrics/snapshot", basicOf("guest", "g"))
		assert.Equal(t, 403, status)
		status, _ = ask(t, "http://"+c.Master.Address+"/metrics/snapshot", basicOf("ops", "o"))
		assert.Equal(t, 200, status)
	})
	t.Run("others are let in", func(t *testing.T) {
		status, said := c.Run("--principal=ops", "--secret=o", "--name=t", "--command=true", small)
		assert.Zero(t, status, said)
	})
}
