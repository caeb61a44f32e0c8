package moduletest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
)

// rounds is how many runs with offers a check looks at.
const rounds = 12

// The frameworks and agents of the checks.
const (
	ann, bob    = "framework-ann", "framework-bob"
	east, west  = "agent-east", "agent-west"
	agentCPUs   = 4.0
	agentMemory = 1024.0
)

// allocatorChecks hold what any allocator keeps to, however it divides. When offers
// come, to whom first and how many at once is its own business.
func allocatorChecks() []check {
	return []check{
		{"offers name a framework, an agent, and resources allocated to one role", func(b *bench) {
			c := newCluster(b)
			c.addAgent(east)
			c.addFramework(ann, true)
			for _, s := range c.next() {
				assert.Equal(b, ann, s.GetFrameworkId().GetValue())
				assert.Equal(b, east, s.GetAgentId().GetValue())
				require.NotEmpty(b, s.GetResources())
				for _, r := range s.GetResources() {
					assert.Equal(b, roleOfFramework(ann), r.GetAllocationInfo().GetRole())
				}
			}
		}},
		{"never more is offered than there is", func(b *bench) {
			c := newCluster(b)
			c.addAgent(east)
			c.addAgent(west)
			c.addFramework(ann, true)
			c.addFramework(bob, true)
			var held []*allocation.Share
			for range rounds {
				shares := c.next()
				c.giveBack(held...)
				held = shares[:len(shares)/2] // something stays out, and something comes back
				c.giveBack(shares[len(held):]...)
			}
		}},
		{"what is brought back is offered again", func(b *bench) {
			c := newCluster(b)
			c.addAgent(east)
			c.addFramework(ann, true)
			for range rounds {
				c.giveBack(c.next()...)
			}
		}},
		{"a framework gets offers only while it is active", func(b *bench) {
			c := newCluster(b)
			c.addFramework(ann, false)
			c.addFramework(bob, true)
			c.addAgent(east)
			c.only(func(s *allocation.Share) bool { return s.GetFrameworkId().GetValue() == bob })
			c.do("DeactivateFramework", func(ctx context.Context) error { return c.a.DeactivateFramework(ctx, frameworkID(bob)) })
			c.do("ActivateFramework", func(ctx context.Context) error { return c.a.ActivateFramework(ctx, frameworkID(ann)) })
			c.settle()
			c.only(func(s *allocation.Share) bool { return s.GetFrameworkId().GetValue() == ann })
		}},
		{"a framework gets no offers for roles that are suppressed, until it revives them", func(b *bench) {
			c := newCluster(b)
			c.addFramework(ann, true, roleOfFramework(ann))
			c.addFramework(bob, true)
			c.addAgent(east)
			c.only(func(s *allocation.Share) bool { return s.GetFrameworkId().GetValue() == bob })
			c.do("SuppressOffers", func(ctx context.Context) error { return c.a.SuppressOffers(ctx, frameworkID(bob), nil) })
			c.do("ReviveOffers", func(ctx context.Context) error { return c.a.ReviveOffers(ctx, frameworkID(ann), nil) })
			c.settle()
			c.only(func(s *allocation.Share) bool { return s.GetFrameworkId().GetValue() == ann })
		}},
		{"of an agent that is not active nothing is offered", func(b *bench) {
			c := newCluster(b)
			c.addAgent(east)
			c.do("DeactivateSlave", func(ctx context.Context) error { return c.a.DeactivateSlave(ctx, agentID(east)) })
			c.addAgent(west)
			c.addFramework(ann, true)
			c.only(func(s *allocation.Share) bool { return s.GetAgentId().GetValue() == west })
		}},
		{"of a host that is not on the whitelist nothing is offered", func(b *bench) {
			c := newCluster(b)
			c.do("UpdateWhitelist", func(ctx context.Context) error {
				return c.a.UpdateWhitelist(ctx, &allocation.Whitelist{Hostnames: []string{west}})
			})
			c.addAgent(east)
			c.addAgent(west)
			c.addFramework(ann, true)
			c.only(func(s *allocation.Share) bool { return s.GetAgentId().GetValue() == west })
		}},
		{"what frameworks use on an agent is not offered", func(b *bench) {
			c := newCluster(b)
			c.addFramework(ann, true)
			used := []*mesosv1.Resource{allocatedTo(roleOfFramework(ann), scalar("cpus", agentCPUs-1))}
			c.addAgent(east, &allocation.Share{FrameworkId: frameworkID(ann), AgentId: agentID(east), Resources: used})
			for range rounds {
				c.giveBack(c.next()...)
			}
		}},
		{"Pause stops all offers until Resume", func(b *bench) {
			c := newCluster(b)
			c.do("Pause", c.a.Pause)
			c.addAgent(east)
			c.addFramework(ann, true)
			assert.Zero(b, c.calls(), "offers while it is paused")
			c.do("Resume", c.a.Resume)
			c.next()
		}},
		{"every call returns while offers are made", func(b *bench) {
			c := newCluster(b)
			c.addAgent(east)
			c.addFramework(ann, true)
			for _, call := range c.others() {
				shares := c.next()
				c.do(call.name, func(ctx context.Context) error {
					_ = call.do(ctx) // an error is an answer
					return nil
				})
				c.giveBack(shares...)
			}
			assert.Empty(b, panics(c.kit))
		}},
		{"InverseOfferStatuses are in the order of ids", func(b *bench) {
			c := newCluster(b)
			c.addAgent(west)
			c.addAgent(east)
			var all []*allocation.InverseOfferStatuses
			c.do("InverseOfferStatuses", func(ctx context.Context) (err error) {
				all, err = c.a.InverseOfferStatuses(ctx)
				return err
			})
			assert.True(b, slices.IsSortedFunc(all, func(x, y *allocation.InverseOfferStatuses) int {
				return strings.Compare(x.GetAgentId().GetValue(), y.GetAgentId().GetValue())
			}))
		}},
		{"Metrics are in the order of the names, each there once", func(b *bench) {
			c := newCluster(b)
			c.addAgent(east)
			c.addFramework(ann, true)
			c.giveBack(c.next()...)
			var all []*allocation.Metric
			c.do("Metrics", func(ctx context.Context) (err error) {
				all, err = c.a.Metrics(ctx)
				return err
			})
			for i, m := range all {
				assert.True(b, i == 0 || all[i-1].GetName() < m.GetName(), "%s comes before %s", all[max(i-1, 0)].GetName(), m.GetName())
			}
		}},
	}
}

