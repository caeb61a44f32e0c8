package vm

// What things take at most, in bytes, as measured by the tests. Numbers lie in blocks of 32,
// of which one keeps all: one that is stored in a table gets a place of its own, but
// elsewhere each may keep a block.
const (
	tableBytes   = 256
	firstBytes   = 2560     // of the first field of a table that was made with values only
	fieldBytes   = 512      // a field with a name, or any key but those of lists
	slotBytes    = 56       // of a list: it grows by doubling
	firstSlot    = 640      // the first of a list
	numberBytes  = 8 * 32   // a block
	closureBytes = 256      // a function without what it keeps
	upvalueBytes = 64 + 256 // a variable that it keeps
	stringBytes  = 32       // a string without its text
)
