package flags_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/flags"
)

// daemon is a program with a flag of every kind.
type daemon struct {
	*flags.Set
	workDir     *flags.Value[string]
	cluster     *flags.Value[string]
	empty       *flags.Value[string]
	allocator   *flags.Value[string]
	auth        *flags.Value[string]
	sorter      *flags.Value[string]
	credentials *flags.Value[string]
	secret      *flags.Value[string]
	agents      *flags.Value[bool]
	lookup      *flags.Value[bool]
	port        *flags.Value[uint16]
	quorum      *flags.Value[int]
	pings       *flags.Value[uint64]
	factor      *flags.Value[float64]
	timeout     *flags.Value[time.Duration]
	cache       *flags.Value[stout.Bytes]
	acls        *flags.Value[json.RawMessage]
	modules     *flags.Value[string]
	modulesDir  *flags.Value[string]
}

func newDaemon() *daemon {
	s := flags.New(flags.Config{Program: "mesos-test", About: "Runs a test.", Prefix: "MESOS_"})
	d := &daemon{Set: s}
	g := s.Group("General")
	d.workDir = g.Path("work_dir", "Folder for state.", flags.Example("/var/lib/mesos"))
	d.cluster = g.String("cluster", "Name shown.")
	d.empty = g.String("frameworks_home", "Prefix of paths.", flags.Default(""))
	d.port = g.Port("port", "Port to listen on.", flags.Default("5050"))
	d.quorum = g.Int("quorum", "Replicas.", flags.WithoutUse("there is no replicated log"))
	d.lookup = g.Bool("hostname_lookup", "Ask the resolver.", flags.Default("true"))
	d.cache = g.Bytes("cache_size", "Size of the cache.", flags.Default("2GB"))
	g = s.Group("Agents")
	d.agents = g.Bool("authenticate_agents", "Only authenticated agents.", flags.DeprecatedAlias("authenticate_slaves"))
	d.timeout = g.Duration("agent_ping_timeout", "Time for an answer.", flags.Default("15secs"),
		flags.DeprecatedAlias("slave_ping_timeout"), flags.Between(time.Second, 15*time.Minute))
	d.pings = g.Uint("max_agent_ping_timeouts", "Answers missed.", flags.Default("5"), flags.Check(func(n uint64) error {
		if n == 0 {
			return errors.New("want at least 1")
		}
		return nil
	}))
	d.factor = g.Float("recovery_factor", "Share of agents.", flags.Default("0.8"))
	g = s.Group("Modules")
	d.allocator = g.String("allocator", "Allocator.", flags.Default("hierarchical"))
	d.auth = g.String("authenticators", "Authenticator.", flags.Default("crammd5"), flags.Alias("auth"))
	d.sorter = g.Choice("role_sorter", "Order of roles.", []string{"drf", "random"}, flags.Default("drf"))
	d.modules = g.String("modules", "Modules to load.", flags.KeepFile(), flags.Redact(func(text string) string {
		return strings.ReplaceAll(text, "hunter2", flags.Hidden)
	}))
	d.modulesDir = g.Path("modules_dir", "Folder of manifests.")
	d.acls = g.JSON("acls", "Rules.")
	d.credentials = g.Path("credentials", "File with secrets.")
	d.secret = g.String("secret", "A secret.", flags.Secret())
	s.Exclude("modules", "modules_dir", "put all manifests into the folder")
	return d
}

func parse(t *testing.T, args []string, environ ...string) *daemon {
	t.Helper()
	d := newDaemon()
	notices, err := d.Parse(args, environ)
	require.NoError(t, err)
	require.Empty(t, notices)
	return d
}

