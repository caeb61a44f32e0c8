package confine

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// program is what a process becomes, laid out as the kernel wants it, at an address that
// nobody can guess. That is how a filter of system calls tells this one call from any
// other: the addresses are its password, and are gone with it.
type program struct {
	image      int
	argv, envp uintptr
	path       uintptr // of an empty string
}

// newProgram lays out arguments and environment.
func newProgram(image int, args, environment []string) (*program, error) {
	const word = int(unsafe.Sizeof(uintptr(0)))
	size := (len(args)+len(environment)+2)*word + 1
	for _, text := range append(args[:len(args):len(args)], environment...) {
		size += len(text) + 1
	}
	at, memory, err := secret(size)
	if err != nil {
		return nil, fmt.Errorf("lay out the arguments: %w", err)
	}
	texts := (len(args) + len(environment) + 2) * word
	pointers := 0
	list := func(all []string) uintptr {
		begin := at + uintptr(pointers)
		for _, text := range all {
			binary.NativeEndian.PutUint64(memory[pointers:], uint64(at)+uint64(texts))
			pointers += word
			texts += copy(memory[texts:], text) + 1
		}
		pointers += word // the end is zero
		return begin
	}
	p := &program{image: image}
	p.argv, p.envp = list(args), list(environment)
	p.path = at + uintptr(texts)
	return p, nil
}

// secret is zeroed memory at an address that was drawn by lot.
func secret(size int) (uintptr, []byte, error) {
	const (
		tries  = 100
		spread = 16 << 10  // bytes within it
		lowest = 1 << 32   // what is mapped by itself lies below and above
		across = 1<<46 - 1 // addresses
	)
	for range tries {
		var random [16]byte
		_, _ = rand.Read(random[:]) // it does not fail
		page := uintptr(lowest+binary.NativeEndian.Uint64(random[:])&across) &^ (64<<10 - 1)
		offset := uintptr(binary.NativeEndian.Uint64(random[8:])%spread) &^ 7
		length := uintptr(size) + spread
		at, _, err := unix.RawSyscall6(unix.SYS_MMAP, page, length, unix.PROT_READ|unix.PROT_WRITE,
			unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED_NOREPLACE, ^uintptr(0), 0)
		switch {
		case err == unix.EEXIST:
			continue
		case err != 0:
			return 0, nil, err
		case at != page: // a kernel that does not know the flag has chosen itself
			_, _, _ = unix.RawSyscall(unix.SYS_MUNMAP, at, length, 0)
			continue
		}
		at += offset
		return at, unsafe.Slice((*byte)(pointer(at)), size), nil
	}
	return 0, nil, errors.New("no address is free")
}

// pointer makes one of an address outside Go's memory.
func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }

// exec becomes the program. It returns only if that fails.
func (p *program) exec() error {
	for {
		_, _, err := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(p.image), p.path, p.argv, p.envp, unix.AT_EMPTY_PATH, 0)
		if err != unix.EINTR {
			return err
		}
	}
}
