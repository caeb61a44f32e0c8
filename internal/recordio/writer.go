package recordio

import (
	"io"
	"strconv"
	"sync"
)

// keep is the size up to which a buffer is kept between records: thousands of idle streams hold one each.
const keep = 64 << 10

// header is room for the longest length line: 19 digits of an int, and the line feed.
const header = 20

// Append appends the record to dst, framed, and returns the longer slice. It bounds nothing.
func Append(dst, record []byte) []byte {
	dst = strconv.AppendInt(dst, int64(len(record)), 10)
	dst = append(dst, '\n')
	return append(dst, record...)
}

// Writer writes records to a stream.
//
// Each record is one Write of the underlying writer, length line included, and one flush after it when that writer has a
// Flush method, as an http.ResponseWriter and a bufio.Writer have. Over HTTP a record so is one chunk, on which some
// clients depend, and has left the process when the call returns.
//
// Any number of goroutines may write; records do not mix. A call waits for the calls before it, without a bound of its
// own: what bounds it is the deadline of the connection. When the underlying writer has failed, part of a record may be
// on the wire, so from then on every call returns that first error and writes nothing. A record that is refused has not
// touched the stream.
type Writer struct {
	w     io.Writer
	limit int

	mu    sync.Mutex // guards what is below, and the order on the wire
	buf   []byte
	count int64
	err   error
}

// NewWriter returns a Writer on w that refuses records of more than limit bytes; 0 is [DefaultLimit].
func NewWriter(w io.Writer, limit int) *Writer {
	return &Writer{w: w, limit: orDefault(limit)}
}

// WriteRecord writes one record and flushes. It does not keep the slice. The error is an [*Error].
func (w *Writer) WriteRecord(record []byte) error {
	return w.WriteFunc(func(dst []byte) ([]byte, error) { return append(dst, record...), nil })
}

// WriteFunc writes the record that appendTo appends to the slice it is given, and flushes: the record is made where it is
// sent from and not copied. An error of appendTo is returned as it is, and nothing is written. Other writes wait while
// appendTo runs; it must not write to w, and must not keep the slice.
func (w *Writer) WriteFunc(appendTo func(dst []byte) ([]byte, error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	framed, err := w.frame(appendTo)
	if err != nil {
		return err
	}
	if err := w.send(framed); err != nil {
		w.err = &Error{Record: w.count, Err: err}
		w.buf = nil
		return w.err
	}
	w.count++
	return nil
}

// frame leaves room for the length in front of the record, and writes it there once it is known.
func (w *Writer) frame(appendTo func(dst []byte) ([]byte, error)) ([]byte, error) {
	buf, err := appendTo(append(w.buf[:0], make([]byte, header)...))
	if err != nil {
		return nil, err
	}
	length := len(buf) - header
	if length > w.limit {
		return nil, tooLarge(w.count, uint64(length), w.limit)
	}
	var line [header]byte
	text := append(strconv.AppendInt(line[:0], int64(length), 10), '\n')
	start := header - len(text)
	copy(buf[start:], text)
	w.buf = nil
	if cap(buf) <= keep {
		w.buf = buf
	}
	return buf[start:], nil
}

func (w *Writer) send(framed []byte) error {
	n, err := w.w.Write(framed)
	if err == nil && n < len(framed) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return err
	}
	switch f := w.w.(type) {
	case interface{ FlushError() error }: // http.ResponseWriter, where Flush hides what went wrong
		return f.FlushError()
	case interface{ Flush() error }:
		return f.Flush()
	case interface{ Flush() }:
		f.Flush()
	}
	return nil
}
