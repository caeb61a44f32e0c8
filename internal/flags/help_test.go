package flags_test

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/flags"
)

func TestUsage(t *testing.T) {
	const golden = "testdata/usage.txt"
	got := newDaemon().Usage(72)
	if os.Getenv("FLAGS_UPDATE") == "1" {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)

	t.Run("does not depend on what was parsed", func(t *testing.T) {
		d := parse(t, []string{"--port=1", "--help"})
		assert.Equal(t, got, d.Usage(72))
	})
	t.Run("keeps to its width, but for the lines to copy", func(t *testing.T) {
		for _, line := range strings.Split(got, "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 72)
		}
		assert.Equal(t, newDaemon().Usage(40), newDaemon().Usage(1), "narrower makes no sense")
	})
}

func TestValues(t *testing.T) {
	d := parse(t, []string{"--agent_ping_timeout=60secs", "--cache_size=4096KB", "--no-hostname_lookup", "--recovery_factor=.50", `--acls={"b": 1, "a": 2}`})
	assert.Equal(t, []flags.NameValue{
		{"acls", `{"b":1,"a":2}`}, {"agent_ping_timeout", "1mins"}, {"allocator", "hierarchical"}, {"authenticate_agents", "false"},
		{"authenticators", "crammd5"}, {"cache_size", "4MB"}, {"frameworks_home", ""}, {"help", "false"}, {"hostname_lookup", "false"},
		{"max_agent_ping_timeouts", "5"}, {"port", "5050"}, {"recovery_factor", "0.5"}, {"role_sorter", "drf"}, {"version", "false"},
	}, d.Values())
}
