package mesos

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

// force kills the container's processes from outside, the shim as the last: it does not
// answer. As long as the connection stands, the process id is the shim's.
func (c *container) force() {
	if c.hasEnded() || c.pid <= 1 {
		return
	}
	shim.KillBelow(c.pid)
	_ = syscall.Kill(c.pid, syscall.SIGKILL) // gone is as good
}

// sweep kills what is left of a container whose shim was killed. It has no parent any
// more; what tells it from other processes is the sandbox in its environment.
func (c *container) sweep() {
	if c.config.GetDirectory() == "" || c.config.GetContainerClass() == slave.ContainerClass_DEBUG {
		return // its sandbox may be its parent's
	}
	mark := []byte("MESOS_SANDBOX=" + c.config.GetDirectory())
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return
	}
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended, or is not ours to look at
		}
		for variable := range bytes.SplitSeq(text, []byte{0}) {
			if !bytes.Equal(variable, mark) {
				continue
			}
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && pid != os.Getpid() {
				shim.KillBelow(pid)
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}
