package recordio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxDigits bounds a length line: as many digits as the greatest 64-bit number has.
const maxDigits = 20

// step is how much memory is taken at first on the word of a length alone.
const step = 64 << 10

// Reader reads records from a stream, however the stream is cut. It is not for use by several goroutines at a time.
type Reader struct {
	r     *bufio.Reader
	limit int
	line  [maxDigits + 1]byte // and what follows the digits, for an error
	buf   []byte
	count int64
	err   error
}

// NewReader returns a Reader on r that refuses records of more than limit bytes; 0 is [DefaultLimit]. It reads ahead.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{r: bufio.NewReader(r), limit: orDefault(limit)}
}

// Next returns the next record. The slice is the reader's and holds until the next call. A length of 0 is an empty
// record, and leading zeros are nothing, as in Mesos.
//
// At the end of the stream Next returns io.EOF, and an [*Error] if there is no whole record any more; either is returned
// from then on.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	record, err := r.next()
	if err != nil {
		r.buf = nil
		r.err = err
		return nil, err
	}
	r.count++
	return record, nil
}

func (r *Reader) next() ([]byte, error) {
	length, err := r.length()
	if err != nil {
		return nil, err
	}
	if length > uint64(max(r.limit, 0)) {
		return nil, tooLarge(r.count, length, r.limit)
	}
	return r.body(int(length))
}

// length reads the line before a record.
func (r *Reader) length() (uint64, error) {
	line := r.line[:0]
	for {
		c, err := r.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return 0, io.EOF
		case err != nil:
			return 0, r.broken(err)
		case c == '\n' && len(line) > 0:
			length, err := strconv.ParseUint(string(line), 10, 64)
			if err != nil { // twenty digits, and more than 64 bits
				return 0, &Error{Record: r.count, Detail: fmt.Sprintf("%s bytes, at most %d", line, r.limit), Err: ErrTooLarge}
			}
			return length, nil
		case c < '0' || c > '9' || len(line) == maxDigits:
			return 0, &Error{Record: r.count, Detail: strconv.Quote(string(append(line, c))), Err: ErrLength}
		}
		line = append(line, c)
	}
}

// body reads a record, and takes memory as its bytes arrive: half-open peers announce what they never send.
func (r *Reader) body(length int) ([]byte, error) {
	if cap(r.buf) > keep {
		r.buf = nil
	}
	buf := r.buf[:0]
	for len(buf) < length {
		have := len(buf)
		part := min(length-have, max(step, have))
		buf = append(buf, make([]byte, part)...)
		if _, err := io.ReadFull(r.r, buf[have:]); err != nil {
			return nil, r.broken(err)
		}
	}
	r.buf = buf
	return buf, nil
}

// broken is the error of a stream that ends, or fails, inside a record.
func (r *Reader) broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &Error{Record: r.count, Err: err}
}
