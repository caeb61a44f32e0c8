package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	headerSize    = 64
	progSize      = 56
	sectionSize   = 64
	maxProgs      = 1024
	maxSections   = 1 << 16
	rebuildHere   = "build the library on or for this machine"
	copyAgain     = "copy or build the file again"
	buildShared   = "link it with -shared -fPIC"
	elfOSABILinux = 3
)

// Image is one library file. It is not safe for concurrent use; the Exports
// taken from it are.
type Image struct {
	Soname  string
	Needed  []string // in the order in which the loader takes them
	Rpath   string
	Runpath string
	BuildID []byte

	// Stays says that the library asks never to be unloaded.
	Stays bool

	machine  machine
	src      source
	segments []segment
	notes    []segment
	sections sectionTable
	program  bool // it names a program interpreter
	tags     map[elf.DynTag]uint64
	neededAt []uint64 // places of names in the string table
	relocs   relocations

	*Exports
}

type segment struct {
	start, end uint64 // virtual addresses that have bytes in the file
	offset     uint64
}

type sectionTable struct {
	offset       uint64
	count, names int
}

// Read reads a library of size bytes for the machine want. The error is a
// *Fault.
func Read(r io.ReaderAt, size int64, want elf.Machine) (*Image, error) {
	im, err := ReadExports(r, size, want)
	if err != nil {
		return nil, err
	}
	if err := im.readRelocations(); err != nil {
		return nil, err
	}
	return im, nil
}

// ReadExports reads what another library can see of this one. It leaves the
// relocations alone: Pointer and Undefined know nothing.
func ReadExports(r io.ReaderAt, size int64, want elf.Machine) (*Image, error) {
	im := &Image{src: source{r: r, size: uint64(max(size, 0)), chunks: map[uint64][]byte{}}}
	head := im.src.all(0, headerSize)
	if head == nil {
		return nil, fault(copyAgain, "the file is truncated: it has %d bytes, and an ELF header alone has %d", size, headerSize)
	}
	if err := im.checkHeader(head, want); err != nil {
		return nil, err
	}
	if err := im.readSegments(head); err != nil {
		return nil, err
	}
	if err := im.checkSections(head); err != nil {
		return nil, err
	}
	if err := im.readDynamic(); err != nil {
		return nil, err
	}
	return im, nil
}

// IsELF reports whether a file that begins with prefix is an ELF file at all.
func IsELF(prefix []byte) bool { return bytes.HasPrefix(prefix, []byte(elf.ELFMAG)) }

func (im *Image) checkHeader(head []byte, want elf.Machine) error {
	if !IsELF(head) {
		return fault("", "the file is not an ELF file")
	}
	known, ok := machines[want]
	if !ok {
		return fault("", "native libraries are not supported on %s", MachineName(want))
	}
	im.machine = known

	// The place of type and machine is the same in 32 and 64 bit, so both can
	// be named together.
	order := binary.ByteOrder(binary.LittleEndian)
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	kind, have := elf.Type(order.Uint16(head[16:])), elf.Machine(order.Uint16(head[18:]))
	class := elf.Class(head[elf.EI_CLASS])
	switch {
	case class == elf.ELFCLASS32:
		return fault(rebuildHere, "the library is for a 32 bit machine (%s), and the daemon for %s, 64 bit", MachineName(have), MachineName(want))
	case class != elf.ELFCLASS64:
		return fault(copyAgain, "the ELF header is damaged: class %d is neither 32 nor 64 bit", class)
	case have != want:
		return fault(rebuildHere, "the library is for %s, and the daemon for %s", MachineName(have), MachineName(want))
	case elf.Data(head[elf.EI_DATA]) != elf.ELFDATA2LSB:
		return fault(rebuildHere, "the library's byte order is not that of %s", MachineName(want))
	case head[elf.EI_VERSION] != 1:
		return fault(copyAgain, "the ELF header is damaged: version %d", head[elf.EI_VERSION])
	case elf.OSABI(head[elf.EI_OSABI]) != elf.ELFOSABI_NONE && elf.OSABI(head[elf.EI_OSABI]) != elfOSABILinux:
		return fault(rebuildHere, "the library is for another system (%s)", elf.OSABI(head[elf.EI_OSABI]))
	}
	switch kind {
	case elf.ET_DYN:
		return nil
	case elf.ET_EXEC:
		return fault(buildShared, "the file is an executable program and not a shared library")
	case elf.ET_REL:
		return fault(buildShared, "the file is an object file that has not been linked into a shared library")
	case elf.ET_CORE:
		return fault("name the library instead", "the file is a core dump")
	default:
		return fault(copyAgain, "the file is an ELF file of the unknown type %d", kind)
	}
}

