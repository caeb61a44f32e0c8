package native

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// process is the memory of this process, read by the kernel: an address that
// cannot be read gives nothing instead of a signal.
type process struct{ base uint64 }

const pageSize = 4096 // no border inside a page, whatever the real size

// Read implements descriptor.Memory. addr is relative to base.
func (p process) Read(addr uint64, n int) []byte {
	addr += p.base
	if n = min(n, int(pageSize-addr%pageSize)); n <= 0 {
		return nil
	}
	b := make([]byte, n)
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(n)
	got, err := unix.ProcessVMReadv(os.Getpid(), local, []unix.RemoteIovec{{Base: uintptr(addr), Len: n}}, 0)
	if err != nil || got != n {
		return nil
	}
	return b
}

// Pointer implements descriptor.Memory: what stands there is where it points.
func (p process) Pointer(addr uint64) (value uint64, outside, ok bool) {
	var word [8]byte
	for n := 0; n < len(word); {
		b := p.Read(addr+uint64(n), len(word)-n)
		if len(b) == 0 {
			return 0, false, false
		}
		n += copy(word[n:], b)
	}
	value = binary.LittleEndian.Uint64(word[:])
	if value == 0 {
		return 0, false, true
	}
	return value - p.base, false, true
}