type allocatorCall struct {
	name string
	do   func(context.Context) error
}

// others are calls that change no more than the checks can live with. The agent is the
// eastern one, and the framework ann.
func (c *cluster) others() []allocatorCall {
	a, agent, framework := c.a, agentID(east), frameworkID(ann)
	return []allocatorCall{
		{"UpdateFramework", func(ctx context.Context) error {
			return a.UpdateFramework(ctx, frameworkOf(ann, roleOfFramework(ann)), nil, nil)
		}},
		{"UpdateSlave", func(ctx context.Context) error {
			return a.UpdateSlave(ctx, agentOf(east), agentCapabilities(), agentTotal())
		}},
		{"RequestResources", func(ctx context.Context) error {
			return a.RequestResources(ctx, framework, []*mesosv1.Request{{Resources: []*mesosv1.Resource{scalar("cpus", 1)}}})
		}},
		{"UpdateUnavailability", func(ctx context.Context) error { return a.UpdateUnavailability(ctx, agent, nil) }},
		{"UpdateInverseOffer", func(ctx context.Context) error {
			return a.UpdateInverseOffer(ctx, agent, framework, nil, nil, nil, nil)
		}},
		{"UpdateQuota", func(ctx context.Context) error {
			role := roleOfFramework(ann)
			return a.UpdateQuota(ctx, &quota.QuotaConfig{Role: &role})
		}},
		{"UpdateWeights", func(ctx context.Context) error {
			role, weight := roleOfFramework(ann), 2.0
			return a.UpdateWeights(ctx, []*mesosv1.WeightInfo{{Role: &role, Weight: &weight}})
		}},
		{"ReviveOffers", func(ctx context.Context) error { return a.ReviveOffers(ctx, framework, nil) }},
		{"Metrics", func(ctx context.Context) error {
			_, err := a.Metrics(ctx)
			return err
		}},
		{"AddResourceProvider", func(ctx context.Context) error { return a.AddResourceProvider(ctx, agent, nil, nil) }},
	}
}

func roleOfFramework(framework string) string { return "role-" + framework }

func frameworkID(id string) *mesosv1.FrameworkID { return &mesosv1.FrameworkID{Value: &id} }
func agentID(id string) *mesosv1.AgentID         { return &mesosv1.AgentID{Value: &id} }

// agentCapabilities are those of every agent since Mesos 1.4.
func agentCapabilities() []*mesosv1.AgentInfo_Capability {
	var all []*mesosv1.AgentInfo_Capability
	for _, t := range []mesosv1.AgentInfo_Capability_Type{mesosv1.AgentInfo_Capability_MULTI_ROLE,
		mesosv1.AgentInfo_Capability_HIERARCHICAL_ROLE, mesosv1.AgentInfo_Capability_RESERVATION_REFINEMENT} {
		all = append(all, &mesosv1.AgentInfo_Capability{Type: t.Enum()})
	}
	return all
}

func agentTotal() []*mesosv1.Resource {
	return []*mesosv1.Resource{scalar("cpus", agentCPUs), scalar("mem", agentMemory)}
}

func allocatedTo(role string, r *mesosv1.Resource) *mesosv1.Resource {
	r.AllocationInfo = &mesosv1.Resource_AllocationInfo{Role: &role}
	return r
}

func describeShare(s *allocation.Share) string {
	return fmt.Sprintf("%s on %s", s.GetFrameworkId().GetValue(), s.GetAgentId().GetValue())
}
