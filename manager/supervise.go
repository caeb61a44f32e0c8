package manager

import "fmt"

// LostError says that a module that the daemon cannot be without is lost for good: the
// process of its library, or of the library of a module that it requires, ended and
// could not be started again.
type LostError struct {
	Module   string
	Library  string // of the module whose process ended
	Attempts int    // to start it again, within the time of its limit
	Cause    error  // what the last of them failed with, or why the process ended
}

func (e *LostError) Error() string {
	return fmt.Sprintf("module %s is required, and lost: library %s was not started again after %d attempts: %v", e.Module, e.Library, e.Attempts, e.Cause)
}

func (e *LostError) Unwrap() error { return e.Cause }

// Failed gives one error, a *[LostError], when a module is lost for good that the
// manifest does not call optional and for which no other takes over. The daemon then
// stops, in order. The channel is never closed, and gives nothing in the ordinary course
// of things.
func (m *Manager) Failed() <-chan error { return m.failed }
