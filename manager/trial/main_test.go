package trial_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native"
)

// The test binary is the daemon whose child opens the libraries.
func TestMain(m *testing.M) {
	if trial.Main(native.New(), fake{}) {
		return
	}
	goleak.VerifyTestMain(m)
}

// soon is a limit for libraries that hang.
const soon = 150 * time.Millisecond

// library compiles a library whose initialiser does what init says.
func library(t testing.TB, init string, flags ...string) trial.Request {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fault.so")
	args := append([]string{"-shared", "-fPIC", "-Wall", "-Werror", "-I../../facade/include", "-DINIT=" + init, "-o", path, "testdata/fault.c"}, flags...)
	out, err := exec.Command("gcc", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return native1(t, path)
}

func native1(t testing.TB, path string) trial.Request {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return trial.Request{File: vehicle.File{Path: path, Size: info.Size()}, Vehicle: vehicle.Native}
}

func within(limit time.Duration, r trial.Request) trial.Request {
	r.Limit = limit
	return r
}

func run(t *testing.T, requests ...trial.Request) []trial.Verdict {
	t.Helper()
	verdicts, err := trial.Run(t.Context(), requests, trial.Options{})
	require.NoError(t, err)
	require.Len(t, verdicts, len(requests))
	return verdicts
}
