package flags_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/flags"
)

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"value behind a space", []string{"--work_dir", "/tmp"}, []string{"--work_dir: a value follows an equals sign, not a space; write --work_dir=/tmp"}},
		{"boolean behind a space", []string{"--hostname_lookup", "false"}, []string{"--hostname_lookup: a value follows an equals sign, not a space; write --hostname_lookup=false"}},
		{"missing value", []string{"--work_dir", "--port=1"}, []string{"--work_dir: the value is missing; write --work_dir=PATH"}},
		{"missing value at the end", []string{"--agent_ping_timeout"}, []string{"--agent_ping_timeout: the value is missing; write --agent_ping_timeout=DURATION"}},
		{"empty value", []string{"--port=", "--work_dir="}, []string{"--work_dir=: want a path", "--port=: want a port from 0 to 65535"}},
		{"dash for underscore", []string{"--work-dir=/x"}, []string{"--work-dir: unknown flag; did you mean --work_dir?"}},
		{"misspelt", []string{"--allocater=x"}, []string{"--allocater: unknown flag; did you mean --allocator?"}},
		{"old names are not advised", []string{"--slave_ping_timeouts=x"}, []string{"--slave_ping_timeouts: unknown flag; did you mean --agent_ping_timeout?"}},
		{"misspelt negation", []string{"--no-hostname_lokup"}, []string{"--no-hostname_lokup: unknown flag; did you mean --no-hostname_lookup?"}},
		{"unlike any", []string{"--xyzzy=1", "--no-xyzzy", "--" + strings.Repeat("q", 200)}, []string{"--xyzzy: unknown flag", "--no-xyzzy: unknown flag",
			"--" + strings.Repeat("q", 60) + "…: unknown flag"}},
		{"without a name", []string{"--=x"}, []string{"--=: a flag without a name"}},
		{"twice", []string{"--port=1", "--port=1"}, []string{"--port: given twice"}},
		{"twice, by its alias", []string{"--auth=a", "--authenticators=a"}, []string{"--authenticators: given already as --auth, which is the same flag"}},
		{"twice, negated", []string{"--hostname_lookup", "--no-hostname_lookup"}, []string{"--no-hostname_lookup: given twice"}},
		{"negated with a value", []string{"--no-hostname_lookup=true"}, []string{"--no-hostname_lookup: a negated flag takes no value; write --hostname_lookup=false, or --no-hostname_lookup alone"}},
		{"negated, but no boolean", []string{"--no-port"}, []string{"--no-port: only boolean flags can be negated; --port takes a value"}},
		{"exclusive", []string{"--modules_dir=/m", "--modules={}"}, []string{"--modules and --modules_dir exclude each other; put all manifests into the folder"}},
		{"not a boolean", []string{"--hostname_lookup=yes"}, []string{"--hostname_lookup=yes: want true, false, 1 or 0"}},
		{"not a duration", []string{"--agent_ping_timeout=10s"}, []string{`--agent_ping_timeout=10s: want a number and one of ns, us, ms, secs, mins, hrs, days, weeks without a space, like "5secs"`}},
		{"out of bounds", []string{"--agent_ping_timeout=16mins"}, []string{"--agent_ping_timeout=16mins: want 1secs to 15mins"}},
		{"against a condition", []string{"--max_agent_ping_timeouts=0"}, []string{"--max_agent_ping_timeouts=0: want at least 1"}},
		{"not a size", []string{"--cache_size=1.5GB"}, []string{`--cache_size=1.5GB: want a whole number and one of B, KB, MB, GB, TB, like "64MB"`}},
		{"not a number", []string{"--quorum=1.0"}, []string{"--quorum=1.0: want a whole number from -9223372036854775808 to 9223372036854775807"}},
		{"negative", []string{"--max_agent_ping_timeouts=-1"}, []string{"--max_agent_ping_timeouts=-1: want a whole number from 0 to 18446744073709551615"}},
		{"not a fraction", []string{"--recovery_factor=NaN"}, []string{"--recovery_factor=NaN: want a number like 0.8"}},
		{"port out of range", []string{"--port=65536"}, []string{"--port=65536: want a port from 0 to 65535"}},
		{"none of the choices", []string{"--role_sorter=fair"}, []string{"--role_sorter=fair: want one of drf, random"}},
		{"broken JSON", []string{"--acls={\n \"a\": x}"}, []string{"--acls={  \"a\": x}: want JSON: line 2, column 7: invalid character 'x' looking for beginning of value"}},
		{"cut off JSON", []string{"--acls={"}, []string{"--acls={: want JSON: line 1, column 1: unexpected end of JSON input"}},
		{"all in one run, in the order of the declarations", []string{"--port=x", "--nosuch=1", "--cache_size=1"}, []string{"--nosuch: unknown flag",
			"--port=x: want a port from 0 to 65535", `--cache_size=1: want a whole number and one of B, KB, MB, GB, TB, like "64MB"`}},
		{"a long value is cut", []string{"--port=" + strings.Repeat("9", 500)}, []string{"--port=" + strings.Repeat("9", 60) + "…: want a port from 0 to 65535"}},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, problems(t, c.args)) })
	}

	t.Run("exclusive across command line and environment", func(t *testing.T) {
		assert.Equal(t, []string{"MESOS_MODULES and --modules_dir exclude each other; put all manifests into the folder"},
			problems(t, []string{"--modules_dir=/m"}, "MESOS_MODULES={}"))
	})

	t.Run("read together, and point at the help", func(t *testing.T) {
		_, err := newDaemon().Parse([]string{"--port=x"}, nil)
		assert.EqualError(t, err, "--port=x: want a port from 0 to 65535\nSee mesos-test --help for all flags.")
		_, err = newDaemon().Parse([]string{"--port=x", "--quorum=y"}, nil)
		assert.EqualError(t, err, "2 problems with the flags:\n  * --port=x: want a port from 0 to 65535\n"+
			"  * --quorum=y: want a whole number from -9223372036854775808 to 9223372036854775807\nSee mesos-test --help for all flags.")
	})

	t.Run("are typed", func(t *testing.T) {
		_, err := newDaemon().Parse([]string{"--auth", "x"}, nil)
		var p *flags.Problem
		require.ErrorAs(t, err, &p)
		assert.Equal(t, "authenticators", p.Flag)
	})
}

