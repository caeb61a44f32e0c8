package view

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// ErrCallback is in the error for a callback that is no name. Nothing is written then.
var ErrCallback = errors.New("bad jsonp callback")

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

// document is an Encoder that knows fields.
type document struct {
	*mesosjson.Encoder
	scratch amounts // for resources, which are many
}

// write writes one document, an object.
func write(w io.Writer, o Options, body func(d *document)) error {
	return writeDocument(w, o, func(d *document) {
		d.BeginObject()
		body(d)
		d.EndObject()
	})
}

// writeArray writes one document, an array.
func writeArray(w io.Writer, o Options, body func(d *document)) error {
	return writeDocument(w, o, func(d *document) {
		d.BeginArray()
		body(d)
		d.EndArray()
	})
}

func writeDocument(w io.Writer, o Options, body func(d *document)) error {
	encoder := mesosjson.NewEncoder(w)
	if o.Callback != "" {
		var err error
		if encoder, err = mesosjson.NewCallbackEncoder(w, o.Callback); err != nil {
			return fmt.Errorf("%w: %w", ErrCallback, err)
		}
	}
	d := &document{Encoder: encoder}
	body(d)
	return d.Close()
}

func (d *document) text(key, value string) {
	d.Key(key)
	d.String(value)
}

// someText writes a text that is there only if it says something.
func (d *document) someText(key, value string) {
	if value != "" {
		d.text(key, value)
	}
}

func (d *document) optional(key string, value *string) {
	if value != nil {
		d.text(key, *value)
	}
}

func (d *document) double(key string, value float64) {
	d.Key(key)
	d.Double(value)
}

func (d *document) boolean(key string, value bool) {
	d.Key(key)
	d.Bool(value)
}

func (d *document) integer(key string, value int64) {
	d.Key(key)
	d.Int(value)
}

// time writes seconds since 1970; of what has not happened, 0.0.
func (d *document) time(key string, at time.Time) { d.double(key, seconds(at)) }

func (d *document) someTime(key string, at time.Time) {
	if !at.IsZero() {
		d.time(key, at)
	}
}

func seconds(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.Unix()) + float64(at.Nanosecond())/1e9
}

// list writes an array of what body writes.
func (d *document) list(key string, body func()) {
	d.Key(key)
	d.BeginArray()
	body()
	d.EndArray()
}

// object writes an object of the fields that body writes.
func (d *document) object(key string, body func()) {
	d.Key(key)
	d.BeginObject()
	body()
	d.EndObject()
}

// element is an object within a list.
func (d *document) element(body func()) {
	d.BeginObject()
	body()
	d.EndObject()
}
