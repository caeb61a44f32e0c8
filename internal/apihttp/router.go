package apihttp

import (
	"net/http"
	"strings"
)

// Route is what is answered at one path.
type Route struct {
	// Path begins with a slash: /state, /api/v1/scheduler.
	Path string

	// Methods are those allowed; none allows all.
	Methods []string

	// Exact keeps the route from answering for what is below its path.
	Exact bool

	// Realm is which authentication the route needs; RealmNone is none.
	Realm Realm

	Handler http.HandlerFunc
}

// Router finds routes as libprocess does: it cuts segments from the right of a path
// until one fits, so that /slaves/ID and /state/ are answered too. Each route is
// also below the name of the daemon's process.
type Router struct {
	prefix string
	routes map[string]Route
	next   http.Handler
	realms Realms
}

// NewRouter returns a router. What it does not find goes on to next.
func NewRouter(prefix string, realms Realms, routes []Route, next http.Handler) *Router {
	r := &Router{prefix: prefix, routes: make(map[string]Route, len(routes)), next: next, realms: realms}
	for _, route := range routes {
		r.routes[route.Path] = route
	}
	return r
}

// ServeHTTP implements http.Handler.
func (r *Router) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	path := q.URL.Path
	if below, ok := strings.CutPrefix(path, r.prefix); ok && strings.HasPrefix(below, "/") {
		path = below
	}
	route, ok := r.find(path)
	if !ok {
		r.next.ServeHTTP(w, q)
		return
	}
	q, refusal := r.realms.authenticate(route.Realm, q)
	if refusal != nil {
		refusal.Write(w, q)
		return
	}
	if len(route.Methods) > 0 {
		if refusal := Methods(q, route.Methods...); refusal != nil {
			refusal.Write(w, q)
			return
		}
	}
	route.Handler(w, q)
}

func (r *Router) find(path string) (Route, bool) {
	if strings.Contains(path, "/..") {
		return Route{}, false
	}
	trimmed := strings.TrimRight(path, "/")
	for at := trimmed; at != ""; at = at[:strings.LastIndexByte(at, '/')] {
		if route, ok := r.routes[at]; ok && (at == trimmed || !route.Exact) {
			return route, true
		}
		if !strings.HasPrefix(at, "/") {
			break
		}
	}
	return Route{}, false
}
