package slave

import (
	"context"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/isolator"
)

// renewable has each module be told what the one before was told, whenever another
// instance takes its place. Those of the other roles keep nothing of the agent's.
func (r *running) renewable() {
	mods, all := r.sites.Manager, r.slave.cfg.Containers
	for n, held := range r.sites.Isolators {
		manager.OnRenew(mods, held, func(ctx context.Context, fresh isolator.Isolator) error {
			return all.RenewIsolator(ctx, n, fresh)
		})
	}
	for n, held := range r.sites.Containerizers {
		manager.OnRenew(mods, held, func(ctx context.Context, fresh containerizer.Containerizer) error {
			return all.RenewContainerizer(ctx, n, fresh)
		})
	}
	manager.OnRenew(mods, r.sites.Detector, r.slave.renewDetector)
	mods.Events().Observe(func(e lifecycle.Event) {
		switch e.(type) {
		case lifecycle.ModuleRestarted, lifecycle.FallbackBound, lifecycle.FallbackReturned:
			all.Renewed()
		default: // of no concern
		}
	})
}
