package master

import (
	"net/http"
	"slices"

	"github.com/mesos-modules/mms/internal/about"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/metrics"
)

// prefix is below which all routes are as well.
const prefix = "/" + process

// rateVariable says how often /metrics/snapshot may be asked, peerVariable whether
// agents have to speak from where they say they are.
const (
	peerVariable = "LIBPROCESS_REQUIRE_PEER_ADDRESS_IP_MATCH"
	rateVariable = "LIBPROCESS_METRICS_SNAPSHOT_ENDPOINT_RATE_LIMIT"
)

// routes are all that the master answers; the rest goes on to face.
func (m *Master) routes(h daemon.Host, realms apihttp.Realms, disabled []string, face http.Handler) http.Handler {
	rate := metrics.SnapshotRate
	if text := h.Env(rateVariable); text != "" {
		if given, ok := metrics.ReadRate(text); ok {
			rate = given
		} else {
			h.Log.Warn("a variable is no rate like 2/1secs", "name", rateVariable)
		}
	}
	all := slices.Concat(m.apiRoutes(), m.legacyRoutes(), m.files.Routes(apihttp.RealmReadOnly), []apihttp.Route{
		{Path: "/health", Handler: about.Health},
		{Path: "/version", Handler: m.self().ServeVersion},
		{Path: "/redirect", Exact: true, Handler: m.redirect},
		{Path: "/flags", Realm: apihttp.RealmReadOnly, Methods: []string{http.MethodGet, http.MethodHead}, Handler: m.flags},
		{Path: "/logging/toggle", Realm: apihttp.RealmReadWrite, Handler: m.guarded("/logging/toggle", m.self().ServeLogging)},
		{Path: "/metrics/snapshot", Realm: apihttp.RealmReadOnly,
			Handler: m.guarded("/metrics/snapshot", metrics.Snapshots(rate, m.measures))},
		{Path: "/system/stats.json", Realm: apihttp.RealmReadOnly, Handler: metrics.Stats},
	})
	handler := m.receive(apihttp.Firewall(disabled, apihttp.NewRouter(prefix, realms, all, face)))
	if match := h.Env(peerVariable); match == "true" || match == "1" {
		handler = libprocess.SamePeer(handler)
	}
	return handler
}

func (m *Master) apiRoutes() []apihttp.Route {
	return []apihttp.Route{
		{Path: "/api/v1", Realm: apihttp.RealmReadWrite, Handler: m.serveOperator},
		{Path: "/api/v1/scheduler", Realm: apihttp.RealmFrameworks, Handler: m.serveScheduler},
	}
}
