package faults

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
	vehicles []vehicle.Vehicle // reading what the test binary is made of takes a while
	shop     string            // folder of the libraries that were built
)

func TestMain(m *testing.M) {
	if daemon.Child() {
		return
	}
	vehicles = daemon.Vehicles(slog.New(slog.DiscardHandler))
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shop = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}