// problems are the texts of everything found wrong.
func problems(t *testing.T, args []string, environ ...string) []string {
	t.Helper()
	_, err := newDaemon().Parse(args, environ)
	var all *multierror.Error
	require.ErrorAs(t, err, &all)
	var texts []string
	for _, e := range all.Errors {
		texts = append(texts, e.Error())
	}
	return texts
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "value")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestDefaults(t *testing.T) {
	d := parse(t, nil)
	assert.Equal(t, uint16(5050), d.port.Get())
	assert.Equal(t, 15*time.Second, d.timeout.Get())
	assert.Equal(t, "hierarchical", d.allocator.Get())
	assert.True(t, d.lookup.Get())
	assert.False(t, d.agents.Get(), "a boolean without default is false")
	assert.True(t, d.agents.Has())
	assert.True(t, d.port.Has())
	assert.False(t, d.port.IsSet())
	assert.Empty(t, d.port.Origin())
	assert.False(t, d.workDir.Has(), "without default a flag is optional")
	assert.Empty(t, d.workDir.Get())
	assert.True(t, d.empty.Has(), "the empty text is a default too")
}

func TestEveryKind(t *testing.T) {
	d := parse(t, []string{"--work_dir=/var/lib", "--cluster=a=b c", "--port=1", "--agent_ping_timeout=1.5mins", "--cache_size=64mb",
		"--max_agent_ping_timeouts=7", "--recovery_factor=0.25", "--role_sorter=random", `--acls={ "a": [1, "x y"] }`, "--hostname_lookup=0"})
	assert.Equal(t, "/var/lib", d.workDir.Get())
	assert.Equal(t, "a=b c", d.cluster.Get(), "the value begins behind the first equals sign")
	assert.Equal(t, uint16(1), d.port.Get())
	assert.Equal(t, 90*time.Second, d.timeout.Get())
	assert.Equal(t, stout.Bytes(64<<20), d.cache.Get())
	assert.Equal(t, uint64(7), d.pings.Get())
	assert.InDelta(t, 0.25, d.factor.Get(), 0)
	assert.Equal(t, "random", d.sorter.Get())
	assert.JSONEq(t, `{"a": [1, "x y"]}`, string(d.acls.Get()))
	assert.False(t, d.lookup.Get())
	assert.Equal(t, "--port", d.port.Origin())
	assert.True(t, d.port.IsSet())
}

func TestBooleans(t *testing.T) {
	for spelt, want := range map[string]bool{
		"--authenticate_agents": true, "--no-authenticate_agents": false, "--authenticate_agents=true": true, "--authenticate_agents=1": true,
		"--authenticate_agents=false": false, "--authenticate_agents=0": false, "--No-Authenticate_Agents": false,
	} {
		t.Run(spelt, func(t *testing.T) {
			d := parse(t, []string{spelt})
			assert.Equal(t, want, d.agents.Get())
			assert.True(t, d.agents.IsSet())
		})
	}
}

func TestNamesAreMatchedInLowerCase(t *testing.T) {
	d := parse(t, []string{"--PORT=1", "--Work_Dir=/X"})
	assert.Equal(t, uint16(1), d.port.Get())
	assert.Equal(t, "/X", d.workDir.Get())
}

func TestAliases(t *testing.T) {
	t.Run("the seed's short form", func(t *testing.T) {
		d := parse(t, []string{"--auth=module2"})
		assert.Equal(t, "module2", d.auth.Get())
		assert.Contains(t, d.Values(), flags.NameValue{Name: "auth", Value: "module2"}, "listed under the alias, as upstream")
		assert.NotContains(t, d.Values(), flags.NameValue{Name: "authenticators", Value: "module2"})
	})
	t.Run("an old name gets a notice", func(t *testing.T) {
		d := newDaemon()
		notices, err := d.Parse([]string{"--slave_ping_timeout=2secs", "--no-authenticate_slaves"}, nil)
		require.NoError(t, err)
		assert.Equal(t, 2*time.Second, d.timeout.Get())
		assert.Equal(t, []flags.Notice{
			{Flag: "authenticate_agents", Text: "--no-authenticate_slaves is the old name of --authenticate_agents"},
			{Flag: "agent_ping_timeout", Text: "--slave_ping_timeout is the old name of --agent_ping_timeout"},
		}, notices)
	})
}

