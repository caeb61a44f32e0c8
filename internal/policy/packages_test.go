package policy

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/packages.txt")

// TestDaemonPackages shows the diff of what the daemons link. A Go plugin has to
// share each of these packages, bit for bit, where it links it too: the list is
// part of the contract with every plugin author.
func TestDaemonPackages(t *testing.T) {
	linked := map[string]bool{}
	for _, p := range list(t, "-deps", "./cmd/mesos-master", "./cmd/mesos-slave") {
		if !p.Standard && local(p.ImportPath) == "" {
			linked[p.ImportPath] = true
		}
	}
	var lines []string
	for path := range linked {
		lines = append(lines, path)
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	const name = "testdata/packages.txt"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "the daemons link other packages than before; if that is meant, run: go test ./internal/policy -run TestDaemonPackages -update")
}
