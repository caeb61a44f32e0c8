package mesos

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	"github.com/mesos-modules/mms/modules/containerizer/held"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

// outcome says how a container has ended whose shim has. A shim that was killed has said
// nothing, and may have left processes.
func outcome(c *held.Container, status *int32) *slave.ContainerTermination {
	if status == nil {
		sweep(c)
	}
	return &slave.ContainerTermination{Status: status}
}

// sweep kills what is left of a container whose shim was killed. It has no parent any
// more; what tells it from other processes is the sandbox: in its environment, or, where
// that has another name in a root file system, among its mounts. A pid namespace has
// ended with its shim.
func sweep(c *held.Container) {
	sandbox := c.Config.GetDirectory()
	if sandbox == "" || c.IsDebug() {
		return // its sandbox may be its parent's
	}
	launch, err := c.LaunchInfo()
	rooted := err == nil && launch.Rootfs != nil
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return
	}
	for _, proc := range all {
		if !hasVariable(proc, "MESOS_SANDBOX="+sandbox) && !(rooted && hasMount(proc, sandbox)) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil && pid != os.Getpid() {
			shim.KillBelow(pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// hasVariable says whether a process was started with a variable. One that has ended, or
// is not ours to look at, was not.
func hasVariable(proc, variable string) bool {
	text, err := os.ReadFile(proc + "/environ")
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(text, []byte{0}) {
		if string(v) == variable {
			return true
		}
	}
	return false
}

// hasMount says whether a process sees the sandbox as a mount. The name that the kernel
// shows begins at the root of the sandbox's file system, and ends with the container.
func hasMount(proc, sandbox string) bool {
	text, err := os.ReadFile(proc + "/mountinfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 4 && strings.HasSuffix(sandbox, fields[3]) && filepath.Base(fields[3]) == filepath.Base(sandbox) {
			return true
		}
	}
	return false
}
