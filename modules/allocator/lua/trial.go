package lua

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/modules/allocator/lua/vm"
)

// trial runs a script on a small cluster of its own, with everything that a script may
// meet: frameworks that share a role, roles below others, quota, reservations, attributes.
func trial(ctx context.Context, s *script, limits vm.Limits) error {
	result := make(chan error, 1)
	once := false
	a := hierarchical.NewWith(ctx, slog.New(slog.DiscardHandler), 1, divide(func(run hierarchical.Run) {
		if !once {
			once = true
			_, err := s.divide(run, run.Agents(), limits, slog.New(slog.DiscardHandler))
			result <- err
		}
	}))
	defer a.Close(context.WithoutCancel(ctx)) // which waits for a run, and that has a time limit
	if err := furnish(ctx, a); err != nil {
		return fmt.Errorf("make a cluster to try the script on: %w", err)
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return fmt.Errorf("try the script: %w", ctx.Err())
	}
}

// divide is an algorithm that is a function.
type divide func(hierarchical.Run)

func (d divide) Divide(run hierarchical.Run) { d(run) }

// furnish makes the cluster, and lets it run once.
func furnish(ctx context.Context, a *hierarchical.Allocator) error {
	if err := a.Initialize(ctx, &allocation.Options{AllocationInterval: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(time.Hour))}}); err != nil {
		return err
	}
	if err := a.UpdateQuota(ctx, &quota.QuotaConfig{Role: proto.String("web"),
		Limits: map[string]*mesosv1.Value_Scalar{"cpus": {Value: proto.Float64(3)}}}); err != nil {
		return err
	}
	if err := a.UpdateWeights(ctx, []*mesosv1.WeightInfo{{Role: proto.String("batch"), Weight: proto.Float64(2)}}); err != nil {
		return err
	}
	for _, f := range []struct{ id, role string }{{"trial-1", "web"}, {"trial-2", "batch"}, {"trial-3", "batch/night"}, {"trial-4", "batch"}} {
		if err := a.AddFramework(ctx, &mesosv1.FrameworkInfo{
			Id: &mesosv1.FrameworkID{Value: &f.id}, Roles: []string{f.role},
			Capabilities: []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
		}, nil, true, nil, nil); err != nil {
			return err
		}
	}
	for _, ag := range []struct{ id, resources string }{
		{"trial-agent-1", "cpus:4;mem:4096;disk:1000;ports:[31000-31010]"},
		{"trial-agent-2", "cpus:8;mem:1024;cpus(web):2;gpus:1"},
		{"trial-agent-3", "mem:64"},
	} {
		total, err := resources.Parse(ag.resources, resources.AnyRole)
		if err != nil {
			return err
		}
		if err := a.AddSlave(ctx, agentInfo(ag.id), capabilities(), nil, total.Messages(), nil); err != nil {
			return err
		}
	}
	return a.Offers(ctx, func([]*allocation.Share) {}) // the first run
}

func agentInfo(id string) *mesosv1.AgentInfo {
	return &mesosv1.AgentInfo{
		Id: &mesosv1.AgentID{Value: &id}, Hostname: proto.String(id + ".example"),
		Attributes: []*mesosv1.Attribute{
			{Name: proto.String("rack"), Type: mesosv1.Value_TEXT.Enum(), Text: &mesosv1.Value_Text{Value: proto.String("r1")}},
			{Name: proto.String("level"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(2)}},
		},
	}
}

// capabilities are those of every agent since Mesos 1.4.
func capabilities() []*mesosv1.AgentInfo_Capability {
	var all []*mesosv1.AgentInfo_Capability
	for _, t := range []mesosv1.AgentInfo_Capability_Type{mesosv1.AgentInfo_Capability_MULTI_ROLE,
		mesosv1.AgentInfo_Capability_HIERARCHICAL_ROLE, mesosv1.AgentInfo_Capability_RESERVATION_REFINEMENT} {
		all = append(all, &mesosv1.AgentInfo_Capability{Type: t.Enum()})
	}
	return all
}
