package master

import (
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/apihttp"
)

// admit checks what both APIs check first, and reads the call.
func (m *Master) admit(w http.ResponseWriter, r *http.Request, call proto.Message) *apihttp.Refusal {
	if refusal := apihttp.NeedValue(r); refusal != nil {
		return refusal
	}
	if refusal := m.leads(r); refusal != nil {
		return refusal
	}
	if refusal := apihttp.Methods(r, http.MethodPost); refusal != nil {
		return refusal
	}
	_, refusal := apihttp.ReadCall(w, r, call)
	return refusal
}

// leads refuses what a master cannot answer that does not lead, or has not read its
// registry.
func (m *Master) leads(r *http.Request) *apihttp.Refusal {
	s := m.state.Load()
	if refusal := s.elsewhere(r.URL.RequestURI()); refusal != nil {
		return refusal
	}
	if !s.recovered {
		return apihttp.Refuse(http.StatusServiceUnavailable, "Master has not finished recovery")
	}
	return nil
}

// elsewhere sends a client to the leader, if that is another.
func (s *standing) elsewhere(uri string) *apihttp.Refusal {
	switch {
	case s.elected:
		return nil
	case s.leader == nil:
		return apihttp.Refuse(http.StatusServiceUnavailable, "No leader elected")
	default:
		return &apihttp.Refusal{Status: http.StatusTemporaryRedirect, Location: address(s.leader) + uri}
	}
}

// redirect answers GET /redirect: where the leader is, itself included.
func (m *Master) redirect(w http.ResponseWriter, r *http.Request) {
	s := m.state.Load()
	if s.leader == nil {
		apihttp.Refuse(http.StatusServiceUnavailable, "No leader elected").Write(w, r)
		return
	}
	(&apihttp.Refusal{Status: http.StatusTemporaryRedirect, Location: address(s.leader)}).Write(w, r)
}
