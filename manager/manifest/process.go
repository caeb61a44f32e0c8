package manifest

import (
	"slices"
	"time"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// Isolation is where the code of a library runs: the key "isolation" of a library, an extension.
type Isolation string

// The isolations. What is left out is decided by the daemon's flag.
const (
	IsolationUnsaid  Isolation = ""
	IsolationNone    Isolation = "none"    // in the daemon itself, if the library's vehicle can do that
	IsolationProcess Isolation = "process" // in a process of its own
)

// Process says what the process of an isolated library may do and use, and how it is started again: the key "process" of a
// library, an extension. What is left out is not limited, or the daemon's default.
type Process struct {
	Memory          int64   // bytes
	CPUs            float64 // processors' worth of time
	OpenFiles       uint64
	User            string // a name or number; of user and group as user:group
	NoNewPrivileges bool
	Seccomp         string   // name of a set of system calls
	ReadOnly        []string // absolute paths that it may read
	ReadWrite       []string // and write; beside those of both lists it may touch nothing
	Environment     []Variable
	Heartbeat       time.Duration
	Restart         Restart
	At              Position // of the key's value
}

// Variable is one variable of a process's environment. The name is never empty. The value may be a secret.
type Variable struct{ Name, Value string }

// Restart says how the process of a library is started again that has ended. 0 stands for the daemon's default.
type Restart struct {
	Limit   int           // how often within Within; [Never] for not at all
	Within  time.Duration // the time over which starts are counted
	Backoff time.Duration // the wait before the first; it doubles each time
	Longest time.Duration // the longest wait
}

// Never is the limit of a [Restart] that must not be tried. The text says 0.
const Never = -1

// Policy is what happens when a module's process has ended and cannot be started again.
type Policy string

// The policies.
const (
	PolicyUnsaid   Policy = ""         // counts as Required
	PolicyRequired Policy = "required" // the daemon stops, in order
	PolicyOptional Policy = "optional" // the daemon goes on without it
	PolicyFallback Policy = "fallback" // another module takes over
)

// OnFailure is the key "on_failure" of a module, an extension: a policy, and the module that takes over if it is
// [PolicyFallback]. The zero value was left out.
type OnFailure struct {
	Policy   Policy
	Fallback string // name of another module of the manifest, or of one that is compiled in
}

// String is how the manifest writes it; "" if it was left out.
func (f OnFailure) String() string {
	if f.Policy == PolicyFallback {
		return string(f.Policy) + ": " + f.Fallback
	}
	return string(f.Policy)
}

// Given reports whether anything is said but the place.
func (p Process) Given() bool {
	return p.Confinement().Confined() || len(p.Environment) > 0 || p.Heartbeat != 0 || p.Restart != Restart{}
}

// Confinement is what the process is started with. Its slices are the caller's.
func (p Process) Confinement() vehicle.Confinement {
	c := vehicle.Confinement{
		Memory: p.Memory, CPUs: p.CPUs, OpenFiles: p.OpenFiles, User: p.User, NoNewPrivileges: p.NoNewPrivileges, Seccomp: p.Seccomp,
		ReadOnly: slices.Clone(p.ReadOnly), ReadWrite: slices.Clone(p.ReadWrite), Heartbeat: p.Heartbeat,
	}
	for _, v := range p.Environment {
		c.Environment = append(c.Environment, v.Name+"="+v.Value)
	}
	return c
}