func TestSecretsAreNeverShown(t *testing.T) {
	for _, args := range [][]string{
		{"--secret=hunter2", "--nosuch"}, {"--secret", "hunter2"}, {"--sekret", "hunter2"}, {"-secret=hunter2", "--nosuch"},
		{"--secret=file:///hunter2"}, {"--modules={hunter2}", "--modules_dir=x"},
	} {
		d := newDaemon()
		notices, err := d.Parse(args, nil)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "hunter2", args)
		for _, n := range notices {
			assert.NotContains(t, n.String(), "hunter2", args)
		}
	}
	d := parse(t, []string{"--secret=hunter2", "--modules={hunter2}"})
	assert.Contains(t, d.Values(), flags.NameValue{Name: "secret", Value: "(hidden)"})
	assert.Contains(t, d.Values(), flags.NameValue{Name: "modules", Value: "{(hidden)}"})
	assert.Equal(t, "hunter2", d.secret.Get())
}

func TestMistakesInDeclarations(t *testing.T) {
	s := flags.New(flags.Config{Program: "p"})
	g := s.Group("G")
	g.Port("port", "", flags.Default("x"))
	g.Port("port", "")
	g.Port("Bad-Name", "")
	g.Int("n", "", flags.Check(func(uint64) error { return nil }))
	g.Duration("d", "", flags.Default("1secs"), flags.Between(2*time.Second, 3*time.Second))
	s.Exclude("n", "m", "")
	_, err := s.Parse(nil, nil)
	var all *multierror.Error
	require.ErrorAs(t, err, &all)
	var texts []string
	for _, e := range all.Errors {
		texts = append(texts, e.Error())
	}
	assert.Equal(t, []string{
		"p: flags wrongly declared: default of --port: want a port from 0 to 65535",
		"p: flags wrongly declared: --port is declared twice",
		`p: flags wrongly declared: "Bad-Name" is no name for a flag`,
		"p: flags wrongly declared: --n: the condition func(uint64) error does not fit its type int",
		"p: flags wrongly declared: default of --d: want 2secs to 3secs",
		"p: flags wrongly declared: exclusion of --n and --m: there is no --m",
	}, texts)
}

func TestASetIsParsedOnce(t *testing.T) {
	d := parse(t, nil)
	_, err := d.Parse(nil, nil)
	assert.ErrorContains(t, err, "parsed twice")
}
