package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

const (
	symbolSize = 24
	maxSymbols = 1 << 20
	maxName    = 64 << 10
	maxShort   = 4 << 10
	nameBudget = 64 << 20 // bytes of names looked at in one image
)

// Exports is the dynamic symbol table of a library. It is safe for concurrent
// use once it has been read.
type Exports struct {
	table    []byte // symbols
	strings  []byte
	gnu      gnuHash
	versions []string // that this library defines
	needs    []VersionNeed
}

// Symbol is one entry of the table.
type Symbol struct {
	Name  string
	Value uint64
	Size  uint64
}

// readSymbols finds out how many symbols there are from the hash tables, as the
// dynamic section does not say.
func (im *Image) readSymbols() (*Exports, error) {
	damaged := func(what string) (*Exports, error) {
		return nil, fault(copyAgain, "the file is damaged: %s cannot be read", what)
	}
	x := &Exports{}
	if x.strings = im.table(im.tags[elf.DT_STRTAB], im.tags[elf.DT_STRSZ]); x.strings == nil {
		return damaged("its string table")
	}
	if entry, ok := im.tags[elf.DT_SYMENT]; ok && entry != symbolSize {
		return damaged("its symbol table")
	}
	count := 0
	if at, ok := im.tags[elf.DT_GNU_HASH]; ok {
		gnu, n, ok := im.readGNUHash(at)
		if !ok {
			return damaged("its hash table")
		}
		x.gnu, count = gnu, n
	}
	if at, ok := im.tags[elf.DT_HASH]; ok {
		head := im.table(at, 8)
		if head == nil {
			return damaged("its hash table")
		}
		count = max(count, int(binary.LittleEndian.Uint32(head[4:])))
	}
	// A GNU hash without exported symbols says nothing about the others; the
	// section table does where there is one.
	count = max(count, im.symbolsBySection())
	if count > maxSymbols {
		return nil, fault("", "the library has %d dynamic symbols, and more than %d are not read", count, maxSymbols)
	}
	if count == 0 {
		return x, nil
	}
	if x.table = im.table(im.tags[elf.DT_SYMTAB], uint64(count)*symbolSize); x.table == nil {
		return damaged("its symbol table")
	}
	return x, nil
}

func (x *Exports) count() int { return len(x.table) / symbolSize }

func (x *Exports) defined(i int) bool {
	s := x.table[i*symbolSize:]
	binding := elf.ST_BIND(s[4])
	return elf.SectionIndex(binary.LittleEndian.Uint16(s[6:])) != elf.SHN_UNDEF &&
		binding != elf.STB_LOCAL && elf.ST_VISIBILITY(s[5]) != elf.STV_HIDDEN && elf.ST_VISIBILITY(s[5]) != elf.STV_INTERNAL
}

func (x *Exports) symbol(i int) Symbol {
	s := x.table[i*symbolSize:]
	return Symbol{
		Name:  x.text(uint64(binary.LittleEndian.Uint32(s))),
		Value: binary.LittleEndian.Uint64(s[8:]),
		Size:  binary.LittleEndian.Uint64(s[16:]),
	}
}

// Objects returns the exported data symbols that match accepts by their address
// and size, in the order of the table.
func (x *Exports) Objects(match func(addr, size uint64) bool) []Symbol {
	var all []Symbol
	budget := nameBudget
	for i := range x.count() {
		s := x.table[i*symbolSize:]
		if elf.ST_TYPE(s[4]) != elf.STT_OBJECT || !x.defined(i) ||
			!match(binary.LittleEndian.Uint64(s[8:]), binary.LittleEndian.Uint64(s[16:])) {
			continue
		}
		all = append(all, x.symbol(i))
		if budget -= len(all[len(all)-1].Name); budget < 0 {
			break
		}
	}
	return all
}

// Any returns the first symbol, in the order of the table, that match accepts.
// Symbols that another library has to define are asked for too.
func (x *Exports) Any(match func(name []byte) bool) (string, bool) {
	budget := nameBudget
	for i := range x.count() {
		name := x.bytes(uint64(binary.LittleEndian.Uint32(x.table[i*symbolSize:])))
		if budget -= len(name); budget < 0 {
			break
		}
		if match(name) {
			return string(name), true
		}
	}
	return "", false
}

// bytes returns the text at a place of the string table, empty if it has no end.
func (x *Exports) bytes(at uint64) []byte {
	if at >= uint64(len(x.strings)) {
		return nil
	}
	rest := x.strings[at:]
	end := bytes.IndexByte(rest[:min(len(rest), maxName)], 0)
	return rest[:max(end, 0)]
}

func (x *Exports) text(at uint64) string { return string(x.bytes(at)) }

// short is text for names of libraries, folders and versions; longer ones are
// nobody's.
func (x *Exports) short(at uint64) string {
	if b := x.bytes(at); len(b) <= maxShort {
		return string(b)
	}
	return ""
}

// Defines reports whether the library defines a symbol of this name for others.
func (x *Exports) Defines(name string) bool {
	if x.gnu.present() {
		return x.gnu.find(x, name)
	}
	for i := range x.count() {
		if x.defined(i) && x.named(i, name) {
			return true
		}
	}
	return false
}

func (x *Exports) named(i int, name string) bool {
	at := uint64(binary.LittleEndian.Uint32(x.table[i*symbolSize:]))
	if at >= uint64(len(x.strings)) {
		return false
	}
	rest := x.strings[at:]
	return len(rest) > len(name) && string(rest[:len(name)]) == name && rest[len(name)] == 0
}
