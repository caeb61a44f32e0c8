// Package protocol is what a daemon and the process of a library say to each other
// beside the calls of modules: how a library is opened, how instances are made and
// ended, and what modules ask of their host.
//
// Every method takes one argument and gives one answer, both JSON, so that either side
// may be older than the other: fields that one does not know are left out, and what is
// missing has its zero value. A field is never given another meaning.
package protocol

import (
	"errors"
	"log/slog"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Argument is the only argument of a process that serves a library, and Control the
// descriptor of its connection to the daemon.
const (
	Argument = "-mms-process-child"
	Control  = 3
)

// Methods of the process's root object.
const (
	Describe   = "describe"   // Opening -> Described; opens the library
	Compatible = "compatible" // Checking -> nothing
	Create     = "create"     // Creation -> Created
	Destroy    = "destroy"    // Destruction -> nothing; also of an instance that is still being made
	EndLife    = "end_life"   // Destruction -> nothing; the host's lifetime ends
	Ping       = "ping"       // nothing -> nothing
	Exit       = "exit"       // nothing -> nothing; closes the library, and ends the process with the connection
)

// Methods of a host, which is an object of the daemon's.
const (
	View     = "view"      // nothing -> Seen
	Log      = "log"       // []Record -> Logged
	StateDir = "state_dir" // nothing -> a string
	Measure  = "measure"   // []Measurement -> nothing
)

// Opening says which library the process is for. A program that has one linked in
// looks at nothing of it.
type Opening struct {
	Vehicle     string              `json:"vehicle"`
	File        vehicle.File        `json:"file"`
	Description vehicle.Description `json:"description"`
}

// Described is what the library says of itself, or why it cannot be used.
type Described struct {
	Description vehicle.Description `json:"description"`
	Refusal     *Refusal            `json:"refusal,omitempty"`
}

// Checking has a module look at the daemon.
type Checking struct {
	Module string `json:"module"`
	Host   uint64 `json:"host"` // answers View
}

// Creation has an instance made.
type Creation struct {
	Key        uint64      `json:"key"` // of the instance, chosen by the daemon and never used again
	Module     string      `json:"module"`
	Parameters []Parameter `json:"parameters,omitempty"`
	Host       uint64      `json:"host"`
	Level      slog.Level  `json:"level"` // the least that the daemon logs
	Ended      bool        `json:"ended,omitempty"`
	Required   []Required  `json:"required,omitempty"`
}

// Parameter is one of the manifest. Its value need not be UTF-8.
type Parameter struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}

// Required is an instance of a requirement: of a module by name, or of a role, for
// which there may be several in order.
type Required struct {
	Module string `json:"module,omitempty"`
	Role   string `json:"role"`
	Object uint64 `json:"object"`
}

// Created is an instance that was made.
type Created struct {
	Role   string `json:"role"`
	Object uint64 `json:"object"`
}

// Destruction names an instance.
type Destruction struct {
	Key uint64 `json:"key"`
}

// Seen is what facade.View answers.
type Seen struct {
	MesosVersion string               `json:"mesos_version"`
	Libraries    []facade.LibraryInfo `json:"libraries,omitempty"`
	Modules      []facade.ModuleInfo  `json:"modules,omitempty"`
}

// Bounds of what a module may tell the daemon; what is longer is cut, and what is more
// is left out.
const (
	MaxText       = 8 << 10 // bytes of a message, or of an attribute's value
	MaxKey        = 256     // bytes of an attribute's key
	MaxAttributes = 64
	MaxRecord     = 64 << 10 // bytes of a message with its attributes
	MaxRecords    = 256      // in one call
	MaxMeasures   = 1000
	MaxHelp       = 1 << 10
)

// Record is one message of a module's log.
type Record struct {
	Level      slog.Level  `json:"level"`
	Message    string      `json:"message"`
	Attributes [][2]string `json:"attributes,omitempty"`
	Lost       uint64      `json:"lost,omitempty"` // messages before this one that there was no room for
}

// Size is how much of a message counts against what a module may tell the daemon.
func (r Record) Size() int {
	const overhead = 200 // beside its texts
	size := overhead + len(r.Message)
	for _, a := range r.Attributes {
		size += len(a[0]) + len(a[1])
	}
	return size
}

// Bounded is the message cut to what is taken of it.
func (r Record) Bounded() Record {
	bounded := Record{Level: r.Level, Message: Cut(r.Message, MaxText), Lost: r.Lost}
	for size := bounded.Size(); len(bounded.Attributes) < min(len(r.Attributes), MaxAttributes); {
		a := r.Attributes[len(bounded.Attributes)]
		a = [2]string{Cut(a[0], MaxKey), Cut(a[1], MaxText)}
		if size += len(a[0]) + len(a[1]); size > MaxRecord {
			break
		}
		bounded.Attributes = append(bounded.Attributes, a)
	}
	return bounded
}

// Logged is the least level that the daemon logs from now on.
type Logged struct {
	Level slog.Level `json:"level"`
}

// Measurement is what has become of one measure since the last time: what a counter was
// raised by, or what a gauge stands at.
type Measurement struct {
	Name  string  `json:"name"`
	Help  string  `json:"help,omitempty"`
	Gauge bool    `json:"gauge,omitempty"`
	Value float64 `json:"value"`
}

// Refusal is a vehicle.Refusal on its way.
type Refusal struct {
	Rule    finding.Rule `json:"rule"`
	Problem string       `json:"problem"`
	Mend    string       `json:"mend,omitempty"`
	Cause   string       `json:"cause,omitempty"`
}

const mendOpens = "look at what the library runs while it is opened"

// Refuse makes an error of opening fit to cross.
func Refuse(err error) *Refusal {
	if err == nil {
		return nil
	}
	var r *vehicle.Refusal
	if !errors.As(err, &r) {
		return &Refusal{Rule: finding.LibraryOpens, Problem: Cut(err.Error(), MaxText), Mend: mendOpens}
	}
	packed := &Refusal{Rule: r.Rule, Problem: Cut(r.Problem, MaxText), Mend: Cut(r.Mend, MaxText)}
	if r.Cause != nil {
		packed.Cause = Cut(r.Cause.Error(), MaxText)
	}
	return packed
}

// Error is the refusal as the vehicle has it.
func (r *Refusal) Error() error {
	err := &vehicle.Refusal{Rule: r.Rule, Problem: Cut(r.Problem, MaxText), Mend: Cut(r.Mend, MaxText)}
	if r.Cause != "" {
		err.Cause = errors.New(Cut(r.Cause, MaxText))
	}
	return err
}
