// Package about answers what both daemons are asked about themselves rather than about
// what runs on them: health, version, flags, and how much they log.
package about

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// Verbosity is how much a daemon logs; see daemon.Verbosity.
type Verbosity interface {
	Level() uint32
	Set(level uint32, lasts time.Duration)
}

// Program is a daemon. Its methods may be called from any number of goroutines.
type Program struct {
	Version   string // of Mesos
	Started   time.Time
	Flags     func() []flags.NameValue // as /flags lists them, secrets hidden
	Verbosity Verbosity
}

// Health answers GET /health: who answers is well.
func Health(w http.ResponseWriter, _ *http.Request) { apihttp.Empty(w, http.StatusOK) }

// VersionInfo is what is known of this build. One whose commit has no time is as old as
// the process.
func (p Program) VersionInfo() *mesosv1.VersionInfo {
	built := p.Started
	v := &mesosv1.VersionInfo{Version: proto.String(p.Version), BuildUser: proto.String("mesos")}
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

// ServeVersion answers GET /version: keys sorted.
func (p Program) ServeVersion(w http.ResponseWriter, r *http.Request) {
	v := p.VersionInfo()
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

// ServeFlags answers GET /flags.
func (p Program) ServeFlags(w http.ResponseWriter, r *http.Request) {
	apihttp.Document(w, r, func(e *mesosjson.Encoder) {
		e.BeginObject()
		e.Key("flags")
		e.BeginObject()
		for _, f := range p.Flags() {
			e.Key(f.Name)
			e.String(f.Value)
		}
		e.EndObject()
		e.EndObject()
	})
}

// ServeLogging answers GET /logging/toggle: how much is logged, or more of it for a
// while.
func (p Program) ServeLogging(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	refuse := func(text string) { apihttp.Refuse(http.StatusBadRequest, "%s.\n", text).Write(w, r) }
	switch {
	case !q.Has("level") && !q.Has("duration"):
		w.Header().Set("Content-Type", apihttp.TypeText)
		_, _ = w.Write([]byte(strconv.FormatUint(uint64(p.Verbosity.Level()), 10) + "\n")) // a reader that has gone needs no answer
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
	p.Verbosity.Set(uint32(level), lasts)
	apihttp.Empty(w, http.StatusOK)
}
