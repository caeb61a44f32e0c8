package spawn_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
)

func TestMain(m *testing.M) {
	if confine.Main() {
		return
	}
	if len(os.Args) > 2 && os.Args[1] == victim {
		os.Exit(parts[os.Args[2]](os.Args[3:]))
	}
	goleak.VerifyTestMain(m)
}
