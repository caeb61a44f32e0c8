package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"
)

// errCut says that a record is not there as a whole: who wrote it was killed.
var errCut = errors.New("the record is cut off")

// lengthSize is that of the length before a message.
const lengthSize = 4

// record is a message as it is in a file.
func record(m proto.Message) ([]byte, error) {
	size := proto.Size(m)
	if size > math.MaxInt32 {
		return nil, fmt.Errorf("a message of %d bytes is too long", size)
	}
	b := binary.NativeEndian.AppendUint32(make([]byte, 0, lengthSize+size), uint32(size))
	return proto.MarshalOptions{UseCachedSize: true, Deterministic: true}.MarshalAppend(b, m)
}

// next takes a record off the front of b. It is errCut if there is less than one.
func next(b []byte, m proto.Message) (rest []byte, err error) {
	if len(b) < lengthSize {
		return b, errCut
	}
	size := binary.NativeEndian.Uint32(b)
	if uint64(size) > uint64(len(b)-lengthSize) {
		return b, errCut
	}
	end := lengthSize + int(size)
	if err := proto.Unmarshal(b[lengthSize:end], m); err != nil {
		return b, fmt.Errorf("the record makes no sense: %w", err)
	}
	return b[end:], nil
}

func trimmed(b []byte) []byte { return bytes.TrimSpace(b) }
