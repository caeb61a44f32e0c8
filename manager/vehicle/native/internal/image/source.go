package image

import "io"

const (
	chunkSize = 16 << 10
	maxChunks = 512      // 8 MiB of file content at most are kept
	maxTable  = 64 << 20 // the largest table that is read as one
)

// source reads a file in chunks, so that the many small reads of one image cost
// a few system calls. It is not safe for concurrent use.
type source struct {
	r      io.ReaderAt
	size   uint64
	chunks map[uint64][]byte
}

// some returns up to n bytes at off: fewer at the end of a chunk or of the file.
// The slice must not be written to.
func (s *source) some(off uint64, n int) []byte {
	if off >= s.size || n <= 0 {
		return nil
	}
	start := off - off%chunkSize
	chunk, ok := s.chunks[start]
	if !ok {
		chunk = make([]byte, min(chunkSize, s.size-start))
		read, err := s.r.ReadAt(chunk, int64(start))
		if err != nil && err != io.EOF {
			return nil
		}
		chunk = chunk[:read]
		if len(s.chunks) >= maxChunks {
			clear(s.chunks)
		}
		s.chunks[start] = chunk
	}
	from := off - start
	if from >= uint64(len(chunk)) {
		return nil
	}
	return chunk[from:min(uint64(len(chunk)), from+uint64(n))]
}

// all returns exactly n bytes at off, or nil. The slice must not be written to.
func (s *source) all(off uint64, n int) []byte {
	if n <= 0 || off > s.size || uint64(n) > s.size-off {
		return nil
	}
	if b := s.some(off, n); len(b) == n {
		return b
	}
	b := make([]byte, n)
	if _, err := s.r.ReadAt(b, int64(off)); err != nil {
		return nil
	}
	return b
}
