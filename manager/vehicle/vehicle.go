// Package vehicle says what a vehicle is: the way in which a library is carried.
// Each vehicle is a package below this one.
//
// A library goes through three looks. Recognise reads its bytes and runs
// nothing. Then a child process opens it, and describes it where the bytes could
// not. Only then Open opens it in the daemon, the same file by identity and
// digest.
package vehicle

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
)

// Names of the vehicles.
const (
	Builtin  = "builtin"
	GoPlugin = "goplugin"
	Native   = "native"
	Process  = "process"
)

// File is a library file that has been looked at once. Identity is what the file
// is, however its path is spelled.
type File struct {
	Path     string // absolute
	Identity Identity
	Mode     fs.FileMode
	Size     int64
	Digest   [32]byte // SHA-256 of the content

	// Changed is when the system last noted a change of the file, in nanoseconds of its
	// clock, if any change since the digest was taken would have a later one; else 0.
	Changed int64
}

// Identity names a file by device and inode.
type Identity struct{ Device, Inode uint64 }

// Description is what a library says of itself. All texts are bounded and UTF-8.
// It crosses from the trial child to the daemon as JSON.
type Description struct {
	Vehicle string `json:"vehicle"`

	// MMSVersion is the version of the module management system as the library
	// states it. Empty if it states none for the library as a whole.
	MMSVersion string `json:"mms_version,omitempty"`

	// MesosVersion is baked in at compile time, MinMesos declared.
	MesosVersion string `json:"mesos_version,omitempty"`
	MinMesos     string `json:"min_mesos,omitempty"`

	// Build is shown and not judged: compiler, Go version and settings, needed
	// libraries, in a fixed order.
	Build []Setting `json:"build,omitempty"`

	// Complete is false while modules are known only after the library has
	// been opened: the trial child completes it.
	Complete bool `json:"complete"`

	// Modules in the library's own order, or by name where it has none.
	Modules []Module `json:"modules,omitempty"`
}

// Setting is one key and value about a build.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Module is what one module of a library says of itself.
type Module struct {
	Name        string `json:"name"`
	Role        string `json:"role"` // as the table calls it, or, for a type that is no role, the Go type
	Version     string `json:"version,omitempty"`
	Author      string `json:"author,omitempty"`
	Email       string `json:"email,omitempty"`
	Description string `json:"description,omitempty"`

	// MMSVersion and MesosVersion are set where a module states its own; they
	// then win over the library's.
	MMSVersion   string `json:"mms_version,omitempty"`
	MesosVersion string `json:"mesos_version,omitempty"`

	Requires  []facade.Requirement `json:"requires,omitempty"`
	Conflicts []facade.Conflict    `json:"conflicts,omitempty"`
	After     []string             `json:"after,omitempty"`

	// HasSchema distinguishes a module without parameters from one that does
	// not describe them.
	HasSchema  bool                   `json:"has_schema,omitempty"`
	Parameters []facade.ParameterSpec `json:"parameters,omitempty"`

	// Compatible says that the module declares a check of its own.
	Compatible bool `json:"compatible,omitempty"`

	// Flaws are what is wrong with the declaration itself: null fields, texts
	// that are not UTF-8 or too long, no constructor. Verification reports each.
	Flaws []string `json:"flaws,omitempty"`
}

// Vehicle recognises and opens libraries of one kind. Implementations hold no
// state that a second daemon in the same process would see, and are safe for
// concurrent use.
type Vehicle interface {
	Name() string

	// Recognise reads the file's bytes and runs nothing of it. ok is false
	// when the file is not of this vehicle; another is then asked. An error is
	// a *Refusal: the file is this vehicle's, and cannot be used.
	Recognise(f File) (d Description, ok bool, err error)

	// Open opens a library that was recognised and passed its trial. It may run
	// the library's initialisers, so it is called as a guarded step. d is
	// complete.
	Open(ctx context.Context, f File, d Description) (Library, error)

	// Describe opens the file and completes its description. It is called in
	// the trial child only, where a crash costs nothing.
	Describe(f File, d Description) (Description, error)
}

// Library is an open library. Its methods run module code: the caller guards and
// limits each call, and holds no lock meanwhile.
type Library interface {
	// Compatible runs the module's own check; nil admits it. It is called only
	// for modules that declare one.
	Compatible(ctx context.Context, module string, view facade.View) error

	// Create makes an instance that implements the Go interface of the module's
	// role. The caller closes it by Destroy, exactly once.
	Create(ctx context.Context, module string, host facade.Host, p facade.Parameters) (Instance, error)

	// Close gives the library back where that is possible. It is called after
	// all its instances are gone. Unloads tells whether it had an effect.
	Close() error
	Unloads() bool
}

// Instance is one made module. Value implements the role; Destroy runs the
// module's own clean-up and is called at most once, after the last call of Value
// has returned.
type Instance struct {
	Value   any
	Destroy func(ctx context.Context) error
}

// Refusal is why a library cannot be used: a rule, a problem and a mend. The
// manager turns it into a finding.
type Refusal struct {
	Rule    finding.Rule
	Problem string
	Mend    string
	Cause   error // may be nil
}

func (r *Refusal) Error() string {
	if r.Mend == "" {
		return r.Problem
	}
	return fmt.Sprintf("%s; %s", r.Problem, r.Mend)
}

func (r *Refusal) Unwrap() error { return r.Cause }
