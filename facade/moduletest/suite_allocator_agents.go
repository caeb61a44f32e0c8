package moduletest

import (
	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	v1allocator "github.com/mesos-modules/mms/facade/mesos/v1/allocator"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
)

// agentBehaviours are about agents that come, change and go.
func agentBehaviours() []behaviour {
	update := func(m *market, capabilities []*mesosv1.AgentInfo_Capability, total []*mesosv1.Resource) {
		m.must(m.a.UpdateSlave(m.t.Context(), agentOf("a1"), capabilities, total))
	}
	return []behaviour{
		{name: "Whitelist", hold: func(m *market) {
			list := func(hosts ...string) {
				m.must(m.a.UpdateWhitelist(m.t.Context(), &allocation.Whitelist{Hostnames: hosts}))
			}
			list("another")
			m.agent("a1", "cpus:2;mem:1024")
			m.join("f1", "role1")
			m.run()
			m.expect()
			list("another", "a1")
			m.run()
			m.expect("f1 role1 a1 cpus:2;mem:1024")
			list()
			m.agent("a2", "cpus:1;mem:512")
			m.run()
			m.expect()
			m.must(m.a.UpdateWhitelist(m.t.Context(), nil))
			m.run()
			m.expect("f1 role1 a2 cpus:1;mem:512")
		}},
		{name: "UpdateSlaveOversubscribedResources", hold: func(m *market) {
			m.join("f1", "role1", can(mesosv1.FrameworkInfo_Capability_REVOCABLE_RESOURCES))
			m.agent("a1", "cpus:10;mem:1024")
			m.expect("f1 role1 a1 cpus:10;mem:1024")
			update(m, agentCapabilities(), append(res("cpus:10;mem:1024"), revocable(res("cpus:10"))...))
			m.expect("f1 role1 a1 cpus{REV}:10")
			update(m, agentCapabilities(), append(res("cpus:10;mem:1024"), revocable(res("cpus:12"))...))
			m.expect("f1 role1 a1 cpus{REV}:2")
			update(m, agentCapabilities(), append(res("cpus:10;mem:1024"), revocable(res("cpus:5"))...))
			m.expect() // more is out than there is
		}},
		{name: "UpdateSlaveTotalResources", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:100;mem:100")
			m.expect("f1 role1 a1 cpus:100;mem:100")
			update(m, agentCapabilities(), res("cpus:150;mem:140;disk:5"))
			m.expect("f1 role1 a1 cpus:50;mem:40;disk:5")
			update(m, agentCapabilities(), res("cpus:80;mem:140;disk:5"))
			m.giveBack("f1", "role1", "a1", noFilter)
			m.run()
			m.expect("f1 role1 a1 cpus:80;mem:140;disk:5")
		}},
		{name: "UpdateSlaveCapabilities", hold: func(m *market) {
			m.join("f1", "role1")
			m.must(m.a.AddSlave(m.t.Context(), agentOf("a1"), nil, nil, res("cpus:1;mem:512"), nil))
			m.expect()
			update(m, agentCapabilities(), res("cpus:1;mem:512"))
			m.expect("f1 role1 a1 cpus:1;mem:512")
		}},
		{name: "AddResourceProvider", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:1;mem:512")
			m.expect("f1 role1 a1 cpus:1;mem:512")
			m.must(m.a.AddResourceProvider(m.t.Context(), agentID("a1"), res("cpus:2;disk:100"),
				[]*allocation.Share{uses("f1", "role1", "a1", res("cpus:1;disk:40"))}))
			m.expect("f1 role1 a1 cpus:1;disk:60")
			m.giveBackPart("f1", "a1", to("role1", res("cpus:1;disk:40")), noFilter, true)
			m.run()
			m.expect("f1 role1 a1 cpus:1;disk:40")
		}},
		{name: "AddResourceProviderOverallocated", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:1;mem:512")
			m.expect("f1 role1 a1 cpus:1;mem:512")
			m.must(m.a.AddResourceProvider(m.t.Context(), agentID("a1"), res("mem:100"),
				[]*allocation.Share{uses("f1", "role1", "a1", res("mem:150"))}))
			m.run()
			m.expect()
			m.giveBackPart("f1", "a1", to("role1", res("mem:50")), noFilter, true)
			m.run()
			m.expect()
			m.giveBackPart("f1", "a1", to("role1", res("mem:50")), noFilter, true)
			m.run()
			m.expect("f1 role1 a1 mem:50")
		}},
		{name: "ActivateAndDeactivateSlave", hold: func(m *market) {
			m.agent("a1", "cpus:1;mem:512")
			m.must(m.a.DeactivateSlave(m.t.Context(), agentID("a1")))
			m.join("f1", "role1")
			m.run()
			m.expect()
			m.must(m.a.ActivateSlave(m.t.Context(), agentID("a1")))
			m.run()
			m.expect("f1 role1 a1 cpus:1;mem:512")
		}},
		{name: "NonScalarReservationTrackingMESOS_9555", hold: func(m *market) {
			m.agent("a1", "cpus:1;mem:512;ports(role1):[1-10]")
			m.agent("a2", "cpus:1;mem:512;ports(role1):[1-10]")
			m.join("f1", "role1")
			m.expect("f1 role1 a1 cpus:1;mem:512;ports(role1):[1-10]", "f1 role1 a2 cpus:1;mem:512;ports(role1):[1-10]")
			m.must(m.a.RemoveSlave(m.t.Context(), agentID("a1")))
			m.giveBack("f1", "role1", "a2", noFilter)
			m.run()
			m.expect("f1 role1 a2 cpus:1;mem:512;ports(role1):[1-10]")
			m.must(m.a.RemoveSlave(m.t.Context(), agentID("a2")))
			m.run()
			m.expect()
		}},
		{name: "RemoveFramework", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:1;mem:512")
			m.agent("a2", "cpus:2;mem:512")
			m.expect("f1 role1 a1 cpus:1;mem:512", "f1 role1 a2 cpus:2;mem:512")
			m.giveBack("f1", "role1", "a1", 1e6)
			m.must(m.a.RemoveFramework(m.t.Context(), frameworkID("f1")))
			m.giveBack("f1", "role1", "a2", 1e6) // what it had may come back later
			m.run()
			m.expect()
			m.join("f1", "role1") // and is not refused by its successor
			m.expect("f1 role1 a1 cpus:1;mem:512", "f1 role1 a2 cpus:2;mem:512")
		}},
		{name: "RecoverWithoutQuota", hold: func(m *market) {
			m.must(m.a.Recover(m.t.Context(), 2, nil))
			m.join("f1", "role1")
			m.agent("a1", "cpus:1;mem:512")
			m.expect("f1 role1 a1 cpus:1;mem:512")
		}},
		{name: "RecoverWithQuotaWaitsForAgents", hold: func(m *market) {
			m.must(m.a.Recover(m.t.Context(), 3, []*quota.QuotaConfig{quotaOf("role9", "cpus:1", "")}))
			m.join("f1", "role1")
			m.agent("a1", "cpus:2;mem:512")
			m.run()
			m.expect()
			m.agent("a2", "cpus:2;mem:512") // 2 of 3, and 0.8 of them are 2
			m.run()
			assert.Len(m.t, m.look(), 2)
		}},
		{name: "RecoverWithQuotaWaitsNoLongerThanTheTimeout", hold: func(m *market) {
			m.must(m.a.Recover(m.t.Context(), 100, []*quota.QuotaConfig{quotaOf("role9", "cpus:1", "")}))
			m.join("f1", "role1")
			m.agent("a1", "cpus:2;mem:512")
			m.pass(599 * marketInterval)
			m.expect()
			m.pass(2 * marketInterval)
			m.expect("f1 role1 a1 cpus:1;mem:512")
		}},
	}
}

