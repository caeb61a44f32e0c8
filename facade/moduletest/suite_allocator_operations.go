package moduletest

import (
	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// operationBehaviours are about operations on what is offered, and on what is free.
func operationBehaviours() []behaviour {
	update := func(m *market, offered []*mesosv1.Resource, consumed, converted []*mesosv1.Resource) {
		m.t.Helper()
		m.must(m.a.UpdateAllocation(m.t.Context(), frameworkID("f1"), agentID("a1"), to("role1", offered),
			[]*allocation.Conversion{{Consumed: to("role1", consumed), Converted: to("role1", converted)}}))
	}
	reserve := func(r []*mesosv1.Resource) []*mesosv1.Offer_Operation {
		return []*mesosv1.Offer_Operation{{Type: mesosv1.Offer_Operation_RESERVE.Enum(), Reserve: &mesosv1.Offer_Operation_Reserve{Resources: r}}}
	}
	return []behaviour{
		{name: "UpdateAllocation", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:100;mem:200")
			m.expect("f1 role1 a1 cpus:100;mem:200")
			update(m, res("cpus:100;mem:200"), res("cpus:40"), reserved("role1", res("cpus:40")))
			m.giveBackPart("f1", "a1", to("role1", append(res("cpus:60;mem:200"), reserved("role1", res("cpus:40"))...)), noFilter, false)
			m.run()
			m.expect("f1 role1 a1 cpus:60;mem:200;cpus(role1):40")
		}},
		{name: "UpdateAllocationRemoveResources", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:100;mem:200;disk:50")
			m.expect("f1 role1 a1 cpus:100;mem:200;disk:50")
			update(m, res("cpus:100;mem:200;disk:50"), res("disk:20"), nil)
			m.giveBackPart("f1", "a1", to("role1", res("cpus:100;mem:200;disk:30")), noFilter, false)
			m.run()
			m.expect("f1 role1 a1 cpus:100;mem:200;disk:30")
		}},
		{name: "UpdateAllocationOfWhatIsNotThere", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:100;mem:200")
			m.expect("f1 role1 a1 cpus:100;mem:200")
			for _, c := range []struct{ offered, consumed string }{{"cpus:101", "cpus:1"}, {"cpus:10", "cpus:11"}, {"disk:1", "disk:1"}} {
				assert.Error(m.t, m.a.UpdateAllocation(m.t.Context(), frameworkID("f1"), agentID("a1"), to("role1", res(c.offered)),
					[]*allocation.Conversion{{Consumed: to("role1", res(c.consumed))}}))
			}
			m.giveBack("f1", "role1", "a1", noFilter)
			m.run()
			m.expect("f1 role1 a1 cpus:100;mem:200")
		}},
		{name: "UpdateAllocationSharedPersistentVolume", hold: func(m *market) {
			volume := func() []*mesosv1.Resource { return []*mesosv1.Resource{sharedVolume("v1", "role1", 10)} }
			m.join("f1", "role1", can(mesosv1.FrameworkInfo_Capability_SHARED_RESOURCES))
			m.agentWith("a1", append(res("cpus:100;mem:200"), volume()...))
			m.expect("f1 role1 a1 cpus:100;mem:200;disk(role1)[v1]<SHARED>:10")
			update(m, volume(), nil, append(volume(), volume()...)) // two more tasks use it
			for range 3 {
				m.giveBackPart("f1", "a1", to("role1", volume()), noFilter, false)
			}
			assert.Error(m.t, m.a.RecoverResources(m.t.Context(), frameworkID("f1"), agentID("a1"), to("role1", volume()), nil, false), "three had it")
			m.giveBackPart("f1", "a1", to("role1", res("cpus:100;mem:200")), noFilter, false)
			m.run()
			m.expect("f1 role1 a1 cpus:100;mem:200;disk(role1)[v1]<SHARED>:10")
		}},
		{name: "UpdateAvailableSuccess", hold: func(m *market) {
			m.agent("a1", "cpus:100;mem:100")
			m.must(m.a.UpdateAvailable(m.t.Context(), agentID("a1"), reserve(reserved("role1", res("cpus:25;mem:50")))))
			m.join("f2", "role2")
			m.expect("f2 role2 a1 cpus:75;mem:50")
			m.join("f1", "role1")
			m.expect("f1 role1 a1 cpus(role1):25;mem(role1):50")
		}},
		{name: "UpdateAvailableUnreserve", hold: func(m *market) {
			m.agentWith("a1", append(res("mem:100"), reserved("role1", res("cpus:25"))...))
			m.must(m.a.UpdateAvailable(m.t.Context(), agentID("a1"), []*mesosv1.Offer_Operation{{Type: mesosv1.Offer_Operation_UNRESERVE.Enum(),
				Unreserve: &mesosv1.Offer_Operation_Unreserve{Resources: reserved("role1", res("cpus:5"))}}}))
			m.join("f2", "role2")
			m.expect("f2 role2 a1 cpus:5;mem:100")
		}},
		{name: "UpdateAvailableFail", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:100;mem:100")
			m.expect("f1 role1 a1 cpus:100;mem:100")
			assert.Error(m.t, m.a.UpdateAvailable(m.t.Context(), agentID("a1"), reserve(reserved("role1", res("cpus:25")))))
			m.giveBack("f1", "role1", "a1", noFilter)
			m.run()
			m.expect("f1 role1 a1 cpus:100;mem:100")
		}},
	}
}

