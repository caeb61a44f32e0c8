package conformance_test

import (
	"fmt"
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/manager/vehicle"
)

var (
	// vehicles are those of the daemons. Reading what the test binary is made of
	// takes a while, so that all tests share them.
	vehicles []vehicle.Vehicle

	// workshop is where libraries are built, each once.
	workshop *shop
)

func TestMain(m *testing.M) {
	if daemon.Child() {
		return
	}
	vehicles = daemon.Vehicles(slog.New(slog.DiscardHandler))
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	workshop = &shop{dir: dir, shelf: map[string]func() (string, error){}}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}
