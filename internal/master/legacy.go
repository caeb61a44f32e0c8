package master

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/view"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// legacyRoutes are the older read-only documents and what goes with them.
func (m *Master) legacyRoutes() []apihttp.Route {
	read := func(path string, write document) apihttp.Route {
		return apihttp.Route{Path: path, Realm: apihttp.RealmReadOnly, Handler: m.reading(write)}
	}
	return []apihttp.Route{
		read("/state", view.WriteState),
		read("/slaves", view.WriteSlaves),
		read("/frameworks", view.WriteFrameworks),
		read("/state-summary", view.WriteStateSummary),
		read("/tasks", view.WriteTasks),
		read("/roles", view.WriteRoles),
		// As they were called up to the last 1.x release that older tools know.
		read("/state.json", view.WriteState),
		read("/tasks.json", view.WriteTasks),
		read("/roles.json", view.WriteRoles),
		{Path: "/weights", Realm: apihttp.RealmReadWrite, Handler: m.byMethod(view.WriteWeights, map[string]writer{http.MethodPut: m.putWeights})},
		{Path: "/quota", Realm: apihttp.RealmReadWrite, Handler: m.byMethod(view.WriteQuota, map[string]writer{
			http.MethodPost: m.postQuota, http.MethodDelete: m.deleteQuota})},
		{Path: "/maintenance/schedule", Realm: apihttp.RealmReadWrite, Handler: m.byMethod(empty, map[string]writer{http.MethodPost: absent})},
		{Path: "/maintenance/status", Realm: apihttp.RealmReadOnly, Handler: m.reading(empty)},
		{Path: "/teardown", Realm: apihttp.RealmReadWrite, Handler: m.writing(m.teardown)},
		{Path: "/reserve", Realm: apihttp.RealmReadWrite, Handler: m.writing(absent)},
		{Path: "/unreserve", Realm: apihttp.RealmReadWrite, Handler: m.writing(absent)},
		{Path: "/create-volumes", Realm: apihttp.RealmReadWrite, Handler: m.writing(absent)},
		{Path: "/destroy-volumes", Realm: apihttp.RealmReadWrite, Handler: m.writing(absent)},
		{Path: "/machine/down", Realm: apihttp.RealmReadWrite, Handler: m.writing(absent)},
		{Path: "/machine/up", Realm: apihttp.RealmReadWrite, Handler: m.writing(absent)},
	}
}

// empty is the document of what there is none of: machines under maintenance.
func empty(to io.Writer, _ *core.View, o view.Options) error {
	if o.Callback != "" {
		call, err := mesosjson.AppendCallback(nil, o.Callback, []byte("{}"))
		if err != nil {
			return fmt.Errorf("%w: %w", view.ErrCallback, err)
		}
		_, err = to.Write(call)
		return err
	}
	_, err := io.WriteString(to, "{}")
	return err
}

// absent refuses what this master does not do: operators' reservations, volumes and
// maintenance.
func absent(http.ResponseWriter, *http.Request) *apihttp.Refusal {
	return &apihttp.Refusal{Status: http.StatusNotImplemented}
}

// document writes a document of a view.
type document = func(io.Writer, *core.View, view.Options) error

// byMethod reads on GET, and changes on other methods.
func (m *Master) byMethod(read document, writes map[string]writer) http.HandlerFunc {
	methods := slices.Sorted(maps.Keys(writes))
	return func(w http.ResponseWriter, r *http.Request) {
		write := writes[r.Method]
		switch {
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			m.reading(read)(w, r)
		case write != nil:
			m.writing(write)(w, r)
		default:
			apihttp.Methods(r, append([]string{http.MethodGet}, methods...)...).Write(w, r)
		}
	}
}

// reading answers with a document of the master as it is now.
func (m *Master) reading(write document) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if refusal := m.state.Load().elsewhere(r.URL.RequestURI()); refusal != nil {
			refusal.Write(w, r)
			return
		}
		v, approve, err := m.see(r)
		if err != nil {
			apihttp.Internal(err).Write(w, r)
			return
		}
		o := view.Options{Query: r.URL.Query(), Approve: approve, About: m.about(r)}
		contentType := apihttp.TypeJSON
		if o.Callback = o.Query.Get("jsonp"); o.Callback != "" {
			contentType = apihttp.TypeJavaScript
		}
		apihttp.Write(w, r, contentType, func(to io.Writer) error {
			err := write(to, v, o)
			if errors.Is(err, view.ErrCallback) {
				return apihttp.Refuse(http.StatusBadRequest, "%v", err)
			}
			return err
		})
	}
}

// about is what documents tell of the program.
func (m *Master) about(r *http.Request) view.About {
	v := m.versionInfo()
	a := view.About{GitSHA: v.GetGitSha(), BuildDate: v.GetBuildDate(), BuildUser: v.GetBuildUser(), BuildTime: time.Unix(int64(v.GetBuildTime()), 0)}
	if m.mayViewFlags(r) != nil {
		return a
	}
	a.Configuration = &view.Configuration{}
	for _, f := range m.c.Flags() {
		a.Configuration.Flags = append(a.Configuration.Flags, view.Flag{Name: f.Name, Value: f.Value})
		switch f.Name {
		case "cluster":
			a.Configuration.Cluster = f.Value
		case "log_dir":
			a.Configuration.LogDir = f.Value
		case "external_log_file":
			a.Configuration.ExternalLogFile = f.Value
		}
	}
	return a
}
