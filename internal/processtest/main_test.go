package processtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade/moduletest"
)

func TestMain(m *testing.M) {
	if moduletest.Child() {
		os.Exit(0) // it was started to carry a library
	}
	goleak.VerifyTestMain(m)
}

// build runs a compiler that takes -o, and returns what it has made.
func build(t *testing.T, compiler string, args ...string) moduletest.File {
	t.Helper()
	out := filepath.Join(t.TempDir(), "library")
	verb := []string{"-o", out}
	if compiler == "go" {
		verb = append([]string{"build"}, verb...)
	}
	said, err := exec.Command(compiler, append(verb, args...)...).CombinedOutput()
	require.NoError(t, err, string(said))
	return moduletest.File(out)
}
