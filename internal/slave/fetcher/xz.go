package fetcher

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxDictionary is how much memory an xz file may want; its strongest preset wants 64 MiB.
const maxDictionary = 128 << 20

// Numbers of the xz file format, version 1.2.1.
const (
	xzHeader     = 12 // bytes of a stream's header, and of its footer
	xzMagic      = "\xfd7zXZ\x00"
	xzFooter     = "YZ"
	lzma2        = 0x21
	maxXZIndex   = 64 << 20
	maxXZStreams = 1000
)

var errXZ = errors.New("this is not an xz file")

// checkXZ refuses an xz file one of whose blocks wants a dictionary that is too large. The library that unpacks it takes
// memory as a block's header says, for each block anew, and does not let itself be bounded. Blocks are found by the
// indexes, from the file's end. Afterwards the file is read from its beginning.
func checkXZ(file *os.File) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	for range maxXZStreams {
		if end, err = checkXZStream(file, end); err != nil {
			return err
		}
		if end == 0 {
			_, err = file.Seek(0, io.SeekStart)
			return err
		}
	}
	return fmt.Errorf("more than %d streams in one xz file", maxXZStreams)
}

// checkXZStream looks at the stream that ends at a position, padding aside, and returns where it begins.
func checkXZStream(file *os.File, end int64) (int64, error) {
	var footer [xzHeader]byte
	for { // padding is a multiple of four zero bytes
		if end < 2*xzHeader {
			return 0, errXZ
		}
		if _, err := file.ReadAt(footer[:], end-xzHeader); err != nil {
			return 0, err
		}
		if binary.LittleEndian.Uint32(footer[8:]) != 0 {
			break
		}
		end -= 4
	}
	if string(footer[10:]) != xzFooter {
		return 0, errXZ
	}
	size := (int64(binary.LittleEndian.Uint32(footer[4:])) + 1) * 4
	start := end - xzHeader - size
	if size > maxXZIndex || start < xzHeader {
		return 0, errXZ
	}
	blocks, err := xzIndex(io.NewSectionReader(file, start, size))
	if err != nil {
		return 0, err
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		if start -= blocks[i]; start < xzHeader {
			return 0, errXZ
		}
		if err := checkXZBlock(file, start); err != nil {
			return 0, err
		}
	}
	var header [len(xzMagic)]byte
	if _, err := file.ReadAt(header[:], start-xzHeader); err != nil {
		return 0, err
	}
	if string(header[:]) != xzMagic {
		return 0, errXZ
	}
	return start - xzHeader, nil
}

// xzIndex reads the sizes of a stream's blocks, padding included.
func xzIndex(from io.Reader) ([]int64, error) {
	index := bufio.NewReader(from)
	if mark, err := index.ReadByte(); err != nil || mark != 0 {
		return nil, errXZ
	}
	count, err := binary.ReadUvarint(index)
	if err != nil {
		return nil, errXZ
	}
	var blocks []int64
	for range count {
		size, err := binary.ReadUvarint(index)
		if err != nil || size > 1<<62 {
			return nil, errXZ
		}
		if _, err := binary.ReadUvarint(index); err != nil { // unpacked
			return nil, errXZ
		}
		blocks = append(blocks, int64(size+3)&^3)
	}
	return blocks, nil
}

// checkXZBlock looks at the filters in the header of a block.
func checkXZBlock(file *os.File, at int64) error {
	header := bufio.NewReader(io.NewSectionReader(file, at, 1024))
	size, err := header.ReadByte()
	if err != nil || size == 0 {
		return errXZ
	}
	flags, err := header.ReadByte()
	if err != nil {
		return errXZ
	}
	for _, present := range []byte{0x40, 0x80} { // sizes, which may be there
		if flags&present != 0 {
			if _, err := binary.ReadUvarint(header); err != nil {
				return errXZ
			}
		}
	}
	for range flags&3 + 1 {
		filter, err := binary.ReadUvarint(header)
		if err != nil {
			return errXZ
		}
		length, err := binary.ReadUvarint(header)
		if err != nil || length > 64 {
			return errXZ
		}
		properties := make([]byte, length)
		if _, err := io.ReadFull(header, properties); err != nil {
			return errXZ
		}
		if filter == lzma2 && length == 1 && dictionary(properties[0]) > maxDictionary {
			return fmt.Errorf("it wants %d bytes of memory to be unpacked, of %d allowed", dictionary(properties[0]), maxDictionary)
		}
	}
	return nil
}

// dictionary is the size that the properties of an LZMA2 filter stand for.
func dictionary(bits byte) uint64 {
	if bits >= 40 {
		return 1<<32 - 1
	}
	return uint64(2|bits&1) << (bits/2 + 11)
}