func TestEnvironment(t *testing.T) {
	t.Run("gives flags in upper and lower case, and by alias", func(t *testing.T) {
		d := parse(t, nil, "MESOS_PORT=1", "MESOS_cluster=c", "MESOS_AUTH=m", "PATH=/bin", "MESOS_NATIVE_JAVA_LIBRARY=x", "MESOS_Work_Dir=/mixed",
			"mesos_allocator=x", "MESOS_HOSTNAME_LOOKUP=false")
		assert.Equal(t, uint16(1), d.port.Get())
		assert.Equal(t, "MESOS_PORT", d.port.Origin())
		assert.Equal(t, "c", d.cluster.Get())
		assert.Equal(t, "m", d.auth.Get())
		assert.False(t, d.workDir.Has(), "mixed case is another variable")
		assert.Equal(t, "hierarchical", d.allocator.Get())
		assert.False(t, d.lookup.Get())
	})
	t.Run("yields to the command line, however wrong it is", func(t *testing.T) {
		d := parse(t, []string{"--port=2", "--auth=here"}, "MESOS_PORT=junk", "MESOS_AUTHENTICATORS=there")
		assert.Equal(t, uint16(2), d.port.Get())
		assert.Equal(t, "--port", d.port.Origin())
		assert.Equal(t, "here", d.auth.Get())
	})
	t.Run("may say the same twice but not two things", func(t *testing.T) {
		parse(t, nil, "MESOS_PORT=1", "MESOS_port=1")
		assert.Equal(t, []string{"the environment contradicts itself: MESOS_PORT and MESOS_port give --port different values"},
			problems(t, nil, "MESOS_PORT=1", "MESOS_port=2"))
	})
	t.Run("is checked like the command line", func(t *testing.T) {
		assert.Equal(t, []string{
			"MESOS_PORT=x: want a port from 0 to 65535",
			"MESOS_HOSTNAME_LOOKUP=: want true, false, 1 or 0",
			"MESOS_AGENT_PING_TIMEOUT=0secs: want 1secs to 15mins",
		}, problems(t, nil, "MESOS_AGENT_PING_TIMEOUT=0secs", "MESOS_HOSTNAME_LOOKUP=", "MESOS_PORT=x"))
	})
	t.Run("does not ask for help or version", func(t *testing.T) {
		d := parse(t, nil, "MESOS_VERSION=1.9.0", "MESOS_HELP=true")
		assert.False(t, d.Version.IsSet())
		assert.False(t, d.Help.Get())
	})
	t.Run("is not read without a prefix", func(t *testing.T) {
		s := flags.New(flags.Config{Program: "mesos-execute"})
		master := s.Group("Cluster").String("master", "Address.")
		_, err := s.Parse(nil, []string{"MESOS_MASTER=x", "master=x", "MASTER=x"})
		require.NoError(t, err)
		assert.False(t, master.Has())
	})
}

