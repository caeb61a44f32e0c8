package view

import (
	"io"
	"net/url"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/legacy"
)

// ErrCallback is in the error for a callback that is no name. Nothing is written then.
var ErrCallback = legacy.ErrCallback

// Options are what a reader asks for and may see.
type Options struct {
	Callback string     // of JSONP; empty: none. The type of the answer is text/javascript then
	Query    url.Values // the parameters of the route
	Approve  Approve
	About    About // for /state and /state-summary
}

// Approve says what a reader may see. What it says no to is left out. A nil function
// allows everything. The functions are called once for each object, from the
// goroutine that writes.
type Approve struct {
	Framework func(*mesosv1.FrameworkInfo) bool
	Task      func(*mesosv1.Task, *mesosv1.FrameworkInfo) bool
	Executor  func(*mesosv1.ExecutorInfo, *mesosv1.FrameworkInfo) bool
	Role      func(string) bool // of roles, weights, quotas and reservations
}

func (a Approve) framework(info *mesosv1.FrameworkInfo) bool {
	return a.Framework == nil || a.Framework(info)
}

func (a Approve) task(task *mesosv1.Task, info *mesosv1.FrameworkInfo) bool {
	return a.Task == nil || a.Task(task, info)
}

func (a Approve) executor(e *mesosv1.ExecutorInfo, info *mesosv1.FrameworkInfo) bool {
	return a.Executor == nil || a.Executor(e, info)
}

func (a Approve) role(name string) bool { return a.Role == nil || a.Role(name) }

// About is what /state tells of the daemon besides its state.
type About struct {
	GitSHA, GitBranch, GitTag string // left out if empty
	BuildDate, BuildUser      string
	BuildTime                 time.Time

	// Configuration is left out for a reader who may not see the flags.
	Configuration *Configuration
}

// Configuration is how the daemon was started.
type Configuration struct {
	Cluster, LogDir, ExternalLogFile string // left out if empty
	Flags                            []Flag // in the order in which they are to be shown
}

// Flag is one that is set, without its dashes.
type Flag struct{ Name, Value string }

// document is one of the legacy documents.
type document struct{ *legacy.Document }

// write writes one document, an object.
func write(w io.Writer, o Options, body func(d *document)) error {
	return legacy.Write(w, o.Callback, func(d *legacy.Document) {
		d.BeginObject()
		body(&document{d})
		d.EndObject()
	})
}

// writeArray writes one document, an array.
func writeArray(w io.Writer, o Options, body func(d *document)) error {
	return legacy.Write(w, o.Callback, func(d *legacy.Document) {
		d.BeginArray()
		body(&document{d})
		d.EndArray()
	})
}
