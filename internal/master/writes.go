package master

import (
	"net/http"
	"net/url"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// The older routes that change something are calls of the operator API in other
// clothes.

// change gives a call to the core, if it is valid.
func (m *Master) change(w http.ResponseWriter, r *http.Request, call *master.Call) {
	if err := validate.OperatorCall(call); err != nil {
		apihttp.Refuse(http.StatusBadRequest, "%v", err).Write(w, r)
		return
	}
	m.handOver(w, r, apihttp.JSON, func(id core.RequestID) core.Event {
		return core.OperatorCall{Request: id, Principal: principalOf(r), Call: call}
	})
}

// writer begins a change, or refuses to.
type writer = func(w http.ResponseWriter, r *http.Request) *apihttp.Refusal

// writing checks what all of them check first.
func (m *Master) writing(do writer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		refusal := m.leads(r)
		if refusal == nil {
			refusal = do(w, r)
		}
		if refusal != nil {
			refusal.Write(w, r)
		}
	}
}

// teardown answers POST /teardown with the form frameworkId=ID.
func (m *Master) teardown(w http.ResponseWriter, r *http.Request) *apihttp.Refusal {
	if refusal := apihttp.Methods(r, http.MethodPost); refusal != nil {
		return refusal
	}
	body, refusal := apihttp.ReadBody(w, r)
	if refusal != nil {
		return refusal
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil {
		return apihttp.Refuse(http.StatusBadRequest, "Unable to decode query string: %v", err)
	}
	id := form.Get("frameworkId")
	if id == "" {
		return apihttp.Refuse(http.StatusBadRequest, "Missing 'frameworkId' query parameter in the request body")
	}
	m.change(w, r, &master.Call{Type: master.Call_TEARDOWN.Enum(),
		Teardown: &master.Call_Teardown{FrameworkId: &mesosv1.FrameworkID{Value: &id}}})
	return nil
}

// putWeights answers PUT /weights with a JSON array.
func (m *Master) putWeights(w http.ResponseWriter, r *http.Request) *apihttp.Refusal {
	body, refusal := apihttp.ReadBody(w, r)
	if refusal != nil {
		return refusal
	}
	weights, err := mesosjson.UnmarshalArray[mesosv1.WeightInfo](body)
	if err != nil {
		return apihttp.Refuse(http.StatusBadRequest, "Failed to parse update weights request JSON: %v", err)
	}
	m.change(w, r, &master.Call{Type: master.Call_UPDATE_WEIGHTS.Enum(), UpdateWeights: &master.Call_UpdateWeights{WeightInfos: weights}})
	return nil
}

// postQuota answers POST /quota with a JSON object, deprecated as it is.
func (m *Master) postQuota(w http.ResponseWriter, r *http.Request) *apihttp.Refusal {
	body, refusal := apihttp.ReadBody(w, r)
	if refusal != nil {
		return refusal
	}
	var q quota.QuotaRequest
	if refusal := apihttp.JSON.Unmarshal(body, &q); refusal != nil {
		return refusal
	}
	m.change(w, r, &master.Call{Type: master.Call_SET_QUOTA.Enum(), SetQuota: &master.Call_SetQuota{QuotaRequest: &q}})
	return nil
}

// deleteQuota answers DELETE /quota/ROLE.
func (m *Master) deleteQuota(w http.ResponseWriter, r *http.Request) *apihttp.Refusal {
	_, role, _ := strings.Cut(strings.TrimRight(r.URL.Path, "/"), "/quota/")
	if role == "" {
		return apihttp.Refuse(http.StatusBadRequest, "The path has no role: want /quota/ROLE")
	}
	m.change(w, r, &master.Call{Type: master.Call_REMOVE_QUOTA.Enum(), RemoveQuota: &master.Call_RemoveQuota{Role: &role}})
	return nil
}
