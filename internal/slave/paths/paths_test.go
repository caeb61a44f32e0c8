package paths_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/slave/paths"
)

func TestSegment(t *testing.T) {
	for _, good := range []string{"a", "..a", "a..", "a b", "a.b", "é", strings.Repeat("x", 255)} {
		require.NoError(t, paths.Segment(good), good)
	}
	for bad, why := range map[string]string{
		"": "empty", ".": "names a folder", "..": "names a folder", "a/b": "slash", `a\b`: "backslash", "a\nb": "control",
		"a\x00": "control", "a\x7f": "control", strings.Repeat("x", 256): "longer than 255",
	} {
		assert.ErrorContains(t, paths.Segment(bad), why, "%q", bad)
	}
}

func TestVolume(t *testing.T) {
	assert.Equal(t, "/w/volumes/roles/eng dev/p", paths.Volume("/w", "eng/dev", "p"))
}

func ExampleRun() {
	fmt.Println(paths.Run("/var/lib/mesos", "A", "F", "E", "C"))
	fmt.Println(paths.ForkedPID(paths.Meta("/var/lib/mesos"), "A", "F", "E", "C"))
	// Output:
	// /var/lib/mesos/slaves/A/frameworks/F/executors/E/runs/C
	// /var/lib/mesos/meta/slaves/A/frameworks/F/executors/E/runs/C/pids/forked.pid
}
