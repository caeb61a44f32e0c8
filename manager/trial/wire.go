package trial

import (
	"errors"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// childArgument makes the binary the child. A binary whose main does not call Main
// takes it for a flag that it does not know, and ends.
const childArgument = "-mms-trial-child"

// Descriptors of the child besides the standard ones.
const (
	reportDescriptor  = 3 // a pipe, written by the child
	requestDescriptor = 4 // a file with the requests
)

const (
	// maxReport bounds one line of a report.
	maxReport = 8 << 20

	// maxOutput bounds what a library may print; the rest is lost to it.
	maxOutput = 64 << 10

	// exitNoReport is the child's exit status when it cannot report any more.
	exitNoReport = 121
)

// report is one line from the child.
type report struct {
	Index int  `json:"index"` // of the request
	End   bool `json:"end"`   // after opening; otherwise before

	Description vehicle.Description `json:"description,omitzero"`
	Refusal     *refusal            `json:"refusal,omitempty"`

	// Spent asks for a fresh child: the library left this one unusable.
	Spent bool `json:"spent,omitempty"`
}

type refusal struct {
	Rule    finding.Rule `json:"rule"`
	Problem string       `json:"problem"`
	Mend    string       `json:"mend"`
	Cause   string       `json:"cause,omitempty"`
}

const mendOpens = "look at what the library runs while it is opened"

// pack makes an error fit to cross.
func pack(err error) *refusal {
	if err == nil {
		return nil
	}
	var r *vehicle.Refusal
	if !errors.As(err, &r) {
		return &refusal{Rule: finding.LibraryOpens, Problem: bounded(err.Error()), Mend: mendOpens}
	}
	packed := &refusal{Rule: r.Rule, Problem: bounded(r.Problem), Mend: bounded(r.Mend)}
	if r.Cause != nil {
		packed.Cause = bounded(r.Cause.Error())
	}
	return packed
}

func (r *refusal) unpack() error {
	if r == nil {
		return nil
	}
	err := &vehicle.Refusal{Rule: r.Rule, Problem: r.Problem, Mend: r.Mend}
	if r.Cause != "" {
		err.Cause = errors.New(r.Cause)
	}
	return err
}