func (im *Image) readSegments(head []byte) error {
	offset, entry, count := binary.LittleEndian.Uint64(head[32:]), binary.LittleEndian.Uint16(head[54:]), int(binary.LittleEndian.Uint16(head[56:]))
	if count == 0 || count > maxProgs || entry != progSize {
		return fault(copyAgain, "the ELF header is damaged: %d program headers of %d bytes", count, entry)
	}
	table := im.src.all(offset, count*progSize)
	if table == nil {
		return im.truncated("its program headers", offset, uint64(count*progSize))
	}
	for i := range count {
		p := table[i*progSize:]
		kind := elf.ProgType(binary.LittleEndian.Uint32(p))
		offset, addr := binary.LittleEndian.Uint64(p[8:]), binary.LittleEndian.Uint64(p[16:])
		inFile, inMemory := binary.LittleEndian.Uint64(p[32:]), binary.LittleEndian.Uint64(p[40:])
		if inFile > 0 && (offset > im.src.size || inFile > im.src.size-offset) {
			return im.truncated(fmt.Sprintf("segment %d", i), offset, inFile)
		}
		s := segment{start: addr, end: addr + inFile, offset: offset}
		if s.end < s.start {
			return fault(copyAgain, "segment %d is damaged: %d bytes at address %#x", i, inFile, addr)
		}
		switch kind {
		case elf.PT_INTERP:
			im.program = true
		case elf.PT_LOAD:
			if inFile > inMemory {
				return fault(copyAgain, "segment %d is damaged: %d bytes of file for %d bytes of memory", i, inFile, inMemory)
			}
			im.segments = append(im.segments, s)
		case elf.PT_NOTE:
			im.notes = append(im.notes, s)
		case elf.PT_DYNAMIC:
			if im.tags != nil {
				return fault(copyAgain, "the file is damaged: it has two dynamic sections")
			}
			if err := im.readTags(s); err != nil {
				return err
			}
		}
	}
	if len(im.segments) == 0 {
		return fault(copyAgain, "the file is damaged: nothing of it would be loaded")
	}
	if im.tags == nil {
		return fault(buildShared, "the file has no dynamic section: it is no shared library, or holds debug information only")
	}
	return nil
}

// checkSections finds files that were cut after the last segment. The loader
// would not notice, but half a file is not what somebody built.
func (im *Image) checkSections(head []byte) error {
	offset, entry := binary.LittleEndian.Uint64(head[40:]), binary.LittleEndian.Uint16(head[58:])
	count, names := int(binary.LittleEndian.Uint16(head[60:])), int(binary.LittleEndian.Uint16(head[62:]))
	if offset == 0 || count == 0 {
		return nil
	}
	if entry != sectionSize {
		return fault(copyAgain, "the ELF header is damaged: %d section headers of %d bytes", count, entry)
	}
	if total := uint64(count * sectionSize); offset > im.src.size || total > im.src.size-offset {
		return im.truncated("its section table", offset, total)
	}
	im.sections = sectionTable{offset: offset, count: count, names: names}
	return nil
}

func (im *Image) truncated(what string, offset, n uint64) error {
	return fault(copyAgain, "the file is truncated: it has %d bytes, and %s has %d from %d on", im.src.size, what, n, offset)
}

// Read returns up to n bytes at a virtual address: fewer where the bytes in the
// file end, or at some border before; none if the address is not in the file. The
// slice must not be written to.
func (im *Image) Read(addr uint64, n int) []byte {
	for _, s := range im.segments {
		if addr >= s.start && addr < s.end {
			return im.src.some(s.offset+addr-s.start, int(min(uint64(n), s.end-addr)))
		}
	}
	return nil
}

// table returns exactly n bytes at a virtual address, or nil.
func (im *Image) table(addr, n uint64) []byte {
	for _, s := range im.segments {
		if addr >= s.start && addr < s.end {
			if n > s.end-addr || n > maxTable {
				return nil
			}
			return im.src.all(s.offset+addr-s.start, int(n))
		}
	}
	return nil
}

// Release lets go of the file. What was read into tables stays; Read and Comment
// give nothing from then on.
func (im *Image) Release() { im.src, im.sections = source{}, sectionTable{} }

// Span is the range of addresses that the library's segments take up.
func (im *Image) Span() (start, end uint64) {
	start = im.segments[0].start
	for _, s := range im.segments {
		start, end = min(start, s.start), max(end, s.end)
	}
	return start, end
}
