package execute

import (
	"maps"
	"net/http"
	"slices"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/httpauthenticatee"
)

// authenticateBy has a module say what headers prove who sends a request, and sets them. The credential may be nil, if
// the module needs none.
func authenticateBy(module httpauthenticatee.HttpAuthenticatee, credential *mesosv1.Credential) func(*http.Request) error {
	return func(r *http.Request) error {
		message := &httpauth.Request{Method: &r.Method, Url: new(r.URL.RequestURI()), Peer: &r.URL.Host}
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			for _, value := range r.Header[name] {
				message.Headers = append(message.Headers, &httpauth.Header{Name: &name, Value: &value})
			}
		}
		headers, err := module.Authenticate(r.Context(), message, credential)
		if err != nil {
			return err
		}
		for _, h := range headers {
			r.Header.Set(h.GetName(), h.GetValue())
		}
		return nil
	}
}
