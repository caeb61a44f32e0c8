package confine

import "golang.org/x/sys/unix"

var machine = struct {
	arch   uint32
	system []uint32
}{
	arch: unix.AUDIT_ARCH_X86_64,
	system: []uint32{
		unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_USELIB, unix.SYS_CREATE_MODULE, unix.SYS_QUERY_MODULE, unix.SYS_GET_KERNEL_SYMS, unix.SYS__SYSCTL,
	},
}
