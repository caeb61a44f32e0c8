package daemon_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/roles"
)

// TestHelp compares the text of --help with testdata (go test -update writes it),
// all but the binding flags: a new role brings its own, and changes nothing here.
func TestHelp(t *testing.T) {
	for _, d := range []roles.Daemon{roles.Master, roles.Slave} {
		o := options(nil, "--help")
		o.Daemon = d
		end := ended(t, o)
		assert.Equal(t, daemon.ExitOK, end.code)
		assert.Empty(t, end.stderr)

		t.Run(d.String()+" tells and teaches", func(t *testing.T) {
			golden := "testdata/" + d.String() + ".help"
			text := withoutBindings(t, end.stdout)
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(text), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), text)
		})
		t.Run(d.String()+" knows the flag of every site", func(t *testing.T) {
			own, other, ok := strings.Cut(end.stdout, "BINDING SITES OF THE OTHER DAEMON")
			require.True(t, ok)
			for _, role := range roles.Table() {
				for _, site := range role.Sites {
					if site.Flag == "" {
						continue
					}
					group := other
					if site.On&d != 0 {
						group = own
					}
					assert.Contains(t, group, "  --"+site.Flag+"=", "role %s", role.Name)
				}
			}
		})
	}
}

func withoutBindings(t *testing.T, help string) string {
	t.Helper()
	before, rest, ok := strings.Cut(help, "BINDING SITES OF THIS DAEMON")
	require.True(t, ok, help)
	_, after, ok := strings.Cut(rest, "\nOUTPUT\n")
	require.True(t, ok, help)
	return before + "OUTPUT\n" + after
}
