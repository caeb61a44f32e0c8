package master_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/master"
	"github.com/mesos-modules/mms/modules"
	"github.com/mesos-modules/mms/roles"
)

func options(args ...string) daemon.Options {
	return daemon.Options{
		Daemon: roles.Master, Version: facade.MesosVersion, Builtin: modules.Master(), Core: &master.Plug{},
		Args: append([]string{"--ip=127.0.0.1", "--port=0"}, args...), Stdout: io.Discard, Stderr: io.Discard,
	}
}

// refused runs a daemon that does not start, and returns its status and what it says.
func refused(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	o := options(args...)
	o.Stdout, o.Stderr = &out, &out
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return daemon.Run(ctx, o), out.String()
}

// started is a daemon that answers.
type started struct {
	t       *testing.T
	url     string
	signals chan os.Signal
	code    chan int
	said    *bytes.Buffer // until it answered
}

func run(t *testing.T, args ...string) *started {
	t.Helper()
	reader, writer := io.Pipe()
	d := &started{t: t, signals: make(chan os.Signal, 2), code: make(chan int, 1), said: &bytes.Buffer{}}
	o := options(args...)
	o.Stderr, o.Signals = writer, d.signals
	go func() {
		code := daemon.Run(context.Background(), o)
		_ = writer.Close()
		d.code <- code
	}()
	lines := bufio.NewScanner(reader)
	for d.url == "" && lines.Scan() {
		_, d.url, _ = strings.Cut(lines.Text(), ": answers at ")
		d.said.WriteString(lines.Text() + "\n")
	}
	require.NotEmpty(t, d.url, d.said)
	rest := make(chan struct{})
	go func() {
		defer close(rest)
		for lines.Scan() { // what comes later is nobody's business
		}
	}()
	t.Cleanup(func() {
		d.signals <- syscall.SIGTERM
		assert.Equal(t, daemon.ExitOK, <-d.code)
		<-rest
	})
	return d
}

// get returns status, challenge and body.
func (d *started) get(path string, user ...string) (int, string, string) {
	d.t.Helper()
	q, err := http.NewRequest(http.MethodGet, d.url+path, nil)
	require.NoError(d.t, err)
	if len(user) == 2 {
		q.SetBasicAuth(user[0], user[1])
	}
	r, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(q)
	require.NoError(d.t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(d.t, err)
	return r.StatusCode, r.Header.Get("WWW-Authenticate"), string(b)
}

// leading waits until the registry is read.
func (d *started) leading() {
	d.t.Helper()
	for {
		if status, _, _ := d.get("/api/v1"); status != http.StatusServiceUnavailable {
			return
		}
	}
}

func TestDaemon(t *testing.T) {
	t.Run("the master answers, and so do the pages about modules", func(t *testing.T) {
		d := run(t, "--work_dir="+t.TempDir(), "--cluster=c1")
		d.leading()
		_, _, state := d.get("/state")
		assert.Contains(t, state, `"cluster":"c1"`)
		assert.Contains(t, state, `"leader":"master@127.0.0.1:`)
		_, _, found := d.get("/modules/org_apache_mesos_HierarchicalAllocator")
		assert.Contains(t, found, `"phase": "bind"`)
		_, _, measures := d.get("/metrics")
		assert.Contains(t, measures, "mms_modules")
	})
	t.Run("the registry outlives it, and its id does not", func(t *testing.T) {
		dir := t.TempDir()
		var ids []string
		for range 2 {
			t.Run("life", func(t *testing.T) {
				d := run(t, "--work_dir="+dir)
				d.leading()
				_, _, state := d.get("/state")
				_, id, _ := strings.Cut(state, `"id":"`)
				ids = append(ids, id[:36])
			})
		}
		assert.NotEqual(t, ids[0], ids[1])
	})
	t.Run("clients are authenticated by realm", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "credentials")
		require.NoError(t, os.WriteFile(path, []byte(`{"credentials":[{"principal":"bob","secret":"s3cret"}]}`), 0o600))
		d := run(t, "--registry=in_memory", "--credentials="+path, "--authenticate_http_readonly", "--authenticate_http_readwrite",
			"--authenticate_http_frameworks", "--http_framework_authenticators=basic")
		for path, realm := range map[string]string{"/state": "readonly", "/api/v1": "readwrite", "/api/v1/scheduler": "scheduler"} {
			status, challenge, _ := d.get(path)
			assert.Equal(t, 401, status, path)
			assert.Equal(t, `Basic realm="mesos-master-`+realm+`"`, challenge)
			status, _, _ = d.get(path, "bob", "wrong")
			assert.Equal(t, 401, status)
			status, _, _ = d.get(path, "bob", "s3cret")
			assert.NotEqual(t, 401, status)
		}
		status, _, _ := d.get("/health")
		assert.Equal(t, 200, status)
		_, _, flags := d.get("/flags", "bob", "s3cret")
		assert.NotContains(t, flags, "s3cret")
	})
	t.Run("access lists hide what a client may not see", func(t *testing.T) {
		d := run(t, "--registry=in_memory", `--acls={"view_flags":[{"principals":{"type":"ANY"},"flags":{"type":"NONE"}}]}`)
		d.leading()
		status, _, _ := d.get("/flags")
		assert.Equal(t, 403, status)
		_, _, state := d.get("/state")
		assert.NotContains(t, state, `"flags"`)
	})
	t.Run("the log is shown", func(t *testing.T) {
		d := run(t, "--registry=in_memory", "--log_dir="+t.TempDir())
		d.leading()
		status, _, text := d.get("/files/read?path=/master/log&offset=0&length=20")
		assert.Equal(t, 200, status)
		assert.Contains(t, text, `"data":"{`)
	})
	t.Run("a registry that another master has is refused", func(t *testing.T) {
		dir := t.TempDir()
		run(t, "--work_dir="+dir)
		code, said := refused(t, "--work_dir="+dir)
		assert.Equal(t, daemon.ExitStart, code)
		assert.Contains(t, said, "registry")
	})
}

