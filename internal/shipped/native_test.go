package shipped_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
	"github.com/mesos-modules/mms/manager/vehicle"
)

const (
	authenticatorName = "org_apache_mesos_CRAMMD5Authenticator"
	authenticateeName = "org_apache_mesos_CRAMMD5Authenticatee"
	labelsName        = "org_apache_mesos_LabelDecoratorHook"
	environmentName   = "org_apache_mesos_EnvironmentDecoratorHook"
	commandName       = "org_apache_mesos_CommandIsolator"
)

// nativeModule builds a module below modules/ that ships in C++ and returns the library.
func nativeModule(t *testing.T, folder string) string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join("../../modules", folder, "native", "*.cpp"))
	require.NoError(t, err)
	require.NotEmpty(t, sources, folder)
	path := filepath.Join(t.TempDir(), "lib"+strings.ReplaceAll(folder, "/", "-")+"-native.so")
	args := append([]string{"-std=c++17", "-O0", "-fPIC", "-fno-gnu-unique", "-pthread", "-shared", "-I../../facade/include", "-o", path}, sources...)
	out, err := exec.CommandContext(t.Context(), "g++", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// inLibrary is a manifest of one module of a library, with parameters: keys and values
// in turn.
func inLibrary(library, module string, pairs ...string) string {
	parameters := []map[string]string{}
	for n := 0; n < len(pairs); n += 2 {
		parameters = append(parameters, map[string]string{"key": pairs[n], "value": pairs[n+1]})
	}
	text, _ := json.Marshal(map[string]any{"libraries": []any{map[string]any{
		"file": library, "modules": []any{map[string]any{"name": module, "parameters": parameters}}}}})
	return "--modules=" + string(text)
}

// carriedBy returns how a daemon's module has come.
func carriedBy(t *testing.T, address, module string) string {
	t.Helper()
	answer, err := http.Get("http://" + address + "/modules")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var status struct {
		Modules []struct{ Name, Vehicle string }
	}
	require.NoError(t, json.Unmarshal(text, &status))
	for _, m := range status.Modules {
		if m.Name == module {
			return m.Vehicle
		}
	}
	return "nothing"
}

func TestNativeAuthentication(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	theirs := []string{"--authenticate_agents", "--credentials=" + write("credentials", `{"credentials":[{"principal":"an agent","secret":"s3cret"}]}`)}
	ours := []string{"--credential=" + write("credential", `{"principal":"an agent","secret":"s3cret"}`)}
	master := append([]string{inLibrary(nativeModule(t, "authenticator/crammd5"), authenticatorName)}, theirs...)
	slave := append([]string{inLibrary(nativeModule(t, "authenticatee/crammd5"), authenticateeName)}, ours...)
	for _, c := range []struct {
		name          string
		master, slave []string
		carries       [2]string
	}{
		{"in C++ on both sides", master, slave, [2]string{vehicle.Native, vehicle.Native}},
		{"in C++ on the master, in Go on the agent", master, ours, [2]string{vehicle.Native, vehicle.Builtin}},
		{"in Go on the master, in C++ on the agent", theirs, slave, [2]string{vehicle.Builtin, vehicle.Native}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := up(t, c.master, c.slave)
			assert.Equal(t, c.carries[0], carriedBy(t, cluster.Master.Address, authenticatorName))
			assert.Equal(t, c.carries[1], carriedBy(t, cluster.Slave.Address, authenticateeName))
			status, output := cluster.Run("--name=hello", "--command=echo hello; exit 7", small)
			assert.Equal(t, 7, status)
			assert.Contains(t, output, "hello\n")
			assert.NotContains(t, cluster.Master.Log()+cluster.Slave.Log(), "s3cret")
		})
	}
	t.Run("and who does not know the secret stays outside", func(t *testing.T) {
		cluster := up(t, master, slave)
		refused := exec.CommandContext(t.Context(), filepath.Join(programs, "mesos-slave"), slave[0], "--master="+cluster.Master.Address,
			"--work_dir="+t.TempDir(), "--runtime_dir="+t.TempDir(), "--port=0", "--ip=127.0.0.1", "--credential="+write("wrong", `{"principal":"an agent","secret":"guess"}`))
		out, err := refused.CombinedOutput()
		require.Error(t, err, string(out))
		assert.Contains(t, string(out), "refuse")
	})
}

func TestNativeHooks(t *testing.T) {
	t.Parallel()
	master := []string{inLibrary(nativeModule(t, "hook/labels"), labelsName, "set", "cluster=east", "task", "dec*"), "--hooks=" + labelsName}
	slave := []string{inLibrary(nativeModule(t, "hook/environment"), environmentName, "set", "SITE=north", "default", "LANG=C.UTF-8"), "--hooks=" + environmentName}
	c := up(t, master, slave)
	assert.Equal(t, vehicle.Native, carriedBy(t, c.Master.Address, labelsName))
	assert.Equal(t, vehicle.Native, carriedBy(t, c.Slave.Address, environmentName))

	status, output := c.Run("--name=decorated", "--command=echo site=$SITE lang=$LANG", small)
	assert.Zero(t, status)
	assert.Contains(t, output, "site=north lang=C.UTF-8\n")

	answer, err := http.Get("http://" + c.Slave.Address + "/state")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), `{"key":"cluster","value":"east"}`, "the agent shows the label that the master's hook has set")
}

func TestNativeCommandIsolator(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	script := func(name string, lines ...string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
		return "/bin/sh " + path
	}
	library := nativeModule(t, "isolator/command")
	slave := []string{"--isolation=posix/cpu,posix/mem,command", inLibrary(library, commandName,
		"prepare", script("prepare", `grep -q '"name":"refused"' && { echo no such task here >&2; exit 3; }`,
			`echo '{"environment":{"variables":[{"name":"TEAM","value":"blue"}]}}'`),
		"watch", script("watch", `grep -q '"pid":' || exit 9`, "while sleep 0.02; do",
			`[ -e `+folder+`/limit ] && { echo '{"reason":"REASON_CONTAINER_LIMITATION_DISK","message":"too much was written"}'; sleep 1000; }`, "done"),
		"cleanup", script("cleanup", "echo $MESOS_CONTAINER_ID >>"+folder+"/cleaned"))}
	c := up(t, nil, slave)
	assert.Equal(t, vehicle.Native, carriedBy(t, c.Slave.Address, commandName))

	status, output := c.Run("--name=prepared", "--command=echo team=$TEAM", small)
	assert.Zero(t, status)
	assert.Contains(t, output, "team=blue\n")

	_, output = c.Run("--name=limited", fmt.Sprintf("--command=touch %s/limit; sleep 1000", folder), small)
	assert.Contains(t, output, "TASK_FAILED")
	assert.Contains(t, output, "too much was written")
	require.NoError(t, os.Remove(filepath.Join(folder, "limit")))

	_, output = c.Run("--name=refused", "--command=echo never", small)
	assert.Contains(t, output, "no such task here")
	assert.NotContains(t, output, "never\n")

	clustertest.Eventually(t, func() string {
		cleaned, _ := os.ReadFile(filepath.Join(folder, "cleaned"))
		if n := strings.Count(string(cleaned), "\n"); n != 3 {
			return fmt.Sprint("cleaned are ", n, " of 3")
		}
		for _, p := range c.Containers() {
			return "this process goes: " + p.Line
		}
		return ""
	})
}
