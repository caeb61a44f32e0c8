package vehicle

import (
	"context"
	"fmt"
	"time"
)

// Launcher is a vehicle that can run a library in a process of its own: the vehicle
// of executables, which knows no other way, and what isolates the libraries of the
// vehicles that open theirs in the daemon. The process that is launched is the
// library's trial as well: nobody opens it in another child before.
type Launcher interface {
	// Launch starts a process from the file, has it open the library, and returns
	// the library with what it says of itself, which is complete. It runs no code of
	// the library in the daemon. d is what Recognise gave, and names the vehicle
	// that the process opens the file by.
	//
	// The file is opened once: what is looked at, checked against f and run is the
	// same, whatever happens to the path meanwhile. An error is a *Refusal or wraps a
	// *GoneError; nothing is left of the process then.
	Launch(ctx context.Context, f File, d Description, c Confinement) (Mortal, Description, error)
}

// Mortal is an open library whose code runs in a process that can end at any time. Its
// instances then answer every call, those under way included, with an error that
// wraps a *GoneError.
type Mortal interface {
	Library

	// Gone is closed when the process has ended, or was ended because it hung or
	// broke the rules of the connection. Cause is why: nil before, a *GoneError
	// after. A library that was closed is gone as well, with ErrClosed as cause.
	Gone() <-chan struct{}
	Cause() *GoneError

	// Again starts another process from the very file that this one was started
	// from, also where the path leads to another by now. What it says of itself has
	// to be the same. It is for a library that is gone; that one stays so.
	Again(ctx context.Context) (Mortal, error)

	// PID is the process's number, for reports.
	PID() int
}

// Confinement is what the process of a library may do and use. The zero value gives
// it what the daemon itself has, but for the environment.
type Confinement struct {
	Memory          int64    // bytes; 0: no limit
	CPUs            float64  // processors' worth of time; 0: no limit
	OpenFiles       uint64   // 0: the daemon's limit
	User            string   // a name or number, or both of user and group as user:group; empty: the daemon's
	NoNewPrivileges bool     // also implied by Seccomp and the two lists of paths
	Seccomp         string   // name of a set of system calls; empty: all
	ReadOnly        []string // folders and files that it may read; with ReadWrite nothing else may be touched
	ReadWrite       []string
	Environment     []string // KEY=value, beside the few that every process gets

	// Heartbeat is how long the process may leave a sign of life unanswered before it
	// counts as hung; 0: DefaultHeartbeat.
	Heartbeat time.Duration
}

// DefaultHeartbeat is how long a process may be silent.
const DefaultHeartbeat = 10 * time.Second

// Confined reports whether anything is limited.
func (c Confinement) Confined() bool {
	return c.Memory != 0 || c.CPUs != 0 || c.OpenFiles != 0 || c.User != "" || c.NoNewPrivileges || c.Seccomp != "" ||
		len(c.ReadOnly) > 0 || len(c.ReadWrite) > 0
}

// End is how the process of a library ended.
type End int

const (
	EndUnknown  End = iota
	EndExited       // by itself, with a status
	EndSignaled     // by a signal, which may be a crash of its own
	EndMemory       // over its memory
	EndHung         // it gave no sign of life, and was killed
	EndDisorder     // it broke the rules of the connection, and was killed
	EndClosed       // it was asked to end, because the library was closed
)

// String names the end as events, metrics and documents do.
func (e End) String() string {
	switch e {
	case EndUnknown:
		return "unknown"
	case EndExited:
		return "exited"
	case EndSignaled:
		return "signaled"
	case EndMemory:
		return "memory"
	case EndHung:
		return "hung"
	case EndDisorder:
		return "disorder"
	case EndClosed:
		return "closed"
	default:
		return fmt.Sprintf("end %d", int(e))
	}
}

// GoneError is what a call gets whose module is in a process that has ended. A call
// that was under way may have had its effect.
type GoneError struct {
	Module  string // empty where the whole library is meant
	Library string // path of its file
	PID     int
	End     End
	Detail  string // "signal SIGSEGV", "exit status 2", "no sign of life for 10s"; for people
	Said    string // the end of what it wrote to its standard error, on one line; may be empty
}

func (e *GoneError) Error() string {
	whose := "the process of library " + e.Library
	if e.Module != "" {
		whose = fmt.Sprintf("module %s: the process of its library %s", e.Module, e.Library)
	}
	text := fmt.Sprintf("%s (pid %d) is gone: %s", whose, e.PID, e.Detail)
	if e.Said != "" {
		text += "; it said: " + e.Said
	}
	return text
}
