package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
)

const maxComment = 4096

// symbolsBySection is the number of dynamic symbols by the section table, 0 where
// there is none.
func (im *Image) symbolsBySection() int {
	for i := range im.sections.count {
		s := im.section(i)
		if s == nil {
			return 0
		}
		if elf.SectionType(binary.LittleEndian.Uint32(s[4:])) == elf.SHT_DYNSYM {
			return int(min(binary.LittleEndian.Uint64(s[32:])/symbolSize, maxSymbols+1))
		}
	}
	return 0
}

func (im *Image) section(i int) []byte {
	return im.src.all(im.sections.offset+uint64(i)*sectionSize, sectionSize)
}

// HasSection reports whether the section table names such a section.
func (im *Image) HasSection(name string) bool {
	_, _, ok := im.findSection(name)
	return ok
}

// Comment returns what compilers and linkers left in the file, each once, in the
// order of the file.
func (im *Image) Comment() []string {
	offset, size, ok := im.findSection(".comment")
	if !ok {
		return nil
	}
	var all []string
	for text := range strings.SplitSeq(string(im.src.all(offset, int(min(size, maxComment)))), "\x00") {
		if text != "" && (len(all) == 0 || all[len(all)-1] != text) {
			all = append(all, text)
		}
	}
	return all
}

func (im *Image) findSection(name string) (offset, size uint64, ok bool) {
	if im.sections.names >= im.sections.count {
		return 0, 0, false
	}
	table := im.section(im.sections.names)
	if table == nil {
		return 0, 0, false
	}
	names := binary.LittleEndian.Uint64(table[24:])
	want := append([]byte(name), 0)
	for i := range im.sections.count {
		s := im.section(i)
		if s == nil {
			return 0, 0, false
		}
		at := names + uint64(binary.LittleEndian.Uint32(s))
		if at >= names && bytes.Equal(im.src.all(at, len(want)), want) {
			return binary.LittleEndian.Uint64(s[24:]), binary.LittleEndian.Uint64(s[32:]), true
		}
	}
	return 0, 0, false
}

// readBuildID finds the note that the linker leaves.
func (im *Image) readBuildID() []byte {
	const gnuBuildID = 3
	for _, s := range im.notes {
		notes := im.src.all(s.offset, int(min(s.end-s.start, maxComment)))
		for len(notes) >= 12 {
			name, desc, kind := binary.LittleEndian.Uint32(notes), binary.LittleEndian.Uint32(notes[4:]), binary.LittleEndian.Uint32(notes[8:])
			from := 12 + (uint64(name)+3)&^3
			end := from + uint64(desc)
			if end > uint64(len(notes)) {
				break
			}
			if kind == gnuBuildID && string(notes[12:12+name]) == "GNU\x00" {
				return append([]byte(nil), notes[from:min(end, from+64)]...)
			}
			notes = notes[min(uint64(len(notes)), (end+3)&^3):]
		}
	}
	return nil
}
