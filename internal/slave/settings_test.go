package slave

import (
	"bytes"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules"
	"github.com/mesos-modules/mms/modules/isolator/diskdu"
	"github.com/mesos-modules/mms/modules/isolator/networkports"
	"github.com/mesos-modules/mms/roles"
)

// read reads a command line as the daemon does.
func read(t *testing.T, h daemon.Host, args ...string) (*Plug, error) {
	t.Helper()
	p := &Plug{}
	set := flags.New(flags.Config{Program: "mesos-slave", Prefix: "MESOS_"})
	p.Declare(set)
	_, err := set.Parse(args, nil)
	require.NoError(t, err)
	h.Log, h.Version, h.Hostname = slog.New(slog.DiscardHandler), "1.12.0", "host"
	h.Env = func(string) string { return "" }
	h.Advertised = netip.MustParseAddrPort("10.0.0.2:5051")
	if h.Given == nil {
		h.Given = func(string) bool { return false }
	}
	return p, p.Check(h)
}

func TestFlags(t *testing.T) {
	work := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(work, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	t.Run("become what the agent is made of", func(t *testing.T) {
		p, err := read(t, daemon.Host{WorkDir: work}, "--master=10.0.0.1:5050", "--resources=cpus:3;mem:100;disk:200;ports:[1-2]",
			"--attributes=rack:r1", `--executor_environment_variables={"B":"2","A":"1"}`, "--executor_shutdown_grace_period=7secs",
			"--recover=cleanup", "--credential="+write("credential", `{"principal":"p","secret":"s"}`))
		require.NoError(t, err)
		c := p.settings.core
		all, err := resources.New(c.Info.GetResources())
		require.NoError(t, err)
		assert.Equal(t, "cpus:3; mem:100; disk:200; ports:[1-2]", all.String())
		assert.Equal(t, "rack", c.Info.GetAttributes()[0].GetName())
		assert.Equal(t, "slave(1)@10.0.0.2:5051", c.PID.String())
		assert.Equal(t, "B", c.ExecutorEnvironment[0].GetName(), "in the order of the text")
		assert.Len(t, c.Features, 8)
		assert.True(t, c.Cleanup)
		assert.True(t, c.Credential)
		assert.Equal(t, "p", p.settings.credential.GetPrincipal())
	})
	t.Run("that do not fit are all told at once", func(t *testing.T) {
		_, err := read(t, daemon.Host{}, "--authenticate_http_executors", "--authenticate_http_readonly")
		for _, want := range []string{"--work_dir is missing", "--master is missing", "needs --jwt_secret_key", "need --http_credentials"} {
			assert.ErrorContains(t, err, want)
		}
	})
	for _, c := range []struct{ name, arg, want string }{
		{"resources that are none", "--resources=cpus:x", "--resources"},
		{"attributes that are none", "--attributes=rack:", "--attributes"},
		{"a credential that is not there", "--credential=/nowhere", "read --credential"},
		{"a credential that is none", "--credential=" + write("bad", `{"secret":"tops3cret"`), "no JSON object of principal and secret"},
		{"an empty key", "--jwt_secret_key=" + write("empty", "\n"), "is empty"},
		{"ZooKeeper", "--master=zk://a/b", "--master_detector"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{c.arg}
			if !strings.HasPrefix(c.arg, "--master=") {
				args = append(args, "--master=h:1")
			}
			_, err := read(t, daemon.Host{WorkDir: work}, args...)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "tops3cret")
		})
	}
	t.Run("only one capability may be missing", func(t *testing.T) {
		all, err := announced([]byte(`{"capabilities":[{"type":"MULTI_ROLE"}]}`))
		assert.Empty(t, all)
		require.ErrorContains(t, err, "HIERARCHICAL_ROLE")
		var text strings.Builder
		for _, c := range capabilities() {
			if c != mesosv1.AgentInfo_Capability_RESIZE_VOLUME {
				text.WriteString(`{"type":"` + c.String() + `"},`)
			}
		}
		all, err = announced([]byte(`{"capabilities":[` + strings.TrimSuffix(text.String(), ",") + `]}`))
		require.NoError(t, err)
		assert.Len(t, all, 7)
	})
}

