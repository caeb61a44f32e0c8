package registry

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"google.golang.org/protobuf/proto"
)

// books is a transaction that keeps the sums right. changed says whether anything but
// a sum was changed.
type books struct {
	tx
	sums    map[bucket]*sum
	changed bool
}

// sum is what is known of a bucket besides its records. The sum over the records does
// not depend on their order, so that it can follow single changes.
type sum struct {
	records, bytes, hash uint64
}

const sumBytes = 3 * 8

func decodeSum(b []byte) (*sum, error) {
	switch len(b) {
	case 0:
		return &sum{}, nil // a bucket that was never written to
	case sumBytes:
		return &sum{
			records: binary.BigEndian.Uint64(b),
			bytes:   binary.BigEndian.Uint64(b[8:]),
			hash:    binary.BigEndian.Uint64(b[16:]),
		}, nil
	default:
		return nil, fmt.Errorf("its sum has %d bytes instead of %d", len(b), sumBytes)
	}
}

func (s *sum) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, sumBytes), s.records)
	b = binary.BigEndian.AppendUint64(b, s.bytes)
	return binary.BigEndian.AppendUint64(b, s.hash)
}

func (s *sum) add(key string, value []byte) {
	s.records++
	s.bytes += uint64(len(key) + len(value))
	s.hash += hash(key, value)
}

func (s *sum) remove(key string, value []byte) {
	s.records--
	s.bytes -= uint64(len(key) + len(value))
	s.hash -= hash(key, value)
}

func hash(key string, value []byte) uint64 {
	h := fnv.New64a()
	h.Write(binary.AppendUvarint(nil, uint64(len(key))))
	h.Write([]byte(key))
	h.Write(value)
	return h.Sum64()
}

func (b *books) sum(of bucket) (*sum, error) {
	if s, ok := b.sums[of]; ok {
		return s, nil
	}
	s, err := decodeSum(b.get(sums, string(of)))
	if err != nil {
		return nil, &DamagedError{Problem: fmt.Sprintf("bucket %s: %v", of, err)}
	}
	if b.sums == nil {
		b.sums = map[bucket]*sum{}
	}
	b.sums[of] = s
	return s, nil
}

func (b *books) put(to bucket, key string, value []byte) error {
	s, err := b.sum(to)
	if err != nil {
		return err
	}
	if old := b.get(to, key); old != nil {
		s.remove(key, old)
	}
	s.add(key, value)
	b.changed = true
	return b.tx.put(to, key, value)
}

// drop removes a record, if it is there.
func (b *books) drop(from bucket, key string) error {
	old := b.get(from, key)
	if old == nil {
		return nil
	}
	s, err := b.sum(from)
	if err != nil {
		return err
	}
	s.remove(key, old)
	b.changed = true
	return b.delete(from, key)
}

// finish writes the sums of all buckets that were changed. It comes last.
func (b *books) finish() error {
	for _, of := range summed {
		if s, ok := b.sums[of]; ok {
			if err := b.tx.put(sums, string(of), s.encode()); err != nil {
				return err
			}
		}
	}
	return nil
}

// size is how many bytes all records have.
func (b *books) size() int64 {
	var bytes uint64
	for _, of := range summed {
		if s, err := b.sum(of); err == nil {
			bytes += s.bytes
		}
	}
	return int64(bytes)
}

// verify holds if the records are those that were written.
func (b *books) verify() error {
	if got := string(b.get(general, formatKey)); got != format {
		if got == "" {
			return &DamagedError{Problem: "it does not say its format"}
		}
		return fmt.Errorf("its format is %q, and this master knows %q only: start the master that wrote it", got, format)
	}
	for _, of := range summed {
		want, err := b.sum(of)
		if err != nil {
			return err
		}
		var got sum
		err = b.each(of, func(key string, value []byte) error {
			got.add(key, value)
			return nil
		})
		if err != nil {
			return err
		}
		if got != *want {
			return &DamagedError{Problem: fmt.Sprintf("bucket %s has %d records of %d bytes where %d of %d bytes were written, or others than those",
				of, got.records, got.bytes, want.records, want.bytes)}
		}
	}
	return nil
}

func initialize(t tx) error {
	b := &books{tx: t}
	if err := b.put(general, formatKey, []byte(format)); err != nil {
		return err
	}
	return b.finish()
}

func encode(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// decode reads a record of a bucket.
func decode(of bucket, key string, value []byte, m proto.Message) error {
	if err := proto.Unmarshal(value, m); err != nil {
		return &DamagedError{Problem: fmt.Sprintf("record %q of bucket %s cannot be read: %v", key, of, err)}
	}
	return nil
}
