package master

import (
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
)

// renewable has each module be told what the one before was told, whenever another
// instance takes its place. Those of the other roles keep nothing of the master's.
func (m *Master) renewable(mods *manager.Manager) {
	manager.OnRenew(mods, m.c.Allocator, m.allocator.renew)
	manager.OnRenew(mods, m.c.Authenticator, m.sessions.renew)
	manager.OnRenew(mods, m.c.Contender, m.candidacy.renewContender)
	manager.OnRenew(mods, m.c.Detector, m.candidacy.renewDetector)
	mods.Events().Observe(func(e lifecycle.Event) {
		switch e.(type) {
		case lifecycle.ModuleRestarted, lifecycle.FallbackBound, lifecycle.FallbackReturned:
			m.allocator.renewed()
		default: // of no concern
		}
	})
}
