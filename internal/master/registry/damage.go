package registry

import "fmt"

// DamagedError says that a registry is not what was written to it, and what can be
// done.
type DamagedError struct {
	File    string // empty: not known to whoever found the damage
	Problem string
}

// Error names the file and the way out.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the registry %s is damaged: %s. Put a copy of it in its place, or move it away and start with an empty one: "+
		"agents then register anew under new ids, and their tasks are lost", e.File, e.Problem)
}