// maintenanceBehaviours are about agents that will be away.
func maintenanceBehaviours() []behaviour {
	away := func() *mesosv1.Unavailability {
		return &mesosv1.Unavailability{Start: &mesosv1.TimeInfo{Nanoseconds: proto.Int64(1e18)}}
	}
	expect := func(m *market, want ...string) {
		m.t.Helper()
		m.mu.Lock()
		defer m.mu.Unlock()
		got := []string{}
		for _, s := range m.inverse {
			got = append(got, s.GetFrameworkId().GetValue()+" "+s.GetAgentId().GetValue())
			assert.Empty(m.t, s.GetResources(), "the machine as a whole")
			assert.Equal(m.t, int64(1e18), s.GetUnavailability().GetStart().GetNanoseconds())
		}
		m.inverse = nil
		assert.ElementsMatch(m.t, append([]string{}, want...), got)
	}
	answer := func(m *market, agent, framework string, refuse float64) {
		status := v1allocator.InverseOfferStatus_ACCEPT
		var f *mesosv1.Filters
		if refuse != noFilter {
			status, f = v1allocator.InverseOfferStatus_DECLINE, &mesosv1.Filters{RefuseSeconds: &refuse}
		}
		m.must(m.a.UpdateInverseOffer(m.t.Context(), agentID(agent), frameworkID(framework), nil, away(), &v1allocator.InverseOfferStatus{
			Status: &status, FrameworkId: frameworkID(framework), Timestamp: &mesosv1.TimeInfo{Nanoseconds: proto.Int64(1)}}, f))
	}
	return []behaviour{
		{name: "AddAgentWithUnknownFrameworkAndMaintenance", hold: func(m *market) {
			m.join("f1", "role1")
			m.must(m.a.AddSlave(m.t.Context(), agentOf("a1"), agentCapabilities(), away(), res("cpus:2;mem:1024"),
				[]*allocation.Share{uses("f9", "role9", "a1", res("cpus:1;mem:24"))}))
			m.run()
			m.expect("f1 role1 a1 cpus:1;mem:1000")
			expect(m, "f1 a1") // it has been offered something meanwhile
		}},
		{name: "MaintenanceInverseOffers", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:1;mem:512")
			m.agent("a2", "cpus:1;mem:512")
			m.expect("f1 role1 a1 cpus:1;mem:512", "f1 role1 a2 cpus:1;mem:512")
			m.join("f2", "role2")
			m.must(m.a.UpdateUnavailability(m.t.Context(), agentID("a1"), away()))
			m.must(m.a.UpdateUnavailability(m.t.Context(), agentID("a2"), away()))
			expect(m, "f1 a1", "f1 a2") // f2 has nothing there
			m.run()
			expect(m) // they are out
			answer(m, "a1", "f1", noFilter)
			answer(m, "a2", "f1", 1e6)
			m.run()
			expect(m, "f1 a1")
			all, err := m.a.InverseOfferStatuses(m.t.Context())
			m.must(err)
			if assert.Len(m.t, all, 2) && assert.Len(m.t, all[0].GetStatuses(), 1) && assert.Len(m.t, all[1].GetStatuses(), 1) {
				assert.Equal(m.t, v1allocator.InverseOfferStatus_ACCEPT, all[0].GetStatuses()[0].GetStatus())
				assert.Equal(m.t, v1allocator.InverseOfferStatus_DECLINE, all[1].GetStatuses()[0].GetStatus())
			}
			m.must(m.a.UpdateUnavailability(m.t.Context(), agentID("a2"), away())) // all are to think again
			expect(m, "f1 a2")
			m.must(m.a.UpdateUnavailability(m.t.Context(), agentID("a1"), nil))
			m.must(m.a.UpdateUnavailability(m.t.Context(), agentID("a2"), nil))
			m.run()
			expect(m)
			all, err = m.a.InverseOfferStatuses(m.t.Context())
			m.must(err)
			assert.Empty(m.t, all)
		}},
	}
}
