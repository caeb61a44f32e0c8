package testharness

import (
	"slices"
	"sync"
)

// Journal is what modules write down, in the order in which it happened. The zero
// value is empty. Safe for concurrent use.
type Journal struct {
	mu    sync.Mutex
	lines []string
}

// Add appends one line.
func (j *Journal) Add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// Lines returns a copy of all lines.
func (j *Journal) Lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}
