package networkports

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/roles/isolator"
)

// A listener is this test's own program: no other is on every host.
func TestMain(m *testing.M) {
	if at, ok := os.LookupEnv("NETWORKPORTS_TEST_LISTEN"); ok {
		listen(at)
		return
	}
	goleak.VerifyTestMain(m)
}

// listen says at which port it does, and goes on until its input ends.
func listen(at string) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	fmt.Println(port)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // the end is what is waited for
}

// listener starts a shell with a program below that listens, and returns the shell's pid.
func listener(t *testing.T, at string, attributes *syscall.SysProcAttr) (pid int32, port uint16) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command("sh", "-c", `"$0"; true`, self)
	cmd.Env = append(os.Environ(), "NETWORKPORTS_TEST_LISTEN="+at)
	cmd.SysProcAttr, cmd.Stderr = attributes, os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, in.Close())
		assert.NoError(t, cmd.Wait())
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	n, err := strconv.ParseUint(strings.TrimSpace(line), 10, 16)
	require.NoError(t, err, line)
	return int32(cmd.Process.Pid), uint16(n)
}

func Example() {
	module := Library.Modules[0].Declare()
	fmt.Println(module.Name, Word)
	for _, p := range module.Parameters.Specs() {
		fmt.Println(p.Key, p.Type)
	}
	// Output:
	// org_apache_mesos_NetworkPortsIsolator network/ports
	// container_ports_watch_interval duration
	// enforce_container_ports bool
	// container_ports_isolated_range string
	// check_agent_port_range_only bool
	// agent_ports string
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, Library, Name,
		moduletest.Parameter(Name, "enforce_container_ports", "true"), moduletest.Parameter(Name, "container_ports_watch_interval", "1ms"))
}

func load(t *testing.T, pairs ...string) (isolator.Isolator, *moduletest.Kit) {
	t.Helper()
	all := []moduletest.Option{moduletest.Parameter(Name, "container_ports_watch_interval", "20ms"), moduletest.Parameter(Name, "enforce_container_ports", "true")}
	for n := 0; n < len(pairs); n += 2 {
		all = append(all, moduletest.Parameter(Name, pairs[n], pairs[n+1]))
	}
	kit := moduletest.New(t, Library, all...)
	return moduletest.Load[isolator.Isolator](kit, Name), kit
}

func id(values ...string) *mesosv1.ContainerID {
	var out *mesosv1.ContainerID
	for _, v := range values {
		out = &mesosv1.ContainerID{Value: proto.String(v), Parent: out}
	}
	return out
}

// On a real host: processes that listen, in both protocols and below others.
func TestRealHost(t *testing.T) {
	for name, at := range map[string]string{"IPv4": "127.0.0.1:0", "IPv6": "[::1]:0", "every address": ":0"} {
		t.Run("a listener on "+name+" is caught", func(t *testing.T) {
			i, kit := load(t)
			pid, port := listener(t, at, nil)
			said := make(chan *slave.ContainerLimitation, 2)
			_, err := i.Prepare(t.Context(), id("c"), &slave.ContainerConfig{Resources: []*mesosv1.Resource{ports{{port + 1, port + 1}}.resource()}})
			require.NoError(t, err)
			require.NoError(t, i.Watch(t.Context(), id("c"), func(l *slave.ContainerLimitation) { said <- l }))
			require.NoError(t, i.Isolate(t.Context(), id("c"), pid))
			l := <-said
			assert.Equal(t, fmt.Sprintf("Container is listening on unallocated port(s): [%d-%d]", port, port), l.GetMessage())
			assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION, l.GetReason())
			assert.Equal(t, ports{{port, port}}, granted(l.GetResources()))
			require.NoError(t, i.Cleanup(t.Context(), id("c")))
			violations, _ := kit.Metric(Name, "violations")
			assert.Equal(t, 1.0, violations)
		})
	}
	t.Run("a listener in a network of its own is not", func(t *testing.T) {
		require.Zero(t, os.Geteuid(), "only root makes networks")
		i, kit := load(t)
		// The port is taken in the host's network too, so the tables know it.
		_, port := listener(t, "127.0.0.1:0", nil)
		other, _ := listener(t, fmt.Sprintf("0.0.0.0:%d", port), &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET})
		_, err := i.Prepare(t.Context(), id("c"), &slave.ContainerConfig{})
		require.NoError(t, err)
		require.NoError(t, i.Watch(t.Context(), id("c"), func(*slave.ContainerLimitation) { t.Error("it is not the host's port") }))
		require.NoError(t, i.Isolate(t.Context(), id("c"), other))
		require.Eventually(t, func() bool { rounds, _ := kit.Metric(Name, "rounds"); return rounds > 2 }, 10*time.Second, time.Millisecond)
	})
}

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"container_ports_watch_interval", "0ns"}, "container_ports_watch_interval"},
		{[]string{"container_ports_isolated_range", "31000-32000"}, "want [begin-end]"},
		{[]string{"container_ports_isolated_range", "[2-1]"}, "container_ports_isolated_range"},
		{[]string{"container_ports_isolated_range", "[1-70000]"}, "there is no port 70000"},
		{[]string{"check_agent_port_range_only", "true"}, "needs agent_ports"},
		{[]string{"check_agent_port_range_only", "true", "agent_ports", "all"}, "agent_ports"},
		{[]string{"check_agent_port_range_only", "true", "agent_ports", "[1-2]", "container_ports_isolated_range", "[1-2]"}, "are not given together"},
		{[]string{"ports", "[1-2]"}, "has no parameter ports"},
	} {
		var all []moduletest.Option
		for n := 0; n < len(c.pairs); n += 2 {
			all = append(all, moduletest.Parameter(Name, c.pairs[n], c.pairs[n+1]))
		}
		_, err := moduletest.TryLoad[isolator.Isolator](moduletest.New(t, Library, all...), Name)
		assert.ErrorContains(t, err, c.want)
	}
}

