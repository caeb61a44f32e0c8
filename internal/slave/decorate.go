package slave

import (
	"context"
	"fmt"
	"log/slog"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/roles/hook"
)

// decorateAgent has the hooks decorate resources and attributes of the agent, once,
// before it begins. What is not valid is left out.
func decorateAgent(ctx context.Context, log *slog.Logger, hooks []hook.Hook, info *mesosv1.AgentInfo) *mesosv1.AgentInfo {
	with := func(r []*mesosv1.Resource, a []*mesosv1.Attribute) *mesosv1.AgentInfo {
		return &mesosv1.AgentInfo{Hostname: info.Hostname, Port: info.Port, Resources: r, Attributes: a, Domain: info.Domain}
	}
	for _, h := range hooks {
		made, err := h.SlaveResourcesDecorator(ctx, info)
		if err == nil && made != nil {
			var all resources.Resources
			if all, err = resources.New(made); err == nil {
				info = with(all.Messages(), info.Attributes)
			}
		}
		if err != nil {
			log.Warn(fmt.Sprintf("SlaveResourcesDecorator: a hook failed: %v", err))
		}
		attributes, err := h.SlaveAttributesDecorator(ctx, info)
		for _, a := range attributes {
			if err == nil {
				err = resources.ValidateAttribute(a)
			}
		}
		switch {
		case err != nil:
			log.Warn(fmt.Sprintf("SlaveAttributesDecorator: a hook failed: %v", err))
		case attributes != nil:
			info = with(info.Resources, attributes)
		}
	}
	return info
}
