package master

import (
	"net/http"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/about"
)

// self is the master as a program.
func (m *Master) self() about.Program {
	return about.Program{Version: m.c.Core.Info.GetVersion(), Started: m.c.Core.Started, Flags: m.c.Flags, Verbosity: m.c.Verbosity}
}

func (m *Master) versionInfo() *mesosv1.VersionInfo { return m.self().VersionInfo() }

// flags answers GET /flags.
func (m *Master) flags(w http.ResponseWriter, r *http.Request) {
	if refusal := m.mayViewFlags(r); refusal != nil {
		refusal.Write(w, r)
		return
	}
	m.self().ServeFlags(w, r)
}
