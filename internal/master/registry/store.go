package registry

import (
	"errors"
	"maps"
	"slices"
)

// bucket is a set of records under keys.
type bucket string

// The buckets, in the order in which they are verified.
const (
	general     bucket = "general" // single records: see the keys below
	agents      bucket = "agents"
	unreachable bucket = "unreachable"
	gone        bucket = "gone"
	weights     bucket = "weights"
	quotas      bucket = "quotas"
	sums        bucket = "sums" // a sum for each bucket but this one
)

var summed = []bucket{general, agents, unreachable, gone, weights, quotas}

// The records of general.
const (
	formatKey = "format" // of the buckets, the records and their sums
	masterKey = "master"
	restKey   = "rest" // a Registry of what is only imported and exported
)

const format = "1"

// errUnchanged is returned by the function of an update that has nothing to keep.
var errUnchanged = errors.New("unchanged")

// store is where the registry is. It is used by one goroutine at a time.
type store interface {
	view(func(tx) error) error

	// update keeps all that the function changes, or, if it or the keeping fails,
	// nothing. The function's error is returned.
	update(func(tx) error) error

	close() error
}

// tx is how a store is seen and changed. Values that are got belong to the store and
// are there until the transaction ends; values that are put belong to the store.
type tx interface {
	get(b bucket, key string) []byte // nil: there is none
	put(b bucket, key string, value []byte) error
	delete(b bucket, key string) error
	each(b bucket, do func(key string, value []byte) error) error // in order of keys
}

// memory is a store in memory.
type memory struct {
	records map[bucket]map[string][]byte
	undo    []func() // of the update that goes on, to be called backwards
}

func newMemory() *memory {
	m := &memory{records: map[bucket]map[string][]byte{sums: {}}}
	for _, b := range summed {
		m.records[b] = map[string][]byte{}
	}
	// Like a file, it says its format from the first moment.
	if err := m.update(func(t tx) error { return initialize(t) }); err != nil {
		panic("registry: " + err.Error()) // memory does not fail
	}
	return m
}

func (m *memory) view(do func(tx) error) error { return do(m) }

func (m *memory) update(do func(tx) error) error {
	m.undo = nil
	err := do(m)
	if err != nil {
		for _, undo := range slices.Backward(m.undo) {
			undo()
		}
	}
	m.undo = nil
	return err
}

func (m *memory) close() error { return nil }

func (m *memory) get(b bucket, key string) []byte { return m.records[b][key] }

func (m *memory) put(b bucket, key string, value []byte) error {
	m.remember(b, key)
	m.records[b][key] = value
	return nil
}

func (m *memory) delete(b bucket, key string) error {
	m.remember(b, key)
	delete(m.records[b], key)
	return nil
}

func (m *memory) remember(b bucket, key string) {
	old, had := m.records[b][key]
	m.undo = append(m.undo, func() {
		if had {
			m.records[b][key] = old
		} else {
			delete(m.records[b], key)
		}
	})
}

func (m *memory) each(b bucket, do func(string, []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(m.records[b])) {
		if err := do(key, m.records[b][key]); err != nil {
			return err
		}
	}
	return nil
}
