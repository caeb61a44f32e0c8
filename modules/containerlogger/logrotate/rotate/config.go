// Package rotate is the program that takes the output of one container: a small process
// that reads what the container writes and puts it into files, which it rotates. It lives
// as long as somebody in the container has the output open, and so longer than the agent
// may.
//
// It links little: one runs beside every container.
package rotate

import "time"

// Config is what the program is told on standard input, as JSON.
type Config struct {
	Streams []Stream

	// User is who the program becomes once it has the pipes; nil: it stays as it is.
	User *User `json:",omitempty"`

	// Wait is how long the container may take to open its output.
	Wait time.Duration
}

// Stream is one output of the container.
type Stream struct {
	// Pipe is the named pipe that the container writes to.
	Pipe string

	// File is where its output goes. What was rotated away is beside it, with a number
	// behind a dot, 1 for the newest.
	File string

	// MaxSize is how long a file gets, in bytes. MaxFiles is how many files are kept
	// that were rotated away.
	MaxSize  int64
	MaxFiles int

	// Compress packs files that were rotated away, by gzip; ".gz" is behind the number.
	Compress bool `json:",omitempty"`
}

// User is a numeric user with all groups.
type User struct {
	UID, GID int
	Groups   []int
}

// Reports is the number of the file that the program inherits for what it says: words in
// lines, the first of them one of those below. It is closed when the program ends. Whoever
// reads there may go away at any time.
const Reports = 3

// What the program says.
const (
	Ready = "ready" // the container may open its output
	Lost  = "lost"  // a number of bytes, and why
	Fault = "fault" // what went wrong; output goes on
)
