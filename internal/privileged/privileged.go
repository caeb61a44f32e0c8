// Package privileged is for tests of what only root can do: mounts, namespaces, other
// users. Elsewhere they are skipped, and say so.
package privileged

import (
	"os"
	"testing"
)

// Root skips a test that only root can run. The sentence says why: "only root makes
// mounts".
func Root(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip(why + ", and this test runs as somebody else")
	}
}
