package confine

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// program is what a process becomes, laid out as the kernel wants it, at two addresses that
// nobody can guess. That is how a filter of system calls tells this one call from any
// other: the addresses are its password, and are gone with it.
type program struct {
	image      int
	argv, envp uintptr
}

// newProgram lays out arguments and environment.
func newProgram(image int, args, environment []string) (*program, error) {
	argv, err := layOut(args)
	if err != nil {
		return nil, fmt.Errorf("lay out the arguments: %w", err)
	}
	envp, err := layOut(environment)
	if err != nil {
		return nil, fmt.Errorf("lay out the environment: %w", err)
	}
	return &program{image: image, argv: argv, envp: envp}, nil
}

// layOut makes a list of pointers to texts that ends with a null.
func layOut(all []string) (uintptr, error) {
	const word = int(unsafe.Sizeof(uintptr(0)))
	texts := (len(all) + 1) * word
	size := texts
	for _, text := range all {
		size += len(text) + 1
	}
	at, memory, err := secret(size)
	if err != nil {
		return 0, err
	}
	for i, text := range all {
		binary.NativeEndian.PutUint64(memory[i*word:], uint64(at)+uint64(texts))
		texts += copy(memory[texts:], text) + 1
	}
	return at, nil
}

// secret is zeroed memory at an address that was drawn by lot.
func secret(size int) (uintptr, []byte, error) {
	const (
		tries  = 100
		spread = 16 << 10 // bytes within it
		lowest = 1 << 32  // what is mapped by itself lies below and above
	)
	across := uint64(1<<46 - 1) // addresses
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
		case err == unix.ENOMEM: // not all machines have so many
			across >>= 1
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
	var empty [1]byte // the path: the image itself
	for {
		_, _, err := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(p.image), uintptr(unsafe.Pointer(&empty[0])), p.argv, p.envp, unix.AT_EMPTY_PATH, 0)
		if err != unix.EINTR {
			return err
		}
	}
}
