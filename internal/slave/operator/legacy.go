package operator

import (
	"net/http"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	"github.com/mesos-modules/mms/internal/about"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/legacy"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/metrics"
)

// legacyRoutes are the older read-only documents and what goes with them.
func (o *Operator) legacyRoutes() []apihttp.Route {
	read := func(path string, handler http.HandlerFunc) apihttp.Route {
		return apihttp.Route{Path: path, Realm: apihttp.RealmReadOnly, Handler: handler}
	}
	flags := read("/flags", o.flags)
	flags.Methods = []string{http.MethodGet, http.MethodHead}
	statistics := o.guarded("/monitor/statistics", metrics.Paced(statisticsRate, o.serveStatistics))
	return []apihttp.Route{
		{Path: "/health", Handler: about.Health},
		{Path: "/version", Handler: o.c.About.ServeVersion},
		flags,
		read("/state", o.serveState),
		read("/containers", o.serveContainers),
		read("/containerizer/debug", o.guarded("/containerizer/debug", serveDebug)),
		read("/monitor/statistics", statistics),
		// As they were called in releases that older tools know.
		read("/state.json", o.serveState),
		read("/monitor/statistics.json", statistics),
		read("/metrics/snapshot", o.guarded("/metrics/snapshot", metrics.Snapshots(o.c.MetricsRate, o.c.Agent.Measures))),
		read("/system/stats.json", metrics.Stats),
		{Path: "/logging/toggle", Realm: apihttp.RealmReadWrite, Handler: o.guarded("/logging/toggle", o.c.About.ServeLogging)},
	}
}

// statisticsRate is how often all containers are measured at most.
var statisticsRate = metrics.SnapshotRate

// guarded answers a route only to who may get it by its path.
func (o *Operator) guarded(path string, do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		object := &authorization.Object{Value: &path}
		if refusal := o.may(r, authorization.Action_GET_ENDPOINT_WITH_PATH, object); refusal != nil {
			refusal.Write(w, r)
			return
		}
		do(w, r)
	}
}

func (o *Operator) flags(w http.ResponseWriter, r *http.Request) {
	if refusal := o.may(r, authorization.Action_VIEW_FLAGS, nil); refusal != nil {
		refusal.Write(w, r)
		return
	}
	o.c.About.ServeFlags(w, r)
}

// serveState answers GET /state.
func (o *Operator) serveState(w http.ResponseWriter, r *http.Request) {
	if o.c.Agent.Recovering() {
		recovering.Write(w, r)
		return
	}
	v, refusal := o.visible(r)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	shown := o.may(r, authorization.Action_VIEW_FLAGS, nil) == nil
	write(w, r, func(d *document) { d.state(v, o.c.About, shown) })
}

// serveDebug answers GET /containerizer/debug, which lists what a containerizer waits
// for. Ours tells the log what it waits for.
func serveDebug(w http.ResponseWriter, r *http.Request) {
	write(w, r, func(d *document) {
		d.Element(func() { d.List("pending", func() {}) })
	})
}

// serveStatistics answers GET /monitor/statistics.
func (o *Operator) serveStatistics(w http.ResponseWriter, r *http.Request) {
	o.serveUsage(w, r, func(*contained) bool { return true }, (*document).statistics)
}

// serveContainers answers GET /containers.
func (o *Operator) serveContainers(w http.ResponseWriter, r *http.Request) {
	keep, refusal := queried(r)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	o.serveUsage(w, r, keep, (*document).container)
}

func (o *Operator) serveUsage(w http.ResponseWriter, r *http.Request, keep func(*contained) bool, one func(*document, *contained)) {
	if o.c.Agent.Recovering() {
		recovering.Write(w, r)
		return
	}
	all, refusal := o.containersOf(r, false, keep)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	o.measure(r.Context(), all)
	write(w, r, func(d *document) {
		d.BeginArray()
		for _, c := range all {
			one(d, c)
		}
		d.EndArray()
	})
}

// write answers with a document.
func write(w http.ResponseWriter, r *http.Request, body func(d *document)) {
	apihttp.Document(w, r, func(e *mesosjson.Encoder) { body(&document{legacy.New(e)}) })
}
