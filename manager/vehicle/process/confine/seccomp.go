package confine

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// set says which system calls a process may not make. All others it may: what a program
// needs changes with every release of its libraries, what no module needs does not.
type set struct {
	forbidden []uint32
	alone     bool // no new sockets and no other program
}

// sets by the names that manifests use.
var sets = map[string]set{
	"default": {forbidden: slices.Concat(system, machine.system)},
	"compute": {forbidden: slices.Concat(system, machine.system, outward), alone: true},
}

func setNames() []string { return slices.Sorted(maps.Keys(sets)) }

// system are the calls that change the machine, reach into other processes or the
// kernel, or get around such limits. io_uring does any call without making it.
var system = []uint32{
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN,
	unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD, unix.SYS_PROCESS_MADVISE,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_SETNS, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
}

// outward are the calls that a new socket and another program need. Pairs of sockets are no
// way out of the process.
var outward = []uint32{unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_EXECVE}

// namespaces are the flags of clone and unshare that make them. The kernel gives a
// process that makes one of users all privileges in it, and much to attack.
const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// What the kernel tells a filter of a call, by offset in bytes.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

// x32 is set in the numbers of a second set of calls of amd64, which nobody uses.
const x32 = 0x40000000

// program makes the filter. What is run by it is the only program that may be, in a set
// that allows no other.
func (s set) program(run *program) []unix.SockFilter {
	var f filter
	f.load(offsetArch)
	// Else the calls of 32 bits were a way around: their numbers are others.
	f.unless(machine.arch, deny(unix.ENOSYS))
	f.load(offsetNumber)
	f.add(unix.BPF_JMP|unix.BPF_JGE|unix.BPF_K, x32, 0, 1)
	f.add(unix.BPF_RET|unix.BPF_K, deny(unix.ENOSYS), 0, 0)
	for _, call := range s.forbidden {
		f.when(call, deny(unix.EPERM))
	}
	// Its flags are in memory, where a filter cannot look. Who is told that it is not
	// there uses clone.
	f.when(unix.SYS_CLONE3, deny(unix.ENOSYS))
	f.whenSet(unix.SYS_CLONE, 0, namespaces)
	f.whenSet(unix.SYS_UNSHARE, 0, namespaces|unix.CLONE_NEWTIME)
	f.whenEqual(unix.SYS_IOCTL, 1, unix.TIOCSTI)
	// Native libraries are looked at by it, in the process itself: the number of a process
	// does not change when it becomes a program.
	f.unlessEqual(unix.SYS_PROCESS_VM_READV, 0, uint32(os.Getpid()))
	if s.alone {
		f.unlessEqual(unix.SYS_SOCKETPAIR, 0, unix.AF_UNIX)
		f.once(run)
	}
	f.add(unix.BPF_RET|unix.BPF_K, unix.SECCOMP_RET_ALLOW, 0, 0)
	return f
}

func deny(with unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(with) }

// filter is a program in the kernel's machine language. Between its parts the number of
// the call is loaded.
type filter []unix.SockFilter

func (f *filter) add(code uint16, k uint32, yes, no uint8) {
	*f = append(*f, unix.SockFilter{Code: code, Jt: yes, Jf: no, K: k})
}

func (f *filter) load(offset uint32) { f.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset, 0, 0) }

func (f *filter) equal(k uint32, yes, no uint8) {
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, k, yes, no)
}

// when and unless answer if what is loaded is k, or is not.
func (f *filter) when(k, answer uint32) {
	f.equal(k, 0, 1)
	f.add(unix.BPF_RET|unix.BPF_K, answer, 0, 0)
}

func (f *filter) unless(k, answer uint32) {
	f.equal(k, 1, 0)
	f.add(unix.BPF_RET|unix.BPF_K, answer, 0, 0)
}

// low and high are the halves of an argument. Both machines have the low one first.
func low(argument uint32) uint32  { return offsetArgs + 8*argument }
func high(argument uint32) uint32 { return low(argument) + 4 }

// whenSet forbids a call if its argument has one of the bits.
func (f *filter) whenSet(call, argument, bits uint32) {
	f.equal(call, 0, 4)
	f.load(low(argument))
	f.add(unix.BPF_JMP|unix.BPF_JSET|unix.BPF_K, bits, 0, 1)
	f.add(unix.BPF_RET|unix.BPF_K, deny(unix.EPERM), 0, 0)
	f.load(offsetNumber)
}

// whenEqual forbids a call if its argument, of 32 bits, has the value.
func (f *filter) whenEqual(call, argument, value uint32) {
	f.equal(call, 0, 4)
	f.load(low(argument))
	f.equal(value, 0, 1)
	f.add(unix.BPF_RET|unix.BPF_K, deny(unix.EPERM), 0, 0)
	f.load(offsetNumber)
}

// unlessEqual forbids a call if its argument, of 32 bits, has another value.
func (f *filter) unlessEqual(call, argument, value uint32) {
	f.equal(call, 0, 4)
	f.load(low(argument))
	f.equal(value, 1, 0)
	f.add(unix.BPF_RET|unix.BPF_K, deny(unix.EPERM), 0, 0)
	f.load(offsetNumber)
}

// once forbids to run programs, but for the one call that has these addresses.
func (f *filter) once(run *program) {
	f.equal(unix.SYS_EXECVEAT, 0, 10)
	for i, half := range []struct{ offset, value uint32 }{
		{low(2), uint32(run.argv)}, {high(2), uint32(uint64(run.argv) >> 32)},
		{low(3), uint32(run.envp)}, {high(3), uint32(uint64(run.envp) >> 32)},
	} {
		f.load(half.offset)
		f.equal(half.value, 0, uint8(7-2*i))
	}
	f.add(unix.BPF_RET|unix.BPF_K, unix.SECCOMP_RET_ALLOW, 0, 0)
	f.add(unix.BPF_RET|unix.BPF_K, deny(unix.EPERM), 0, 0)
}

// filters is whether the kernel has filters.
func filters() bool {
	// It refuses the program that is not there, not the wish.
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, 0, 0, 0) == unix.EFAULT
}

// install puts a filter on this thread.
func install(f []unix.SockFilter) error {
	program := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	_, _, err := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	if err != 0 {
		return fmt.Errorf("install a filter of system calls: %w", err)
	}
	return nil
}
