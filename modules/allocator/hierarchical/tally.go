package hierarchical

import "time"

// tally counts the filters of each slot, of all agents together, by the second in which
// they end: filters are as many as agents times members, and to count them one by one
// would take as long as a run.
type tally struct {
	slots []map[int64]int // by slot, then by second
}

// count adds to the filters that end at some time.
func (t *tally) count(slot uint32, until moment, by int) {
	for int(slot) >= len(t.slots) {
		t.slots = append(t.slots, nil)
	}
	ends := t.slots[slot]
	if ends == nil {
		ends = map[int64]int{}
		t.slots[slot] = ends
	}
	second := int64((until.time() + time.Second - 1) / time.Second)
	if _, known := ends[second]; !known && by < 0 {
		return // had ended
	}
	if ends[second] += by; ends[second] == 0 {
		delete(ends, second)
	}
}

// active is how many filters of a slot have not ended, to the second. It forgets the
// others.
func (t *tally) active(slot uint32, now time.Duration) (n int) {
	if int(slot) >= len(t.slots) {
		return 0
	}
	for second, count := range t.slots[slot] {
		if time.Duration(second)*time.Second <= now {
			delete(t.slots[slot], second)
			continue
		}
		n += count
	}
	return n
}
