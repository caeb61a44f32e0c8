// Package descriptor decodes the structs by which a native library describes
// itself (facade/include/mesos/module.h), from a file or from the memory of this
// process. It trusts nothing: texts, counts and strides are bounded, and what is
// wrong is written down as a flaw instead of being followed.
package descriptor

// Memory is where descriptors are read from. Addresses are those of the file, or
// of the process.
type Memory interface {
	// Read returns up to n bytes: fewer where the readable bytes end, or at
	// some border before; none if addr cannot be read at all. The slice must
	// not be written to.
	Read(addr uint64, n int) []byte

	// Pointer returns what the word at addr points to; 0 is null. outside
	// says that it is set and points into another library, which only the
	// loader knows. ok is false for a word that is no pointer.
	Pointer(addr uint64) (value uint64, outside, ok bool)
}

// Kind is what a descriptor describes.
type Kind uint8

// The kinds, by their magic.
const (
	None   Kind = iota
	Header      // the mark that the C++ header leaves
	Library
	Module
)

// headSize is magic and size: the part of a descriptor that never changes.
const headSize = 16

// KindOf looks at the magic at addr.
func KindOf(m Memory, addr uint64) Kind {
	switch string(exactly(m, addr, 8)) {
	case "MMSHDR\x00\x01":
		return Header
	case "MMSLIB\x00\x01":
		return Library
	case "MMSMOD\x00\x01":
		return Module
	default:
		return None
	}
}

// exactly returns n bytes at addr, or nil.
func exactly(m Memory, addr uint64, n int) []byte {
	b := m.Read(addr, n)
	if len(b) == n {
		return b
	}
	whole := append([]byte(nil), b...)
	for len(b) > 0 && len(whole) < n {
		b = m.Read(addr+uint64(len(whole)), n-len(whole))
		whole = append(whole, b...)
	}
	if len(whole) < n {
		return nil
	}
	return whole
}
