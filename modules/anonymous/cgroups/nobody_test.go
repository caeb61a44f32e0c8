package cgroups_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/modules/anonymous/cgroups"
)

// asNobody tells this test binary to be an agent that is not root.
const asNobody = "MMS_TEST_PROVIDE_AS_NOBODY"

func provideAsNobody() {
	fmt.Println(cgroups.ForTest(os.Getenv(asNobody)).Provide("cpu"))
	os.Exit(0)
}

func TestWhoIsNotRootIsToldSo(t *testing.T) {
	root := cgroupstest.Root(t)
	for _, c := range []struct{ there, want string }{
		{"the root group is not there", "make the group"},
		{"somebody has made it", "make the group"},
	} {
		t.Run(c.there, func(t *testing.T) {
			var out bytes.Buffer
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), asNobody+"="+root)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			cmd.Dir, cmd.Stdout, cmd.Stderr = "/", &out, &out
			require.NoError(t, cmd.Run(), out.String())
			assert.Contains(t, out.String(), c.want)
			assert.Contains(t, out.String(), "the agent runs as user 65534, and control groups are root's; run it as root")
			g := cgroups.ForTest(root)
			require.NoError(t, g.Provide("cpu"))
			require.NoError(t, g.Close())
		})
	}
}
