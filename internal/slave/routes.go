package slave

import (
	"net/http"

	"github.com/mesos-modules/mms/internal/apihttp"
)

// Routes are what the agent answers besides what both daemons have.
func (s *Slave) Routes() []apihttp.Route {
	return []apihttp.Route{
		{Path: "/api/v1/executor", Realm: apihttp.RealmExecutors, Handler: s.executorAPI},
	}
}

// Handler answers all requests: messages of masters, the agent's routes, and next what
// is left.
func (s *Slave) Handler(realms apihttp.Realms, more []apihttp.Route, next http.Handler) http.Handler {
	return s.Receiver(apihttp.NewRouter("/"+Process, realms, append(s.Routes(), more...), next))
}