func TestFileValues(t *testing.T) {
	t.Run("the content is the value, without the line end", func(t *testing.T) {
		d := parse(t, []string{"--cluster=file://" + write(t, " a\n\n"), "--agent_ping_timeout=file://" + write(t, " 5secs \n"),
			"--acls=file://" + write(t, "{\n}\n"), "--hostname_lookup=file://" + write(t, "false\r\n")}, "MESOS_SECRET=file://"+write(t, "s\r\n"))
		assert.Equal(t, " a\n", d.cluster.Get())
		assert.Equal(t, 5*time.Second, d.timeout.Get())
		assert.Equal(t, "{}", string(d.acls.Get()))
		assert.False(t, d.lookup.Get())
		assert.Equal(t, "s", d.secret.Get())
	})
	t.Run("a path flag keeps the path, and KeepFile the text", func(t *testing.T) {
		d := parse(t, []string{"--credentials=file:///etc/c", "--modules=file:///etc/m", "--work_dir=rel"})
		assert.Equal(t, "/etc/c", d.credentials.Get())
		assert.Equal(t, "file:///etc/m", d.modules.Get())
		assert.Equal(t, "rel", d.workDir.Get())
	})
	t.Run("problems name the file", func(t *testing.T) {
		dir := t.TempDir()
		pipe := filepath.Join(dir, "pipe")
		require.NoError(t, syscall.Mkfifo(pipe, 0o600))
		bad, big := write(t, "x\n"), write(t, strings.Repeat("x", flags.MaxFileBytes+1))
		for _, c := range [][2]string{
			{"--cluster=file://etc/x", "file:// needs an absolute path, with three slashes: file:///path"},
			{"--credentials=file://etc/x", "file:// needs an absolute path, with three slashes: file:///path"},
			{"--cluster=file:///no/such", "no such file or directory"},
			{"--cluster=file://" + dir, "not a regular file"},
			{"--cluster=file://" + pipe, "not a regular file"},
			{"--cluster=file://" + big, "the file is larger than the limit of 4194304 bytes"},
			{"--port=file://" + bad, "content of the file: want a port from 0 to 65535"},
		} {
			texts := problems(t, []string{c[0]})
			require.Len(t, texts, 1)
			assert.True(t, strings.HasPrefix(texts[0], c[0][:20]), texts[0])
			assert.True(t, strings.HasSuffix(texts[0], ": "+c[1]), texts[0])
		}
		_, err := newDaemon().Parse([]string{"--cluster=file:///no/such"}, nil)
		assert.ErrorIs(t, err, os.ErrNotExist)
	})
}

func TestRequired(t *testing.T) {
	s := flags.New(flags.Config{Program: "mesos-execute"})
	s.Group("Cluster").String("master", "Address of the master.", flags.Required())
	_, err := s.Parse(nil, nil)
	assert.EqualError(t, err, "--master=TEXT is required: Address of the master.\nSee mesos-execute --help for all flags.")

	s = flags.New(flags.Config{Program: "mesos-execute"})
	s.Group("Cluster").String("master", "Address of the master.", flags.Required())
	_, err = s.Parse([]string{"--master", "h:1"}, nil)
	assert.EqualError(t, err, "--master: a value follows an equals sign, not a space; write --master=h:1\nSee mesos-execute --help for all flags.",
		"given wrongly is not missing")
}

func TestStrayArgumentsAreNotices(t *testing.T) {
	d := newDaemon()
	notices, err := d.Parse([]string{"one", "-port=5", "--hostname_lookup", "two", "--", "--port=7", "three=x", "--"}, nil)
	require.NoError(t, err)
	var texts []string
	for _, n := range notices {
		texts = append(texts, n.String())
	}
	assert.Equal(t, []string{
		`stray argument "one" is ignored`,
		`stray argument "-port" is ignored; flags begin with two dashes`,
		`stray argument "two" is ignored`,
		`stray argument "--port" is ignored; flags begin with two dashes`,
		`stray argument "three" is ignored`,
		`stray argument "--" is ignored; flags begin with two dashes`,
	}, texts)
	assert.Equal(t, uint16(5050), d.port.Get(), "-- ends the flags")
	assert.True(t, d.lookup.Get())
}

func TestFlagsWithoutUseGetANotice(t *testing.T) {
	d := newDaemon()
	notices, err := d.Parse([]string{"--quorum=3"}, nil)
	require.NoError(t, err)
	assert.Equal(t, []flags.Notice{{Flag: "quorum", Text: "--quorum is accepted without effect: there is no replicated log"}}, notices)
	assert.Equal(t, 3, d.quorum.Get())
}

func TestHelpAndVersionOutweighProblems(t *testing.T) {
	for _, args := range [][]string{{"--help", "--nosuch=1"}, {"--port=x", "--version"}} {
		d := newDaemon()
		_, err := d.Parse(args, nil)
		require.NoError(t, err)
		assert.NotEqual(t, d.Help.Get(), d.Version.Get())
	}
}