func TestContradictions(t *testing.T) {
	t.Run("all of them are told at once", func(t *testing.T) {
		code, said := refused(t, "--registry_strict", "--zk=zk://a/b", "--role_sorter=random", "--authenticate_http_frameworks",
			"--authenticate_http_readonly", "--authenticate_agents", "--master_detector=x")
		assert.Equal(t, daemon.ExitUsage, code)
		for _, want := range []string{"8 problems with the flags", "--work_dir is missing", "--registry_strict is not possible", "--zk is not possible",
			"--role_sorter and --framework_sorter differ", "--master_contender and --master_detector go together",
			"needs --http_framework_authenticators", "need --credentials", "--authenticate_agents needs --credentials", "--help"} {
			assert.Contains(t, said, want)
		}
	})
	t.Run("values", func(t *testing.T) {
		for flag, want := range map[string]string{
			"--agent_ping_timeout=500ms": "agent_ping_timeout", "--agent_ping_timeout=16mins": "agent_ping_timeout",
			"--max_agent_ping_timeouts=0": "more than 0", "--agent_reregister_timeout=9mins": "at least 10mins",
			"--agent_removal_rate_limit=1": "like 1/10mins", "--recovery_agent_removal_limit=101%": "like 50%",
			"--weights=a=0": "weights above 0", "--weights=a=1,a=2": "each role once", "--min_allocatable_resources=cpus": "want quantities",
			"--registry=zookeeper": "--registry=zookeeper", "--offer_timeout=10s": "--offer_timeout=10s", "--allocation_intervall=1secs": "did you mean --allocation_interval?",
			"--role_sorter=fifo": "--role_sorter=fifo",
		} {
			code, said := refused(t, flag)
			assert.Equal(t, daemon.ExitUsage, code, flag)
			assert.Contains(t, said, want, flag)
		}
	})
	t.Run("files", func(t *testing.T) {
		dir := t.TempDir()
		for name, content := range map[string]string{"none": `{"credentials":[]}`, "broken": `{"credentials":[{"principal":"bob","secret":s3cret}]}`} {
			path := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			code, said := refused(t, "--registry=in_memory", "--credentials="+path)
			assert.Equal(t, daemon.ExitUsage, code)
			assert.Contains(t, said, "read --credentials")
			assert.NotContains(t, said, "s3cret")
		}
		code, said := refused(t, "--registry=in_memory", "--credentials=/nowhere", `--domain={"fault_domain":{}}`, `--firewall_rules={"disabled_endpoints":{"paths":["x"]}}`)
		assert.Equal(t, daemon.ExitUsage, code)
		assert.Contains(t, said, "3 problems")
	})
	t.Run("what has no use is said, and old names work", func(t *testing.T) {
		d := run(t, "--registry=in_memory", "--quorum=2", "--slave_ping_timeout=20secs", "--firewall_rules={}")
		assert.Contains(t, d.said.String(), "quorum")
		assert.Contains(t, d.said.String(), "slave_ping_timeout")
		_, _, flags := d.get("/flags")
		assert.Contains(t, flags, `"slave_ping_timeout":"20secs"`)
	})
	t.Run("--verify_only needs no work folder", func(t *testing.T) {
		code, said := refused(t, "--verify_only")
		assert.Equal(t, daemon.ExitOK, code, said)
	})
}

// TestEveryFlag compares the flags with upstream's list.
func TestEveryFlag(t *testing.T) {
	_, help := refused(t, "--help")
	for name := range strings.FieldsSeq(everyFlag) {
		assert.Truef(t, strings.Contains(help, "--"+name+"=") || strings.Contains(help, "--[no-]"+name+"\n"), "--%s is missing", name)
	}
}

const everyFlag = `acls advertise_ip advertise_port agent_ping_timeout agent_removal_rate_limit agent_reregister_timeout
	allocation_interval allocator allocator_agent_recovery_factor allocator_recovery_timeout authenticate_agents
	authenticate_frameworks authenticate_http_frameworks authenticate_http_readonly authenticate_http_readwrite
	authentication_v0_timeout authenticators authorizers cluster credentials domain fair_sharing_excluded_resource_names
	filter_gpu_resources firewall_rules framework_sorter hooks hostname hostname_lookup http_authenticators
	http_framework_authenticators ip ip_discovery_command log_auto_initialize master_contender master_detector
	max_agent_ping_timeouts max_completed_frameworks max_completed_tasks_per_framework max_executors_per_agent
	max_operator_event_stream_subscribers max_unreachable_tasks_per_framework memory_profiling min_allocatable_resources
	modules modules_dir offer_constraints_re2_max_mem offer_constraints_re2_max_program_size offer_timeout port
	publish_per_framework_metrics quorum rate_limits recovery_agent_removal_limit registry registry_fetch_timeout
	registry_gc_interval registry_max_agent_age registry_max_agent_count registry_store_timeout registry_strict
	require_agent_domain role_sorter roles root_submissions version webui_dir weights whitelist work_dir zk
	zk_session_timeout external_log_file initialize_driver_logging log_dir logbufsecs logging_level quiet`
