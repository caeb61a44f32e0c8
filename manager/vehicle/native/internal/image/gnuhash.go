package image

import "encoding/binary"

// gnuHash is the hash table that the loader itself looks symbols up in. It makes
// lookups in large system libraries cheap without a table of our own.
type gnuHash struct {
	offset  uint32 // index of the first symbol in the table
	buckets []byte
	chains  []byte
}

func (h gnuHash) present() bool { return len(h.buckets) > 0 }

// readGNUHash also counts the symbols: the last chain ends with the last of them.
func (im *Image) readGNUHash(at uint64) (h gnuHash, count int, ok bool) {
	head := im.table(at, 16)
	if head == nil {
		return h, 0, false
	}
	buckets, offset, bloom := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	if buckets == 0 || buckets > maxSymbols || bloom > maxSymbols || offset > maxSymbols {
		return h, 0, false
	}
	bucketsAt := at + 16 + 8*uint64(bloom)
	h.offset = offset
	if h.buckets = im.table(bucketsAt, 4*uint64(buckets)); h.buckets == nil {
		return h, 0, false
	}
	last := uint32(0)
	for b := h.buckets; len(b) >= 4; b = b[4:] {
		last = max(last, binary.LittleEndian.Uint32(b))
	}
	if last < offset {
		return h, 0, true // nothing is exported
	}
	chainsAt := bucketsAt + 4*uint64(buckets)
	for ; ; last++ {
		if last > maxSymbols {
			return h, 0, false
		}
		entry := im.table(chainsAt+4*uint64(last-offset), 4)
		if entry == nil {
			return h, 0, false
		}
		if entry[0]&1 != 0 {
			break
		}
	}
	h.chains = im.table(chainsAt, 4*uint64(last-offset+1))
	return h, int(last) + 1, h.chains != nil
}

// find walks one chain.
func (h gnuHash) find(x *Exports, name string) bool {
	hash := uint32(5381)
	for i := range len(name) {
		hash = hash*33 + uint32(name[i])
	}
	bucket := hash % uint32(len(h.buckets)/4)
	i := binary.LittleEndian.Uint32(h.buckets[4*bucket:])
	if i < h.offset {
		return false
	}
	for ; ; i++ {
		at := 4 * uint64(i-h.offset)
		if at+4 > uint64(len(h.chains)) {
			return false
		}
		entry := binary.LittleEndian.Uint32(h.chains[at:])
		if entry|1 == hash|1 && int(i) < x.count() && x.defined(int(i)) && x.named(int(i), name) {
			return true
		}
		if entry&1 != 0 {
			return false
		}
	}
}
