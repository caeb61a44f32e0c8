package spawn_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func eat(args []string) int {
	n, _ := strconv.Atoi(args[0])
	var all [][]byte
	for range n {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		all = append(all, block)
	}
	fmt.Println("ate", len(all))
	runtime.KeepAlive(all)
	return 0
}

func spin([]string) int {
	for range 4 {
		go func() {
			for spins := new(atomic.Int64); ; spins.Add(1) {
			}
		}()
	}
	<-time.After(time.Second)
	var used unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &used)
	fmt.Println("spun", time.Duration(used.Utime.Nano()+used.Stime.Nano()).Milliseconds())
	return 0
}

func openAll([]string) int {
	for n := 0; ; n++ {
		if _, err := unix.Open(os.DevNull, unix.O_RDONLY, 0); err != nil {
			fmt.Println("opened", n, err)
			return 0
		}
	}
}

func try(args []string) int {
	for _, what := range args {
		fmt.Println(what, outcome(attempts[what]()))
	}
	return 0
}

func useFiles(args []string) int {
	for _, path := range args {
		_, err := os.ReadFile(path)
		if errors.Is(err, syscall.EISDIR) {
			_, err = os.ReadDir(path)
		}
		fmt.Println("read", path, outcome(err))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if errors.Is(err, syscall.EISDIR) {
			f, err = os.Create(path + "/new")
		}
		if err == nil {
			_ = f.Close()
		}
		fmt.Println("write", path, outcome(err))
	}
	return 0
}

func outcome(err error) string {
	var number syscall.Errno
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &number):
		return unix.ErrnoName(number)
	default:
		return err.Error()
	}
}

// attempts are what no module needs, and what some do.
var attempts = map[string]func() error{
	"mount":   func() error { return unix.Mount("none", "/nowhere", "tmpfs", 0, "") },
	"ptrace":  func() error { return unix.PtraceAttach(os.Getppid()) },
	"bpf":     func() error { _, _, e := unix.Syscall(unix.SYS_BPF, 0, 0, 0); return e },
	"reboot":  func() error { return unix.Reboot(1) },
	"keyctl":  func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false); return err },
	"unshare": func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"files": func() error {
		failed := make(chan error)
		go func() {
			runtime.LockOSThread() // and never give back a thread that has files of its own
			failed <- unix.Unshare(unix.CLONE_FILES)
		}()
		return <-failed
	},
	"clone3": func() error { _, _, e := unix.Syscall(unix.SYS_CLONE3, 0, 0, 0); return e },
	"clone": func() error {
		_, _, e := unix.Syscall6(unix.SYS_CLONE, unix.CLONE_NEWUSER|unix.CLONE_SIGHAND, 0, 0, 0, 0, 0)
		return e
	},
	"socket": func() error {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err == nil {
			err = c.Close()
		}
		return err
	},
	"pair": func() error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
	"exec": func() error { return exec.Command("/proc/self/exe", victim, "exit", "0").Run() },
	"execveat": func() error {
		f, err := os.Open("/proc/self/exe")
		if err != nil {
			return err
		}
		empty, argv := []byte{0}, []uintptr{0}
		_, _, e := unix.Syscall6(unix.SYS_EXECVEAT, f.Fd(), uintptr(unsafe.Pointer(&empty[0])),
			uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&argv[0])), unix.AT_EMPTY_PATH, 0)
		return e
	},
	"self":   func() error { return peek(os.Getpid()) },
	"parent": func() error { return peek(os.Getppid()) },
	"kill":   func() error { return unix.Kill(os.Getppid(), 0) },
	"core": func() error {
		var l unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil || l != (unix.Rlimit{}) {
			return fmt.Errorf("%v %v", l, err)
		}
		return nil
	},
}

// peek reads the memory of a process.
func peek(pid int) error {
	from, to := []byte("text"), make([]byte, 4)
	local := []unix.Iovec{{Base: &to[0], Len: 4}}
	_, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&from[0])), Len: 4}}, 0)
	return err
}
