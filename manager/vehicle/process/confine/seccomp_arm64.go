package confine

import "golang.org/x/sys/unix"

var machine = struct {
	arch   uint32
	system []uint32
}{arch: unix.AUDIT_ARCH_AARCH64}
