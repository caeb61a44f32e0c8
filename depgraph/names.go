package depgraph

import "hash/maphash"

// nameTable finds modules by name: a hash table with open addressing over the modules themselves. It is no map for the sake
// of large graphs, whose texts lie all over the memory. There a look-up waits for the memory three times; many of them
// together, step by step, wait hardly longer than one.
type nameTable struct {
	modules []Module // sorted by name
	seed    maphash.Seed
	slots   []slot // a power of two, at most half of them taken
	count   int    // distinct names
}

// slot is a module, the first of its name, or nothing: node is one more than its number.
type slot struct {
	tag  uint32 // of the name's hash
	node int32
}

func newNameTable(modules []Module) nameTable {
	size := 2
	for size < 2*len(modules) {
		size *= 2
	}
	n := nameTable{modules: modules, seed: maphash.MakeSeed(), slots: make([]slot, size)}
	for i := range modules {
		if i > 0 && modules[i-1].Name == modules[i].Name {
			continue
		}
		hash := n.hash(modules[i].Name)
		at := n.place(hash)
		for n.slots[at].node != 0 {
			at = n.next(at)
		}
		n.slots[at] = slot{tag: tagOf(hash), node: int32(i) + 1}
		n.count++
	}
	return n
}

func (n *nameTable) hash(name string) uint64  { return maphash.String(n.seed, name) }
func (n *nameTable) place(hash uint64) uint64 { return hash & uint64(len(n.slots)-1) }
func (n *nameTable) next(at uint64) uint64    { return (at + 1) & uint64(len(n.slots)-1) }
func tagOf(hash uint64) uint32                { return uint32(hash >> 32) }

// find returns the number of the first module of a name.
func (n *nameTable) find(name string) (node int32, ok bool) { return n.findHashed(name, n.hash(name)) }

// numberOf is find for a name that is there; 0 for another one.
func (n *net) numberOf(name string) int32 {
	node, _ := n.byName.find(name)
	return node
}

func (n *nameTable) findHashed(name string, hash uint64) (node int32, ok bool) {
	for at := n.place(hash); ; at = n.next(at) {
		s := n.slots[at]
		if s.node == 0 {
			return 0, false
		}
		if s.tag == tagOf(hash) && n.modules[s.node-1].Name == name {
			return s.node - 1, true
		}
	}
}

// block is how many modules fetch goes through at a time: what it fetches fits into the nearest cache.
const block = 64

// fetch hashes the targets of the modules' edges, and has all memory fetched that looking them up needs. touched is there
// for the compiler, which would leave out what comes to nothing.
func (n *nameTable) fetch(modules []Module, hashes []uint64) (_ []uint64, touched byte) {
	for i := range modules {
		for j := range modules[i].Edges {
			e := &modules[i].Edges[j]
			hashes = append(hashes, n.hash(e.Target))
			touched += first(e.Constraint)
		}
	}
	for _, hash := range hashes {
		touched += byte(n.slots[n.place(hash)].node)
	}
	for _, hash := range hashes {
		if s := n.slots[n.place(hash)]; s.node != 0 {
			touched += first(n.modules[s.node-1].Name)
		}
	}
	return hashes, touched
}

func first(text string) byte {
	if text == "" {
		return 0
	}
	return text[0]
}
