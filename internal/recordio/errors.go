package recordio

import (
	"errors"
	"fmt"
)

// DefaultLimit is the greatest length of a record in bytes where no other is given. Readers in the field stop there too.
const DefaultLimit = 4 << 20

var (
	// ErrLength says that the line before a record is not a decimal number.
	ErrLength = errors.New("the length is not a decimal number")
	// ErrTooLarge says that a record is longer than the limit.
	ErrTooLarge = errors.New("the record is longer than allowed")
)

// Error is what is wrong with a stream, and where. It wraps [ErrLength], [ErrTooLarge], io.ErrUnexpectedEOF for a stream
// that ends inside a record, or what the underlying reader or writer said.
type Error struct {
	Record int64  // number of the record, counted from 0
	Detail string // the offending text, or the figures; may be empty
	Err    error
}

// Error names the record.
func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("record %d: %v", e.Record, e.Err)
	}
	return fmt.Sprintf("record %d: %v: %s", e.Record, e.Err, e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// orDefault reads a limit as it is given: 0 stands for the default.
func orDefault(limit int) int {
	if limit == 0 {
		return DefaultLimit
	}
	return limit
}

func tooLarge(record int64, length uint64, limit int) error {
	return &Error{Record: record, Detail: fmt.Sprintf("%d bytes, at most %d", length, limit), Err: ErrTooLarge}
}
