package mesosjson

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

// appendString appends a string in quotes. Only what JSON demands is escaped; what is not UTF-8 is replaced.
func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := decodeRune(s[i:])
			if r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = utf8.AppendRune(dst, utf8.RuneError)
		} else {
			dst = append(dst, s[start:i]...)
			dst = appendEscaped(dst, c)
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func decodeRune[T string | []byte](s T) (rune, int) {
	var head [utf8.UTFMax]byte
	return utf8.DecodeRune(head[:copy(head[:], s)])
}

const upperHex = "0123456789ABCDEF"

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&0xf])
	}
}

// appendDouble appends the fewest digits that read back as the same double: plain from 1e-6 up to below 1e21, and then
// with at least one digit after the point, else with an exponent that has neither plus sign nor leading zero.
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	start := len(dst)
	if size := math.Abs(f); size == 0 || size >= 1e-6 && size < 1e21 {
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		if bytes.IndexByte(dst[start:], '.') < 0 {
			dst = append(dst, '.', '0')
		}
		return dst
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64) // 1.5e+21, 1e-07
	mark := start + bytes.IndexByte(dst[start:], 'e') + 1
	exponent := dst[mark:]
	if exponent[0] == '-' {
		exponent = exponent[1:]
		mark++
	}
	return append(dst[:mark], bytes.TrimLeft(exponent, "+0")...)
}
