package moduletest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// fairnessBehaviours are about who comes first.
func fairnessBehaviours() []behaviour {
	return []behaviour{
		{name: "UnreservedDRF", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:2;mem:1024")
			m.expect("f1 role1 a1 cpus:2;mem:1024")
			m.join("f2", "role2")
			m.agent("a2", "cpus:1;mem:512")
			m.expect("f2 role2 a2 cpus:1;mem:512")
			m.agent("a3", "cpus:3;mem:2048") // role1 has 2 of 6 cpus, role2 one
			m.expect("f2 role2 a3 cpus:3;mem:2048")
			m.join("f3", "role1")
			m.expect()
			m.agent("a4", "cpus:4;mem:4096") // and f3 has nothing yet
			m.expect("f3 role1 a4 cpus:4;mem:4096")
			m.join("f4", "role1")
			m.agent("a5", "cpus:1;mem:512")
			m.expect("f2 role2 a5 cpus:1;mem:512")
			m.join("f5", "role3")
			m.agent("a6", "cpus:1;mem:512")
			m.expect("f5 role3 a6 cpus:1;mem:512")
		}},
		{name: "ReservedDRF", hold: func(m *market) {
			m.agent("a1", "cpus(role1):1;mem(role1):512;cpus:1;mem:512")
			m.join("f1", "role1")
			m.expect("f1 role1 a1 cpus(role1):1;mem(role1):512;cpus:1;mem:512")
			m.join("f2", "role2")
			m.agent("a2", "cpus:2;mem:512")
			m.expect("f2 role2 a2 cpus:2;mem:512")
			m.agent("a3", "cpus:2;mem:512") // role1 would be lower without what is reserved
			m.expect("f2 role2 a3 cpus:2;mem:512")
			m.agent("a4", "cpus(role1):2;mem(role1):512") // whoever is lower
			m.expect("f1 role1 a4 cpus(role1):2;mem(role1):512")
		}},
		{name: "DRFWithFairnessExclusion", options: func(o *allocation.Options) { o.FairnessExcludeResourceNames = []string{"gpus"} },
			hold: func(m *market) {
				gpus := can(mesosv1.FrameworkInfo_Capability_GPU_RESOURCES)
				m.join("f1", "role1", gpus)
				m.agent("a1", "cpus:1;mem:512;gpus:4")
				m.expect("f1 role1 a1 cpus:1;mem:512;gpus:4")
				m.join("f2", "role2", gpus)
				m.agent("a2", "cpus:2;mem:512")
				m.expect("f2 role2 a2 cpus:2;mem:512")
				m.agent("a3", "cpus:1;mem:512") // role1 has all gpus and the fewest cpus
				m.expect("f1 role1 a3 cpus:1;mem:512")
			}},
		{name: "NestedRoleDRF", hold: func(m *market) {
			m.join("f1", "a/x")
			m.join("f2", "b")
			m.agent("a1", "cpus:1;mem:512")
			m.expect("f1 a/x a1 cpus:1;mem:512")
			m.agent("a2", "cpus:1;mem:512")
			m.expect("f2 b a2 cpus:1;mem:512")
			m.join("f3", "a/y")
			m.agent("a3", "cpus:1;mem:512") // a and b are equal; below a, y has nothing
			m.expect("f3 a/y a3 cpus:1;mem:512")
			m.agent("a4", "cpus:1;mem:512") // x and y count as a
			m.expect("f2 b a4 cpus:1;mem:512")
			m.join("f4", "a")
			m.agent("a5", "cpus:1;mem:512") // a competes with x and y
			m.expect("f4 a a5 cpus:1;mem:512")
		}},
		{name: "CoarseGrained", hold: func(m *market) {
			m.pauseWhile(func() {
				m.agent("a1", "cpus:2;mem:1024")
				m.agent("a2", "cpus:2;mem:1024")
				m.join("f1", "role1")
				m.join("f2", "role2")
			})
			got := map[string]int{}
			for _, s := range m.look() {
				got[s.GetFrameworkId().GetValue()]++
				assert.Equal(m.t, "cpus:2;mem:1024", short(s.GetResources()))
			}
			assert.Equal(m.t, map[string]int{"f1": 1, "f2": 1}, got)
		}},
		{name: "SameShareFairness", hold: func(m *market) {
			m.join("f1", "*")
			m.join("f2", "*")
			m.agent("a1", "cpus:2;mem:1024")
			got := map[string]int{}
			for range 10 {
				came := m.look()
				require.Len(m.t, came, 1)
				id := came[0].GetFrameworkId().GetValue()
				got[id]++
				m.giveBack(id, "*", "a1", noFilter)
				m.run()
			}
			assert.Equal(m.t, map[string]int{"f1": 5, "f2": 5}, got)
		}},
		{name: "UpdateWeight", hold: func(m *market) {
			m.weigh("role2", 2)
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.pauseWhile(func() {
				for _, id := range []string{"a1", "a2", "a3", "a4", "a5", "a6"} {
					m.agent(id, "cpus:2;mem:1024")
				}
			})
			assert.Equal(m.t, map[string]int{"f1": 2, "f2": 4}, m.takeBackAll())
			m.weigh("role3", 3)
			m.pauseWhile(func() { m.join("f3", "role3") })
			assert.Equal(m.t, map[string]int{"f1": 1, "f2": 2, "f3": 3}, m.takeBackAll())
		}},
		{name: "NoDoubleAccounting", hold: func(m *market) {
			used := func(agent string) *allocation.Share { return uses("f1", "role1", agent, res("cpus:1;mem:512")) }
			m.agent("a1", "cpus:2;mem:1024", used("a1"))
			p := m.framework("f1", []string{"role1"})
			p.used = []*allocation.Share{used("a1"), used("a2")}
			p.suppressed = []string{"role1"}
			m.joinAs(p)
			m.agent("a2", "cpus:2;mem:1024", used("a2"))
			m.join("f2", "role2")
			for _, agent := range []string{"a1", "a2"} {
				m.giveBackPart("f1", agent, to("role1", res("cpus:1;mem:512")), noFilter, true)
				err := m.a.RecoverResources(m.t.Context(), frameworkID("f1"), agentID(agent), to("role1", res("cpus:1;mem:512")), nil, true)
				assert.Error(m.t, err, "it was used once")
			}
			m.expect("f2 role2 a1 cpus:1;mem:512", "f2 role2 a2 cpus:1;mem:512")
			m.run()
			m.expect("f2 role2 a1 cpus:1;mem:512", "f2 role2 a2 cpus:1;mem:512")
		}},
		{name: "RemoveSlaveRecoverResources", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:1;mem:512")
			m.expect("f1 role1 a1 cpus:1;mem:512")
			m.join("f2", "role2")
			m.agent("a2", "cpus:1;mem:512")
			m.expect("f2 role2 a2 cpus:1;mem:512")
			m.must(m.a.RemoveSlave(m.t.Context(), agentID("a1")))
			m.agent("a3", "cpus:1;mem:512")
			m.expect("f1 role1 a3 cpus:1;mem:512")
		}},
		{name: "RecoverResources", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus(role1):1;mem(role1):200;cpus:1;mem:200")
			all := "f1 role1 a1 cpus(role1):1;mem(role1):200;cpus:1;mem:200"
			m.expect(all)
			m.giveBackPart("f1", "a1", to("role1", res("cpus:1;mem(role1):200")), noFilter, false)
			m.expect() // not before the next run
			m.run()
			m.expect("f1 role1 a1 cpus:1;mem(role1):200")
		}},
	}
}

