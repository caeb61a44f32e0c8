package slave

import (
	"net/http"
	"time"

	"github.com/mesos-modules/mms/internal/apihttp"
)

// Routes are what the agent answers besides what both daemons have.
func (s *Slave) Routes() []apihttp.Route {
	return []apihttp.Route{
		{Path: "/api/v1/executor", Realm: apihttp.RealmExecutors, Handler: s.executorAPI},
	}
}

// Executors authenticates the realm of executors, by the tokens that they were given.
func Executors(key []byte) apihttp.Authenticator { return tokens{key: key, now: time.Now} }

// Handler answers all requests: messages of masters, the agent's routes, and next what
// is left.
func (s *Slave) Handler(realms apihttp.Realms, more []apihttp.Route, next http.Handler) http.Handler {
	return s.Receiver(apihttp.NewRouter("/"+Process, realms, append(s.Routes(), more...), next))
}
