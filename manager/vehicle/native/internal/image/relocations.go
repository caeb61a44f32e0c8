package image

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
	"sort"
)

// Tags that the standard library does not name.
const (
	tagRelr     elf.DynTag = 36
	tagRelrSize elf.DynTag = 35
)

const (
	relaSize = 24
	maxRela  = 1 << 21
)

// relocations says what the loader will write into the library's memory.
type relocations struct {
	fixed      []fixedReloc  // addresses within the library
	symbolic   []symbolReloc // addresses of symbols
	packed     []packedReloc // addresses within the library, whose value stands in place
	referenced []bool        // by index of symbol
}

type fixedReloc struct{ at, value uint64 }

type symbolReloc struct {
	at, addend uint64
	symbol     uint32
}

// packedReloc is one window of RELR: bit i stands for the word start + 8*i.
type packedReloc struct{ start, bits uint64 }

func (im *Image) readRelocations() error {
	im.relocs.referenced = make([]bool, im.count())
	for _, t := range []struct {
		what     string
		at, size elf.DynTag
	}{{"relocations", elf.DT_RELA, elf.DT_RELASZ}, {"procedure linkage", elf.DT_JMPREL, elf.DT_PLTRELSZ}} {
		size := im.tags[t.size]
		if im.tags[t.at] == 0 || size == 0 {
			continue
		}
		table := im.table(im.tags[t.at], size)
		if table == nil || size/relaSize > maxRela {
			return fault(copyAgain, "the file is damaged: its %s cannot be read", t.what)
		}
		im.readRela(table)
	}
	if size := im.tags[tagRelrSize]; im.tags[tagRelr] != 0 && size != 0 {
		table := im.table(im.tags[tagRelr], size)
		if table == nil || size/8 > maxRela {
			return fault(copyAgain, "the file is damaged: its packed relocations cannot be read")
		}
		im.readRelr(table)
	}
	sortUnlessSorted(im.relocs.fixed, func(a, b fixedReloc) int { return cmp.Compare(a.at, b.at) })
	sortUnlessSorted(im.relocs.symbolic, func(a, b symbolReloc) int { return cmp.Compare(a.at, b.at) })
	sortUnlessSorted(im.relocs.packed, func(a, b packedReloc) int { return cmp.Compare(a.start, b.start) })
	return nil
}

// sortUnlessSorted: linkers write these tables sorted, as a rule.
func sortUnlessSorted[T any](all []T, compare func(a, b T) int) {
	if !slices.IsSortedFunc(all, compare) {
		slices.SortStableFunc(all, compare)
	}
}

func (im *Image) readRela(table []byte) {
	m := im.machine
	for ; len(table) >= relaSize; table = table[relaSize:] {
		at, info, addend := binary.LittleEndian.Uint64(table), binary.LittleEndian.Uint64(table[8:]), binary.LittleEndian.Uint64(table[16:])
		kind, symbol := uint32(info), uint32(info>>32)
		switch kind {
		case m.relative, m.irelative:
			im.relocs.fixed = append(im.relocs.fixed, fixedReloc{at, addend})
		case m.absolute, m.globDat, m.jumpSlot:
			im.relocs.symbolic = append(im.relocs.symbolic, symbolReloc{at, addend, symbol})
		}
		if int64(symbol) < int64(len(im.relocs.referenced)) {
			im.relocs.referenced[symbol] = true
		}
	}
}

// readRelr unpacks windows, not words: one entry can stand for 63 of these.
func (im *Image) readRelr(table []byte) {
	next := uint64(0)
	for ; len(table) >= 8; table = table[8:] {
		entry := binary.LittleEndian.Uint64(table)
		if entry&1 == 0 {
			im.relocs.packed = append(im.relocs.packed, packedReloc{entry, 1})
			next = entry + 8
			continue
		}
		im.relocs.packed = append(im.relocs.packed, packedReloc{next, entry >> 1})
		next += 63 * 8
	}
}

// Pointer returns the address that the word at addr will hold, relative to where
// the library is loaded. outside says that it will point into another library;
// ok is false for a word that is not null and that no relocation makes an address
// of this library.
func (im *Image) Pointer(addr uint64) (value uint64, outside, ok bool) {
	fixed := im.relocs.fixed
	if i := sort.Search(len(fixed), func(i int) bool { return fixed[i].at >= addr }); i < len(fixed) && fixed[i].at == addr {
		return fixed[i].value, false, true
	}
	symbolic := im.relocs.symbolic
	if i := sort.Search(len(symbolic), func(i int) bool { return symbolic[i].at >= addr }); i < len(symbolic) && symbolic[i].at == addr {
		r := symbolic[i]
		if int64(r.symbol) >= int64(im.count()) {
			return 0, false, false
		}
		s := im.Exports.table[r.symbol*symbolSize:]
		if elf.SectionIndex(binary.LittleEndian.Uint16(s[6:])) == elf.SHN_UNDEF {
			return 0, true, true
		}
		return binary.LittleEndian.Uint64(s[8:]) + r.addend, false, true
	}
	word := im.word(addr)
	if im.isPacked(addr) {
		return word, false, true
	}
	return 0, false, word == 0
}

func (im *Image) isPacked(addr uint64) bool {
	// Windows do not overlap in a sound file; the last one that starts at or
	// before addr is the only one that can hold it.
	packed := im.relocs.packed
	i := sort.Search(len(packed), func(i int) bool { return packed[i].start > addr }) - 1
	if i < 0 || (addr-packed[i].start)%8 != 0 {
		return false
	}
	bit := (addr - packed[i].start) / 8
	return bit < 63 && packed[i].bits>>bit&1 == 1
}

func (im *Image) word(addr uint64) uint64 {
	if b := im.Read(addr, 8); len(b) == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	if b := im.table(addr, 8); b != nil { // it crosses the end of a chunk
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Undefined returns the names of the symbols that another library has to define
// for this one to open, in the order of the table. Weak ones may be missing, and
// so may those that no relocation asks for.
func (im *Image) Undefined() []string {
	var names []string
	budget := nameBudget
	for i, referenced := range im.relocs.referenced {
		if !referenced || i == 0 {
			continue
		}
		s := im.Exports.table[i*symbolSize:]
		if elf.SectionIndex(binary.LittleEndian.Uint16(s[6:])) != elf.SHN_UNDEF || elf.ST_BIND(s[4]) == elf.STB_WEAK {
			continue
		}
		name := im.symbol(i).Name
		if budget -= len(name); budget < 0 {
			break
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