// pauseWhile does something without offers, and lets the next run over all agents pass.
func (m *market) pauseWhile(do func()) {
	m.t.Helper()
	m.must(m.a.Pause(m.t.Context()))
	do()
	m.expect()
	m.must(m.a.Resume(m.t.Context()))
	m.run()
}

// takeBackAll gives back all that came, and counts by framework.
func (m *market) takeBackAll() map[string]int {
	m.t.Helper()
	got := map[string]int{}
	for _, s := range m.look() {
		id := s.GetFrameworkId().GetValue()
		got[id]++
		m.giveBack(id, s.GetResources()[0].GetAllocationInfo().GetRole(), s.GetAgentId().GetValue(), noFilter)
	}
	return got
}

// roleBehaviours are about the tree of roles.
func roleBehaviours() []behaviour {
	return []behaviour{
		{name: "Reservations", hold: func(m *market) {
			m.agent("a1", "cpus(role1):2;mem(role1):1024;cpus(role2):1;mem(role2):512")
			m.agent("a2", "cpus(role1):1;mem(role1):512")
			m.join("f1", "role1")
			m.expect("f1 role1 a1 cpus(role1):2;mem(role1):1024", "f1 role1 a2 cpus(role1):1;mem(role1):512")
			m.join("f2", "role2")
			m.expect("f2 role2 a1 cpus(role2):1;mem(role2):512")
			m.join("f3", "role3")
			m.run()
			m.expect()
		}},
		{name: "OfferAncestorReservationsToDescendantChild", hold: func(m *market) {
			m.agent("a1", "cpus(a):1;mem(a):100;cpus(a/b):1;mem(a/b):200;cpus(a/b/c):1;mem(a/b/c):300;cpus(a/d):1;mem(a/d):400")
			m.join("f0", "b")
			m.expect()
			m.join("f1", "a/b")
			m.expect("f1 a/b a1 cpus(a):1;mem(a):100;cpus(a/b):1;mem(a/b):200")
			m.giveBack("f1", "a/b", "a1", noFilter)
			m.must(m.a.SuppressOffers(m.t.Context(), frameworkID("f1"), nil))
			m.join("f2", "a/b/c/d")
			m.expect("f2 a/b/c/d a1 cpus(a):1;mem(a):100;cpus(a/b):1;mem(a/b):200;cpus(a/b/c):1;mem(a/b/c):300")
			m.join("f3", "a/d")
			m.expect("f3 a/d a1 cpus(a/d):1;mem(a/d):400")
		}},
		{name: "DontOfferOldAgentToMultiRoleFramework", hold: func(m *market) {
			m.join("f1", "role1")
			m.must(m.a.AddSlave(m.t.Context(), agentOf("a1"), nil, nil, res("cpus:1;mem:512"), nil))
			m.expect()
			m.run()
			m.expect()
			old := m.framework("f2", nil)
			old.info.Capabilities, old.info.Role = nil, proto.String("role1")
			m.joinAs(old)
			m.expect("f2 role1 a1 cpus:1;mem:512")
		}},
		{name: "DontOfferOldAgentToHierarchicalRole", hold: func(m *market) {
			m.join("f1", "a/b")
			multi := agentCapabilities()[:1]
			m.must(m.a.AddSlave(m.t.Context(), agentOf("a1"), multi, nil, res("cpus:1;mem:512"), nil))
			m.expect()
			m.join("f2", "c")
			m.expect("f2 c a1 cpus:1;mem:512")
		}},
	}
}
