package descriptor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is believed.
const (
	maxText     = 4096
	maxName     = 256
	maxRecord   = 64 << 10 // a descriptor's own size
	maxElements = 1024
	maxStride   = 4096
)

// record is one struct in memory. What it is too short for reads as absent, which
// is how a library built with an older header is read; what it is longer by is
// not looked at, which is how a newer one is.
type record struct {
	m     Memory
	at    uint64
	size  uint64
	flaws *[]string
}

func (r record) flaw(format string, args ...any) {
	*r.flaws = append(*r.flaws, fmt.Sprintf(format, args...))
}

func (r record) has(offset, n uint64) bool { return offset+n <= r.size }

func (r record) uint32(offset uint64) uint32 {
	if !r.has(offset, 4) {
		return 0
	}
	if b := exactly(r.m, r.at+offset, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// function reports whether a function is given. Where it is does not matter.
func (r record) function(offset uint64, field string) bool {
	if !r.has(offset, 8) {
		return false
	}
	value, outside, ok := r.m.Pointer(r.at + offset)
	if !ok {
		r.flaw("%s is no address", field)
	}
	return outside || value != 0
}

// pointer returns the address of an array or text; 0 if there is none, or none
// that can be followed.
func (r record) pointer(offset uint64, field string) uint64 {
	if !r.has(offset, 8) {
		return 0
	}
	value, outside, ok := r.m.Pointer(r.at + offset)
	switch {
	case !ok:
		r.flaw("%s is no address", field)
	case outside:
		r.flaw("%s lies in another library", field)
	default:
		return value
	}
	return 0
}

// optional reads a text that may be absent.
func (r record) optional(offset uint64, field string, limit int) (text string, given bool) {
	before := len(*r.flaws)
	at := r.pointer(offset, field)
	if at == 0 {
		return "", len(*r.flaws) > before
	}
	return r.text(at, field, limit), true
}

// required reads a text that must not be null.
func (r record) required(offset uint64, field string, limit int) string {
	text, given := r.optional(offset, field, limit)
	if !given {
		r.flaw("%s is null", field)
	}
	return text
}

// text reads a terminated text and repairs what is not fit to be shown.
func (r record) text(at uint64, field string, limit int) string {
	var raw []byte
	for {
		// The steps stay within 256 bytes of an aligned address, so that none of
		// them crosses from a readable page into one that is not.
		piece := r.m.Read(at+uint64(len(raw)), int(256-(at+uint64(len(raw)))%256))
		if len(piece) == 0 {
			if len(raw) == 0 {
				r.flaw("%s lies outside the library", field)
			} else {
				r.flaw("%s has no end", field)
			}
			break
		}
		if end := bytes.IndexByte(piece, 0); end >= 0 {
			raw = append(raw, piece[:end]...)
			break
		}
		raw = append(raw, piece...)
		if len(raw) > limit {
			break
		}
	}
	if len(raw) > limit {
		r.flaw("%s is longer than %d bytes", field, limit)
		raw = raw[:limit]
		for len(raw) > 0 && !utf8.RuneStart(raw[len(raw)-1]) {
			raw = raw[:len(raw)-1]
		}
		if len(raw) > 0 && raw[len(raw)-1] >= utf8.RuneSelf {
			raw = raw[:len(raw)-1]
		}
	}
	if !utf8.Valid(raw) {
		r.flaw("%s is not UTF-8", field)
	}
	control := false
	clean := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			control = true
			return utf8.RuneError
		}
		return c
	}, string(raw))
	if control {
		r.flaw("%s holds control characters", field)
	}
	return clean
}

// array checks the place, count and stride of an array and returns its elements
// as records.
func (r record) array(offset, countAt, strideAt uint64, field string, least uint64) []record {
	count, stride := r.uint32(countAt), uint64(r.uint32(strideAt))
	at := r.pointer(offset, field)
	switch {
	case count == 0:
		return nil
	case count > maxElements:
		r.flaw("%s: %d of them are more than %d", field, count, maxElements)
		return nil
	case at == 0:
		r.flaw("%s is null, and %d of them are announced", field, count)
		return nil
	case stride < least || stride > maxStride:
		r.flaw("%s: the size %d of one of them is not between %d and %d", field, stride, least, maxStride)
		return nil
	}
	last := at + uint64(count-1)*stride
	if last < at || exactly(r.m, last, int(least)) == nil {
		r.flaw("%s: %d of them reach beyond the library", field, count)
		return nil
	}
	all := make([]record, count)
	for i := range all {
		all[i] = record{m: r.m, at: at + uint64(i)*stride, size: stride, flaws: r.flaws}
	}
	return all
}
