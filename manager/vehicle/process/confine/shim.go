package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// exitRefused is the exit status of a process that could not put its limits on. It has
// told why.
const exitRefused = 125

// Main puts limits on this process and becomes another program, if the process was
// started for that; it then does not return. Else it returns false at once. The
// daemon's main begins with it, beside trial.Main.
func Main() bool {
	if len(os.Args) < 4 || os.Args[1] != Argument {
		return false
	}
	// All that follows is a matter of this thread, which is the one that stays.
	runtime.LockOSThread()
	given, err := strconv.Atoi(os.Args[2])
	if err != nil || given < 0 {
		os.Exit(exitRefused)
	}
	p := passed{given: given, image: 3 + given, order: 4 + given, answer: 5 + given}
	err = p.become(os.Args[3:])
	content, _ := json.Marshal(pack(err)) // texts and numbers
	_, _ = unix.Write(p.answer, content)  // nobody may be there
	os.Exit(exitRefused)
	return true
}

// passed are the descriptors that came with the order.
type passed struct {
	given                int // from 3 on
	image, order, answer int
}

// become puts the limits on and runs the image. It returns only if that fails.
func (p passed) become(args []string) error {
	if err := p.only(); err != nil {
		return fmt.Errorf("close other descriptors: %w", err)
	}
	o, err := p.read()
	if err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	var rules int
	var run *program
	var calls []unix.SockFilter
	const files, mend = "read_only, read_write", "leave it out, or let the daemon do it on this machine"
	for _, step := range []struct {
		setting string
		needed  bool
		do      func() error
	}{
		// The folders are opened by the daemon's user, and before files are counted.
		{files, o.Files, func() (err error) { rules, err = p.rules(o); return err }},
		{"memory, cpus", len(o.Doors) > 0, o.enter},
		{"open_files", true, o.count},
		{"user", o.Account != nil, o.change},
		{"process", true, o.follow},
		{"no_new_privileges", !o.Privileges, func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }},
		{files, o.Files, func() error { return keepTo(rules) }},
		{"process", true, func() (err error) { run, err = newProgram(p.image, args, o.Environment); return err }},
		{"seccomp", o.Seccomp != "", func() error { calls = sets[o.Seccomp].program(run); return nil }},
		// From here on nothing more is asked for: this process may have more already.
		{"memory", o.Data > 0, func() error { return limit(unix.RLIMIT_DATA, o.Data) }},
		{"seccomp", o.Seccomp != "", func() error { return install(calls) }},
	} {
		if !step.needed {
			continue
		}
		if err := step.do(); err != nil {
			return &Problem{Setting: step.setting, Problem: err.Error(), Mend: mend, Cause: err}
		}
	}
	return run.exec()
}

// only has the image get what it was given and nothing else.
func (p passed) only() error {
	err := unix.CloseRange(uint(p.image), math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if err != unix.ENOSYS && err != unix.EINVAL {
		return err
	}
	for _, fd := range []int{p.image, p.order, p.answer} { // Linux before 5.11
		unix.CloseOnExec(fd)
	}
	return nil
}

func (p passed) read() (order, error) {
	var o order
	size, err := unix.Seek(p.order, 0, io.SeekEnd)
	if err != nil {
		return o, err
	}
	content := make([]byte, size)
	if n, err := unix.Pread(p.order, content, 0); err != nil || int64(n) != size {
		return o, errors.Join(err, io.ErrUnexpectedEOF)
	}
	return o, json.Unmarshal(content, &o)
}

// enter goes into the control groups.
func (o order) enter() error {
	for _, door := range o.Doors {
		if err := os.WriteFile(door, []byte("0"), 0); err != nil {
			return fmt.Errorf("enter the control group: %w", err)
		}
	}
	return nil
}

// count limits open files and forbids core files: a core file of a library that was
// confined holds what it was to keep to itself.
func (o order) count() error {
	if err := limit(unix.RLIMIT_CORE, 0); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	if o.OpenFiles == 0 {
		return nil
	}
	return limit(unix.RLIMIT_NOFILE, o.OpenFiles)
}

func limit(what int, n uint64) error {
	return unix.Prlimit(0, what, &unix.Rlimit{Cur: n, Max: n}, nil)
}

// change becomes the user, without any other group.
func (o order) change() error {
	if os.Geteuid() != 0 {
		return nil // it is the user already, as was checked
	}
	for _, call := range []struct {
		number     uintptr
		a, b, c    uintptr
		privileges string
	}{
		{unix.SYS_SETGROUPS, 0, 0, 0, "give up other groups"},
		{unix.SYS_SETRESGID, uintptr(o.Account.GID), uintptr(o.Account.GID), uintptr(o.Account.GID), "change the group"},
		{unix.SYS_SETRESUID, uintptr(o.Account.UID), uintptr(o.Account.UID), uintptr(o.Account.UID), "change the user"},
	} {
		if _, _, err := unix.RawSyscall(call.number, call.a, call.b, call.c); err != 0 {
			return fmt.Errorf("%s: %w", call.privileges, err)
		}
	}
	return nil
}

// follow has the kernel kill the process when the daemon ends: a change of the user has
// undone that. The daemon may have ended before.
func (o order) follow() error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("follow the daemon: %w", err)
	}
	if os.Getppid() != o.Parent {
		return errors.New("the daemon has ended")
	}
	return nil
}

// answer is why an order could not be carried out. It crosses as JSON.
type answer struct {
	Setting string        `json:"setting,omitempty"`
	Problem string        `json:"problem"`
	Mend    string        `json:"mend,omitempty"`
	Number  syscall.Errno `json:"number,omitempty"`
}

func pack(err error) answer {
	a := answer{Problem: err.Error()}
	_ = errors.As(err, &a.Number)
	var p *Problem
	if errors.As(err, &p) {
		a.Setting, a.Problem, a.Mend = p.Setting, p.Problem, p.Mend
	}
	return a
}

func (a answer) err() error {
	var cause error
	if a.Number != 0 {
		cause = a.Number
	}
	if a.Setting == "" && cause != nil {
		return fmt.Errorf("%s (%w)", a.Problem, cause)
	}
	return &Problem{Setting: a.Setting, Problem: a.Problem, Mend: a.Mend, Cause: cause}
}
