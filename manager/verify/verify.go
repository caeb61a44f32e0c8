// Package verify holds the rules: libraries and what the manifest and the flags want of them in, findings or a plan out.
//
// It is pure: it opens no file, reads no clock and runs no module code. [Check] holds every rule against the whole set
// in one run; rules.go shows them in their order. Only a module's own check is left to the caller, because it is module
// code: he runs them in the order of the plan and hands what they said to [Result.WithOwnChecks].
//
// One flag file serves both daemons. A binding flag that only the other daemon has is accepted here: its modules are
// held to every rule, and then reported as not used here. A module whose role this daemon has no use for is therefore a
// finding only if no such flag leads to it, or if a flag of this daemon does.
package verify

import (
	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles"
)

// Input is everything that Check looks at. It is read and not kept, but for strings.
type Input struct {
	Daemon       roles.Daemon // this one: roles.Master or roles.Slave
	MesosVersion string       // its release
	MMSVersions  []string     // versions of the handshake it accepts, its own among them
	Roles        []roles.Role // roles.Table() but in tests

	Libraries []Library // in load order
	Bindings  []Binding // in flag order, defaults included

	// NotLoaded names modules that the manifest wants from libraries that could not be loaded. Their libraries have
	// their findings; nobody is told again that these modules are missing, and there is no plan.
	NotLoaded []string

	// Candidates are modules in the configured folders that the manifest does not name. They are only proposed, where
	// one of them would mend something.
	Candidates []depgraph.Module
}

// Library is one loaded library.
type Library struct {
	Path           string           // as reports show it; "" for the daemon binary itself
	Identity       vehicle.Identity // two libraries of one identity are one file; zero where there is no file
	ShipsWithMesos bool
	Description    vehicle.Description // complete
	Isolated       bool                // it runs in a process of its own

	// Named are the modules that the manifest picks. The others of the library are not verified beyond the library's
	// own rules, and not loaded. From the daemon's own library (vehicle builtin) those that flags and requirements name
	// are picked without being named here.
	Named []Named

	// Parameters are those of modules of the daemon's own library that are not named here, by name.
	Parameters map[string]facade.Parameters
}

// Named is a module as the manifest names it.
type Named struct {
	Name       string
	Parameters facade.Parameters
	OnFailure  manifest.OnFailure
	At         string // where the manifest says so, for people; may be empty
}

// Binding is a binding flag with its value.
type Binding struct {
	Flag        string // without dashes, as it was spelt: an alias is resolved here
	Refs        []Ref  // in the order of the value
	FromDefault bool   // the flag was not given
}

// Ref names a module in a flag: m, or m@>=2.
type Ref struct{ Name, Constraint string }

// Result is what Check found. Findings and notices are sorted: the same input gives the same bytes.
type Result struct {
	Findings []finding.Finding `json:"findings"`
	Notices  []Notice          `json:"notices"`
	Plan     *Plan             `json:"plan,omitempty"` // nil while a finding stands, here or in the load phase
}

// Notice is something worth telling that stops nothing.
type Notice struct {
	ID      NoticeID `json:"notice"`
	Module  string   `json:"module,omitempty"`
	Library string   `json:"library,omitempty"`
	Text    string   `json:"text"`
}

// NoticeID is the stable id of a kind of notice.
type NoticeID string

// The notices, in the order in which they are reported.
const (
	Naming      NoticeID = "naming"        // a name that is no reversed domain with underscores
	NoEffect    NoticeID = "no-effect"     // a minimum Mesos version below the one the library was built for
	StandsIn    NoticeID = "stands-in"     // takes the place of a module that the daemon is built with
	NotUsedHere NoticeID = "not-used-here" // named by a flag of the other daemon only
	Unused      NoticeID = "unused"        // loaded, and used by nothing
)

// OwnCheck is what a module's own check said.
type OwnCheck struct {
	Module string
	Err    error // nil admits the module
}
