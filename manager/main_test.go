package manager_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/manager/trial"
)

func TestMain(m *testing.M) {
	if trial.Main(vehicles()...) {
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
