package operator

import (
	"runtime/debug"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// versionOf is what is known of this build. Without a time of its commit, it is as old as
// the agent.
func versionOf(v *core.View) *mesosv1.VersionInfo {
	built := v.Started
	info := &mesosv1.VersionInfo{Version: proto.String(v.Version), BuildUser: proto.String("mesos")}
	if known, ok := debug.ReadBuildInfo(); ok {
		for _, s := range known.Settings {
			switch s.Key {
			case "vcs.revision":
				info.GitSha = proto.String(s.Value)
			case "vcs.time":
				if at, err := time.Parse(time.RFC3339, s.Value); err == nil {
					built = at
				}
			}
		}
	}
	info.BuildDate = proto.String(built.UTC().Format("2006-01-02 15:04:05"))
	info.BuildTime = proto.Float64(float64(built.Unix()))
	return info
}
