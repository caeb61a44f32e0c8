package master

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

func health(w http.ResponseWriter, _ *http.Request) { apihttp.Empty(w, http.StatusOK) }

// versionInfo is what is known of this build.
func (m *Master) versionInfo() *mesosv1.VersionInfo {
	built := m.c.Core.Started
	v := &mesosv1.VersionInfo{Version: proto.String(m.c.Core.Info.GetVersion()), BuildUser: proto.String("mesos")}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.GitSha = proto.String(s.Value)
			case "vcs.time":
				if at, err := time.Parse(time.RFC3339, s.Value); err == nil {
					built = at
				}
			}
		}
	}
	v.BuildDate = proto.String(built.UTC().Format("2006-01-02 15:04:05"))
	v.BuildTime = proto.Float64(float64(built.Unix()))
	return v
}

// version answers GET /version: keys sorted.
func (m *Master) version(w http.ResponseWriter, r *http.Request) {
	v := m.versionInfo()
	apihttp.Document(w, r, func(e *mesosjson.Encoder) {
		e.BeginObject()
		e.Key("build_date")
		e.String(v.GetBuildDate())
		e.Key("build_time")
		e.Double(v.GetBuildTime())
		e.Key("build_user")
		e.String(v.GetBuildUser())
		if v.GitSha != nil {
			e.Key("git_sha")
			e.String(v.GetGitSha())
		}
		e.Key("version")
		e.String(v.GetVersion())
		e.EndObject()
	})
}

// flags answers GET /flags.
func (m *Master) flags(w http.ResponseWriter, r *http.Request) {
	if refusal := m.mayViewFlags(r); refusal != nil {
		refusal.Write(w, r)
		return
	}
	apihttp.Document(w, r, func(e *mesosjson.Encoder) {
		e.BeginObject()
		e.Key("flags")
		e.BeginObject()
		for _, f := range m.c.Flags() {
			e.Key(f.Name)
			e.String(f.Value)
		}
		e.EndObject()
		e.EndObject()
	})
}

// toggle answers GET /logging/toggle: how much is logged, or more of it for a while.
func (m *Master) toggle(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	refuse := func(text string) { apihttp.Refuse(http.StatusBadRequest, "%s.\n", text).Write(w, r) }
	switch {
	case !q.Has("level") && !q.Has("duration"):
		w.Header().Set("Content-Type", apihttp.TypeText)
		_, _ = w.Write([]byte(strconv.FormatUint(uint64(m.c.Verbosity.Level()), 10) + "\n")) // a reader that has gone needs no answer
		return
	case !q.Has("duration"):
		refuse("Expecting 'duration=value' in query")
		return
	case !q.Has("level"):
		refuse("Expecting 'level=value' in query")
		return
	}
	level, err := strconv.ParseUint(q.Get("level"), 10, 32)
	if err != nil {
		refuse("Invalid level '" + q.Get("level") + "'")
		return
	}
	lasts, err := stout.ParseDuration(q.Get("duration"))
	if err != nil {
		refuse("Invalid duration '" + q.Get("duration") + "'")
		return
	}
	m.c.Verbosity.Set(uint32(level), lasts)
	apihttp.Empty(w, http.StatusOK)
}
