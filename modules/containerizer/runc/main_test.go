package runc_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/modules/containerizer/runc"
)

// launcherDir is the folder of the shim.
var launcherDir string

func TestMain(m *testing.M) {
	var err error
	launcherDir, err = os.MkdirTemp("", "runc-shim")
	if err == nil {
		var out []byte
		out, err = exec.Command("go", "build", "-o", filepath.Join(launcherDir, runc.Program), "./cmd/"+runc.Program).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(launcherDir) // a folder for temporary files
		os.Exit(code)
	}))
}
