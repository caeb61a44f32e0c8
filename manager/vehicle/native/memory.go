package native

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// process is the memory of this process, read by the kernel: an address that
// cannot be read gives nothing instead of a signal. Pages are kept, so it is for
// one look at memory that does not change meanwhile, by one goroutine.
type process struct {
	base  uint64
	pages map[uint64][]byte
}

const pageSize = 4096 // there is no border inside of these, whatever the real size

func newProcess(base uint64) process { return process{base: base, pages: map[uint64][]byte{}} }

// Read implements descriptor.Memory. addr is relative to base.
func (p process) Read(addr uint64, n int) []byte {
	addr += p.base
	within := addr % pageSize
	page, ok := p.pages[addr-within]
	if !ok {
		page = readPage(addr - within)
		p.pages[addr-within] = page
	}
	if page == nil || n <= 0 {
		return nil
	}
	return page[within:min(within+uint64(n), pageSize)]
}

// readPage returns nil if the page cannot be read.
func readPage(addr uint64) []byte {
	page := make([]byte, pageSize)
	local := []unix.Iovec{{Base: &page[0]}}
	local[0].SetLen(pageSize)
	got, err := unix.ProcessVMReadv(os.Getpid(), local, []unix.RemoteIovec{{Base: uintptr(addr), Len: pageSize}}, 0)
	if err != nil || got != pageSize {
		return nil
	}
	return page
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