// kindBehaviours are about resources that not all frameworks can have.
func kindBehaviours() []behaviour {
	shared := can(mesosv1.FrameworkInfo_Capability_SHARED_RESOURCES)
	best := can(mesosv1.FrameworkInfo_Capability_REVOCABLE_RESOURCES)
	return []behaviour{
		{name: "SharedResourcesCapability", hold: func(m *market) {
			m.join("f1", "role1")
			m.agentWith("a1", append(res("cpus:3;mem:1024"), sharedVolume("v1", "role1", 10)))
			m.expect("f1 role1 a1 cpus:3;mem:1024")
			m.join("f2", "role1", shared)
			m.must(m.a.SuppressOffers(m.t.Context(), frameworkID("f1"), nil))
			m.giveBack("f1", "role1", "a1", noFilter)
			m.run()
			m.expect("f2 role1 a1 cpus:3;mem:1024;disk(role1)[v1]<SHARED>:10")
		}},
		{name: "AllocateSharedResources", hold: func(m *market) {
			m.join("f1", "role1", shared)
			m.join("f2", "role1", shared)
			m.agentWith("a1", append(res("cpus:3;mem:1024"), sharedVolume("v1", "role1", 10)))
			m.expect("f1 role1 a1 cpus:3;mem:1024;disk(role1)[v1]<SHARED>:10")
			m.run()
			m.expect()
			m.giveBackPart("f1", "a1", to("role1", res("cpus:2;mem:512")), 1e6, false)
			m.run() // it is in use, and offered to the other too
			m.expect("f2 role1 a1 cpus:2;mem:512;disk(role1)[v1]<SHARED>:10")
			m.giveBackPart("f1", "a1", to("role1", res("cpus:1;mem:512")), noFilter, false)
			m.run() // to one of them in each run, of which f1 has less
			assert.Len(m.t, m.look(), 1)
		}},
		{name: "AllocateSharedResourcesOnceARun", options: func(o *allocation.Options) { o.MinAllocatableResources = nil }, hold: func(m *market) {
			m.pauseWhile(func() {
				m.join("f1", "role1", shared)
				m.join("f2", "role1", shared)
				m.agentWith("a1", []*mesosv1.Resource{sharedVolume("v1", "role1", 10)})
			})
			m.expect("f1 role1 a1 disk(role1)[v1]<SHARED>:10")
			m.run()
			m.expect("f2 role1 a1 disk(role1)[v1]<SHARED>:10")
			m.agent("a2", "disk:30")
			m.expect("f1 role1 a2 disk:30") // both have the same, and were served as often
			m.expectMetric("mesos/roles/role1/shares/dominant", 1)
			m.expectMetric("mesos/resources/disk/offered_or_allocated", 40)
			m.giveBackPart("f1", "a1", to("role1", []*mesosv1.Resource{sharedVolume("v1", "role1", 10)}), 1e6, false)
			m.expectMetric("mesos/roles/role1/shares/dominant", 1) // f2 has it still
			m.giveBackPart("f2", "a1", to("role1", []*mesosv1.Resource{sharedVolume("v1", "role1", 10)}), 1e6, false)
			m.expectMetric("mesos/roles/role1/shares/dominant", 0.75)
		}},
		{name: "OversubscribedNotAllocated", hold: func(m *market) {
			m.join("f1", "role1")
			m.agentWith("a1", append(res("cpus:2;mem:1024"), revocable(res("cpus:5"))...))
			m.expect("f1 role1 a1 cpus:2;mem:1024")
			m.run()
			m.expect()
			m.join("f2", "role2", best)
			m.expect("f2 role2 a1 cpus{REV}:5")
		}},
		{name: "RecoverOversubscribedResources", hold: func(m *market) {
			m.join("f1", "role1", best)
			m.agentWith("a1", append(res("cpus:2;mem:1024"), revocable(res("cpus:5"))...))
			m.expect("f1 role1 a1 cpus:2;mem:1024;cpus{REV}:5")
			m.giveBackPart("f1", "a1", to("role1", append(res("cpus:1;mem:512"), revocable(res("cpus:3"))...)), noFilter, false)
			m.run()
			m.expect("f1 role1 a1 cpus:1;mem:512;cpus{REV}:3")
		}},
		{name: "FrameworkLoopMESOS_9554", hold: func(m *market) {
			m.join("f1", "role1") // comes first, and can have no GPUs
			m.join("f2", "role1", can(mesosv1.FrameworkInfo_Capability_GPU_RESOURCES))
			m.agent("a1", "cpus:2;mem:1024;gpus:1")
			m.expect("f2 role1 a1 cpus:2;mem:1024;gpus:1")
			m.agent("a2", "cpus:2;mem:1024")
			m.expect("f1 role1 a2 cpus:2;mem:1024")
		}},
		{name: "GPUsForAll", options: func(o *allocation.Options) { o.FilterGpuResources = new(bool) }, hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:2;mem:1024;gpus:1")
			m.expect("f1 role1 a1 cpus:2;mem:1024;gpus:1")
		}},
		{name: "RefinedReservations", hold: func(m *market) {
			m.join("f1", "a/b")
			m.agentWith("a1", append(res("cpus:1;mem:512"), reserved("a/b", reserved("a", res("cpus:3")))...))
			m.expect("f1 a/b a1 cpus:1;mem:512")
			m.join("f2", "a/b", can(mesosv1.FrameworkInfo_Capability_RESERVATION_REFINEMENT))
			m.expect("f2 a/b a1 cpus(a,a/b):3")
		}},
		{name: "RegionAware", options: func(o *allocation.Options) { o.Domain = domainOf("here") }, hold: func(m *market) {
			there := agentOf("a1")
			there.Domain = domainOf("there")
			here := agentOf("a2")
			here.Domain = domainOf("here")
			for _, info := range []*mesosv1.AgentInfo{there, here, agentOf("a3")} {
				m.must(m.a.AddSlave(m.t.Context(), info, agentCapabilities(), nil, res("cpus:1;mem:512"), nil))
			}
			m.join("f1", "role1")
			m.expect("f1 role1 a2 cpus:1;mem:512", "f1 role1 a3 cpus:1;mem:512")
			m.join("f2", "role2", can(mesosv1.FrameworkInfo_Capability_REGION_AWARE))
			m.expect("f2 role2 a1 cpus:1;mem:512")
		}},
	}
}

func domainOf(region string) *mesosv1.DomainInfo {
	zone := region + "-1"
	return &mesosv1.DomainInfo{FaultDomain: &mesosv1.DomainInfo_FaultDomain{
		Region: &mesosv1.DomainInfo_FaultDomain_RegionInfo{Name: &region},
		Zone:   &mesosv1.DomainInfo_FaultDomain_ZoneInfo{Name: &zone},
	}}
}
