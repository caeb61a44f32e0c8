// Package httpface is what a daemon answers over HTTP about itself and its
// modules: what is loaded and why, the events of every phase, measures, flags.
//
// A [Face] is an http.Handler and knows no socket; a [Server] gives it one. What a
// daemon does for its cluster has handlers of its own, elsewhere.
package httpface

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/nearest"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// Modules is what a face shows. *manager.Manager is one.
type Modules interface {
	Modules() []manager.ModuleStatus
	Module(name string) (manager.ModuleStatus, bool)
	Libraries() []manager.LibraryStatus
	Result() verify.Result
	State() lifecycle.State
	Events() *lifecycle.Bus
}

// Config says what to show. All fields are needed but Calculators and TestModule.
type Config struct {
	Daemon  string // as the binary is called
	Prefix  string // Mesos' own routes are also below it: "/master", "/slave(1)"
	Version string // of Mesos

	Modules Modules
	Flags   func() []flags.NameValue // secrets hidden
	Metrics http.Handler

	// Calculators are those bound to --calculator, in flag order.
	Calculators []Calculator

	// TestModule is what --test_module binds; a handle is there even if
	// nothing is bound to it.
	TestModule testmodule.TestModule
}

// Calculator is a bound calculator with the name of its module.
type Calculator struct {
	Module string
	calculator.Calculator
}

// Face answers requests. It may be used from any number of goroutines.
type Face struct {
	c       Config
	routes  []route
	streams context.Context // ends with Close
	end     context.CancelFunc
	open    atomic.Int64 // streams
}

// New returns a face. The caller closes it.
func New(c Config) *Face {
	f := &Face{c: c}
	f.streams, f.end = context.WithCancel(context.Background())
	f.routes = f.layOut()
	return f
}

// Close ends the event streams, so that a server can shut down. Other requests are
// answered as before.
func (f *Face) Close() { f.end() }

// route is one path. mesos says that it is Mesos' own.
type route struct {
	path    string
	mesos   bool
	about   string
	handler http.HandlerFunc
}

// modulePath is the beginning of what stands for a single module. Names may have
// slashes in them.
const modulePath = "/modules/"

func (f *Face) layOut() []route {
	return []route{
		{"/", false, "this list", f.index},
		{"/health", true, "200 while the daemon answers", f.health},
		{"/version", true, "the Mesos version", f.version},
		{"/flags", true, "all flags with their values; secrets are hidden", f.flags},
		{"/metrics", false, "measures for Prometheus", f.metrics},
		{"/modules", false, "all modules; ?format=text for a table", f.modules},
		{modulePath + "NAME", false, "all about one module", f.module},
		{"/modules/graph", false, "the plan as text", f.graphText},
		{"/modules/graph.json", false, "the plan for programs", f.graphJSON},
		{"/modules/graph.dot", false, "the plan for Graphviz", f.graphDOT},
		{"/modules/findings", false, "what verification came to; ?format=text for a report", f.findings},
		{"/modules/events", false, "server-sent events from ?from=N or Last-Event-ID on", f.events},
		{"/calculators", false, "what each bound calculator makes of ?a=A&b=10", f.calculators},
		{"/test_module", false, "calls the bound TestModule: ?method=foo&a=A&b=10, bar, baz, parameters", f.testModule},
	}
}

// maxBody bounds what a client can make the daemon read; no route here takes a body.
const maxBody = 64 << 10

// ServeHTTP implements http.Handler.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	handler := f.find(r.URL.Path)
	switch {
	case handler == nil:
		f.notFound(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		fail(w, r, http.StatusMethodNotAllowed, problem{
			Error: "Method Not Allowed. Expecting one of { 'GET', 'HEAD' }, but received '" + r.Method + "'."})
	default:
		handler(w, r)
	}
}

// find returns the handler of a path, or nil. Exact routes win over modules of the
// same name.
func (f *Face) find(path string) http.HandlerFunc {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	own, below := strings.CutPrefix(path, f.c.Prefix)
	for _, at := range f.routes {
		if at.path == path || below && at.mesos && at.path == own {
			return at.handler
		}
	}
	if name := strings.TrimPrefix(path, modulePath); name != path && name != "" {
		return f.module
	}
	return nil
}

func (f *Face) notFound(w http.ResponseWriter, r *http.Request) {
	p := problem{Error: "there is nothing at " + r.URL.Path}
	var paths []string
	for _, at := range f.routes {
		paths = append(paths, at.path)
		if at.mesos {
			paths = append(paths, f.c.Prefix+at.path)
		}
	}
	if near := nearest.Name(r.URL.Path, paths); near != "" {
		p.Near = []string{near}
	} else {
		p.Near = paths
	}
	fail(w, r, http.StatusNotFound, p)
}
