package fetcher

import (
	"fmt"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// owner is whose rights files are read and made with.
type owner struct {
	name     string
	switches bool // this process has other rights than the owner
	uid, gid int
	groups   []uint32
}

// ownerOf looks a user up. Only root can act for others; an agent that is not acts for itself, whoever the user.
func ownerOf(name string) (*owner, error) {
	if name == "" || os.Geteuid() != 0 {
		return &owner{name: name}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("user of the task: %w", err)
	}
	o := &owner{name: name}
	if o.uid, err = strconv.Atoi(u.Uid); err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	if o.gid, err = strconv.Atoi(u.Gid); err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	if o.uid == 0 {
		return o, nil
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("groups of user %s: %w", name, err)
	}
	for _, id := range ids {
		g, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("group of user %s: %w", name, err)
		}
		o.groups = append(o.groups, uint32(g))
	}
	o.switches = true
	return o, nil
}

// do calls a function with the owner's rights to files. If those are not the process's, it is called in a thread of its
// own, which takes the owner's groups and file system ids and ends with the call: Go's own calls for that change every
// thread of the process.
func (o *owner) do(call func() error) error {
	if !o.switches {
		return call()
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked, so that nobody gets this thread after us
		if err := o.become(); err != nil {
			done <- err
			return
		}
		done <- call()
	}()
	return <-done
}

// become changes the rights of the current thread.
func (o *owner) become() error {
	var first unsafe.Pointer
	if len(o.groups) > 0 {
		first = unsafe.Pointer(&o.groups[0])
	}
	if _, _, number := syscall.RawSyscall(syscall.SYS_SETGROUPS, uintptr(len(o.groups)), uintptr(first), 0); number != 0 {
		return fmt.Errorf("groups of user %s: %w", o.name, number)
	}
	for _, id := range []struct {
		call uintptr
		id   int
	}{{syscall.SYS_SETFSGID, o.gid}, {syscall.SYS_SETFSUID, o.uid}} {
		// These calls have no errors: they return the id that was there before. So it is asked for once more.
		_, _, _ = syscall.RawSyscall(id.call, uintptr(id.id), 0, 0)
		if now, _, _ := syscall.RawSyscall(id.call, ^uintptr(0), 0, 0); int(now) != id.id {
			return fmt.Errorf("the rights of user %s could not be taken", o.name)
		}
	}
	return nil
}
