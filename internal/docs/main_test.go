package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if made != "" {
		_ = os.RemoveAll(made) // what is left lies in the folder of build products
	}
	os.Exit(code)
}

// site is where the programs are and sessions are run: a folder in the repository,
// which is where mesos-module finds the sources.
type site struct{ root, home, bin string }

func workshop(t *testing.T) site {
	t.Helper()
	s, err := built()
	require.NoError(t, err)
	return s
}

// made is the folder that built has made; most single tests need none.
var made string

// built builds the programs, once for all tests.
var built = sync.OnceValues(func() (site, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return site{}, err
	}
	if err := os.MkdirAll(filepath.Join(root, "build"), 0o755); err != nil {
		return site{}, err
	}
	home, err := os.MkdirTemp(filepath.Join(root, "build"), "docs-")
	if err != nil {
		return site{}, err
	}
	made = home
	s := site{root, home, filepath.Join(home, "bin")}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", s.bin+"/", "./cmd/...")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(home)
		return site{}, fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return s, nil
})
