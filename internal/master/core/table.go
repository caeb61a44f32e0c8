package core

import "iter"

// table is a map that remembers the order in which its keys came. The zero table is
// empty and ready.
type table[K comparable, V any] struct {
	at   map[K]int
	rows []row[K, V]
}

type row[K comparable, V any] struct {
	key  K
	val  V
	live bool
}

func (t *table[K, V]) len() int { return len(t.at) }

func (t *table[K, V]) get(key K) (val V, ok bool) {
	i, ok := t.at[key]
	if !ok {
		return val, false
	}
	return t.rows[i].val, true
}

func (t *table[K, V]) has(key K) bool {
	_, ok := t.at[key]
	return ok
}

// put adds a key at the end, or replaces the value of one that is there in its place.
func (t *table[K, V]) put(key K, val V) {
	if i, ok := t.at[key]; ok {
		t.rows[i].val = val
		return
	}
	if t.at == nil {
		t.at = make(map[K]int)
	}
	t.at[key] = len(t.rows)
	t.rows = append(t.rows, row[K, V]{key, val, true})
}

func (t *table[K, V]) delete(key K) {
	i, ok := t.at[key]
	if !ok {
		return
	}
	delete(t.at, key)
	t.rows[i] = row[K, V]{}
	if dead := len(t.rows) - len(t.at); dead > 16 && dead > len(t.at) {
		t.compact()
	}
}

func (t *table[K, V]) compact() {
	rows := make([]row[K, V], 0, len(t.at)+1)
	for _, r := range t.rows {
		if r.live {
			t.at[r.key] = len(rows)
			rows = append(rows, r)
		}
	}
	t.rows = rows
}

// values are the values in order. The table must not change meanwhile; take
// snapshot where it does.
func (t *table[K, V]) values() iter.Seq[V] {
	return func(yield func(V) bool) {
		for i := range t.rows {
			if t.rows[i].live && !yield(t.rows[i].val) {
				return
			}
		}
	}
}

// keys are the keys in order, with the same rule.
func (t *table[K, V]) keys() iter.Seq[K] {
	return func(yield func(K) bool) {
		for i := range t.rows {
			if t.rows[i].live && !yield(t.rows[i].key) {
				return
			}
		}
	}
}

// snapshot are the values of this moment, in order.
func (t *table[K, V]) snapshot() []V {
	if len(t.at) == 0 {
		return nil
	}
	all := make([]V, 0, len(t.at))
	for v := range t.values() {
		all = append(all, v)
	}
	return all
}

// first is the oldest key.
func (t *table[K, V]) first() (key K, ok bool) {
	for i := range t.rows {
		if t.rows[i].live {
			return t.rows[i].key, true
		}
	}
	return key, false
}

// trim removes the oldest until no more than limit are left.
func (t *table[K, V]) trim(limit int) {
	for t.len() > max(limit, 0) {
		key, _ := t.first()
		t.delete(key)
	}
}