func TestWhatAMachineOffers(t *testing.T) {
	const gb = 1 << 30
	for _, c := range []struct {
		name  string
		flag  string
		role  string
		found machine
		want  string
	}{
		{"what leaves enough to the system", "", "*", machine{cpus: 4, memory: 8 * gb, disk: 100 * gb},
			"cpus:4; mem:7168; disk:97280; ports:[31000-32000]"},
		{"half of what is little", "", "*", machine{cpus: 1, memory: gb + 1, disk: 8 * gb}, "cpus:1; mem:512; disk:4096; ports:[31000-32000]"},
		{"what is named is not looked for, even if it is nothing", "mem:100;disk:0", "*", machine{cpus: 2, memory: 8 * gb, disk: 100 * gb},
			"mem:100; cpus:2; ports:[31000-32000]"},
		{"for the default role", "cpus:2", "web", machine{cpus: 4, memory: 4 * gb, disk: 20 * gb},
			"cpus(reservations: [(STATIC,web)]):2; mem(reservations: [(STATIC,web)]):3072; disk(reservations: [(STATIC,web)]):15360; " +
				"ports(reservations: [(STATIC,web)]):[31000-32000]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			messages, err := resourcesOf(c.flag, c.role, c.found)
			require.NoError(t, err)
			all, err := resources.New(messages)
			require.NoError(t, err)
			assert.Equal(t, c.want, all.String())
		})
	}
	t.Run("this one has something", func(t *testing.T) {
		m, err := lookAround(t.TempDir())
		require.NoError(t, err)
		assert.Positive(t, m.cpus)
		assert.Positive(t, m.memory)
		assert.Positive(t, m.disk)
	})
}

// TestAllFlagsOfMesos are accepted, by the whole program.
func TestAllFlagsOfMesos(t *testing.T) {
	var help bytes.Buffer
	code := daemon.Run(t.Context(), daemon.Options{
		Daemon: roles.Slave, Version: "1.12.0", Builtin: modules.Slave(), Core: &Plug{}, Args: []string{"--help"}, Stdout: &help, Stderr: io.Discard,
	})
	require.Equal(t, daemon.ExitOK, code)
	names, err := os.ReadFile("testdata/flags.txt")
	require.NoError(t, err)
	all := strings.Fields(string(names))
	assert.Len(t, all, 166, "160 of the agent and 6 of its log")
	for _, name := range all {
		found := strings.Contains(help.String(), "--"+name+"=") || strings.Contains(help.String(), "--"+name+" ") ||
			strings.Contains(help.String(), "--[no-]"+name) || strings.Contains(help.String(), "--"+name+"\n")
		assert.True(t, found, name)
	}
}

func TestFlagsOfWatchingIsolators(t *testing.T) {
	work := t.TempDir()
	p, err := read(t, daemon.Host{WorkDir: work}, "--master=10.0.0.1:5050", "--resources=ports:[100-200,300-400]",
		"--container_disk_watch_interval=1500ms", "--enforce_container_disk_quota", "--container_ports_watch_interval=2secs",
		"--enforce_container_ports", "--check_agent_port_range_only")
	require.NoError(t, err)
	given := p.Parameters(work)
	assert.Equal(t, facade.Parameters{{Key: "container_disk_watch_interval", Value: "1500ms"}, {Key: "enforce_container_disk_quota", Value: "true"},
		{Key: "work_dir", Value: work}}, given[diskdu.Name])
	assert.Equal(t, facade.Parameters{{Key: "container_ports_watch_interval", Value: "2secs"}, {Key: "enforce_container_ports", Value: "true"},
		{Key: "check_agent_port_range_only", Value: "true"}, {Key: "agent_ports", Value: "[100-200,300-400]"}}, given[networkports.Name])

	p, err = read(t, daemon.Host{WorkDir: work}, "--master=10.0.0.1:5050", "--container_ports_isolated_range=[1-2]")
	require.NoError(t, err)
	isolated, _ := p.Parameters(work)[networkports.Name].Get("container_ports_isolated_range")
	assert.Equal(t, "[1-2]", isolated)
	agent, _ := p.Parameters(work)[networkports.Name].Get("agent_ports")
	assert.Equal(t, "[31000-32000]", agent, "what an agent offers that names none")
}