func TestWatchedPorts(t *testing.T) {
	for want, p := range map[string]parameters{
		"[0-65535]":              {},
		"[31000-32000]":          {Isolated: "[31000-32000]"},
		"[400-500, 31000-31010]": {AgentOnly: true, Agent: "[31000-31010,400-500]"},
	} {
		p.Interval = time.Second
		watched, err := p.watched()
		require.NoError(t, err)
		assert.Equal(t, want, watched.String())
	}
}

func TestPorts(t *testing.T) {
	assert.Equal(t, "[1-3, 5-5, 65534-65535]", spans([]uint16{1, 2, 3, 5, 65534, 65535}).String())
	assert.Equal(t, "[]", spans(nil).String())
	p := ports{{1, 3}, {5, 5}}
	for port, want := range map[uint16]bool{0: false, 1: true, 3: true, 4: false, 5: true, 6: false} {
		assert.Equal(t, want, p.has(port), port)
	}
}

func TestTables(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	read := func(text string) (map[uint64]uint16, error) {
		all := map[uint64]uint16{}
		return all, readTable(strings.NewReader(head+text), ports{{0, 8080}}, all)
	}
	t.Run("only sockets that listen at a port that counts", func(t *testing.T) {
		all, err := read("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0\n" +
			"   1: 0100007F:0016 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0\n" +
			"   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0\n" +
			"   3: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1 0 100 0\n" +
			"   4: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0\n" +
			"   5: 0100007F:0051 0100007F:1F90 01 00000000:00000000 00:00000000 0A     0        0 4715 1 0 100 0\n")
		require.NoError(t, err)
		assert.Equal(t, map[uint64]uint16{4711: 8080, 4714: 80}, all)
	})
	t.Run("what is no table is an error", func(t *testing.T) {
		for _, text := range []string{"0: 0A 1 2", "0: 1:2 3 0A ", "   0: 0100007F 0:0 0A 0 0 0 0 0 7\n", "   0: 0100007F:0016 0:0 0A 0 0 0 0 0 seven\n"} {
			_, err := read(text)
			assert.Error(t, err, text)
		}
	})
}

func BenchmarkRound(b *testing.B) {
	self := int32(os.Getpid())
	w := &watcher{config: config{watched: ports{{0, 65535}}, listeners: listeners, owned: owned, tree: tree, network: network, log: quiet(),
		rounds: nobody{}, failed: nobody{}, violations: nobody{}}, roots: map[string]*root{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	for n := range 1000 {
		key := fmt.Sprint(n)
		w.roots[key] = &root{id: key, pids: map[string]int32{key: self}, known: true, granted: ports{{port, port}}}
	}
	for b.Loop() {
		w.round(context.Background())
	}
}
