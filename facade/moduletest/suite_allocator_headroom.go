package moduletest

import (
	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// headroomBehaviours are about what is set aside for guarantees that nobody can use yet.
func headroomBehaviours() []behaviour {
	const half = "cpus:1;mem:512"
	return []behaviour{
		{name: "QuotaAbsentFramework", hold: func(m *market) {
			m.both("role1", "cpus:2;mem:1024")
			m.join("f2", "role2")
			m.agent("a1", half)
			m.expect()
			m.agent("a2", half)
			m.expect()
			m.agent("a3", half) // beyond what is set aside
			m.expect("f2 role2 a3 " + half)
			m.join("f1", "role1")
			m.expect("f1 role1 a1 "+half, "f1 role1 a2 "+half)
		}},
		{name: "QuotaAbsentFrameworkWholeAgent", hold: func(m *market) {
			m.both("role1", "cpus:0.5;mem:256")
			m.join("f2", "role2")
			m.agent("a1", "cpus:1;mem:1024;ports:[1-9]") // what cannot be set aside is not
			m.expect("f2 role2 a1 cpus:0.5;mem:768;ports:[1-9]")
			m.run()
			m.expect()
		}},
		{name: "MultiQuotaAbsentFrameworks", hold: func(m *market) {
			m.both("role1", half)
			m.both("role2", "cpus:2;mem:1024")
			m.agent("a1", half)
			m.agent("a2", half)
			m.join("f2", "role2")
			m.expect("f2 role2 a1 "+half, "f2 role2 a2 "+half) // a guarantee comes before what is set aside
			m.join("f3", "role3")
			m.agent("a3", half)
			m.expect()
			m.agent("a4", half)
			m.expect("f3 role3 a4 " + half)
		}},
		{name: "QuotaHeadroomIsNotWhatOthersReserved", hold: func(m *market) {
			m.both("role1", half)
			m.join("f2", "role2")
			m.agent("a1", "cpus(role3):4;mem(role3):4096;"+half)
			m.run()
			m.expect()
			m.agent("a2", half)
			m.expect("f2 role2 a2 " + half)
		}},
		{name: "QuotaHeadroomIsNotWhatIsRevocable", hold: func(m *market) {
			m.both("role1", half)
			m.join("f2", "role2", can(mesosv1.FrameworkInfo_Capability_REVOCABLE_RESOURCES))
			m.agentWith("a1", append(res(half), revocable(res("cpus:8;mem:4096"))...))
			m.expect("f2 role2 a1 cpus{REV}:8;mem{REV}:4096")
		}},
		{name: "QuotaWithNestedRoleAllocation", hold: func(m *market) {
			m.both("a", "cpus:2;mem:1024")
			m.agent("a1", half, uses("f1", "a/b", "a1", res(half)))
			m.join("f1", "a/b")
			m.must(m.a.SuppressOffers(m.t.Context(), frameworkID("f1"), nil))
			m.join("f2", "a")
			m.join("f3", "c")
			m.agent("a2", "cpus:2;mem:1024") // a has a half already
			m.expect("f2 a a2 "+half, "f3 c a2 "+half)
		}},
		{name: "QuotaHeadroomWithNestedRoleAllocation", hold: func(m *market) {
			m.both("a", "cpus:2;mem:1024")
			m.agent("a1", half, uses("f1", "a/b", "a1", res(half)))
			m.join("f1", "a/b")
			m.must(m.a.SuppressOffers(m.t.Context(), frameworkID("f1"), nil))
			m.join("f2", "c")
			m.agent("a2", half)
			m.expect()
			m.agent("a3", half)
			m.expect("f2 c a3 " + half)
		}},
	}
}

// quotaReservationBehaviours are about reservations, which count against quota whether they
// are used or not.
func quotaReservationBehaviours() []behaviour {
	const half = "cpus:1;mem:512"
	allReserved := "cpus(role1):2;mem(role1):1024"
	return []behaviour{
		{name: "ReservationUnallocated", hold: func(m *market) {
			m.both("role1", "cpus:2;mem:1024")
			m.agent("a1", allReserved)
			m.join("f2", "role2")
			m.agent("a2", half)
			m.expect("f2 role2 a2 " + half)
			m.join("f1", "role1")
			m.expect("f1 role1 a1 " + allReserved)
		}},
		{name: "ReservationAllocated", hold: func(m *market) {
			m.both("role1", "cpus:2;mem:1024")
			m.agent("a1", allReserved)
			m.join("f1", "role1")
			m.expect("f1 role1 a1 " + allReserved)
			m.agent("a2", half)
			m.expect()
			m.join("f2", "role2")
			m.expect("f2 role2 a2 " + half)
		}},
		{name: "ReservationWithinQuota", hold: func(m *market) {
			m.both("role1", "cpus:2;mem:256")
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.agent("a1", "cpus:8;mem(role1):256")
			m.expect("f1 role1 a1 cpus:2;mem(role1):256", "f2 role2 a1 cpus:6")
		}},
		{name: "NonQuotaRoleReservationWithQuotaRole", hold: func(m *market) {
			m.both("role1", "cpus:100;mem:102400")
			m.join("f2", "role2")
			m.agent("a1", "cpus(role2):2;mem(role2):1024;"+half)
			m.expect("f2 role2 a1 cpus(role2):2;mem(role2):1024")
		}},
		{name: "QuotaSetAsideReservedResources", hold: func(m *market) {
			m.both("role1", "cpus:4;mem:512")
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.agent("a1", "cpus(role2):2;mem(role2):1024;cpus:4;mem:512")
			m.expect("f1 role1 a1 cpus:4;mem:512", "f2 role2 a1 cpus(role2):2;mem(role2):1024")
			m.giveBack("f1", "role1", "a1", 1e6)
			m.giveBack("f2", "role2", "a1", noFilter)
			m.run()
			m.expect("f2 role2 a1 cpus(role2):2;mem(role2):1024")
		}},
		{name: "QuotaHeadroomWhenReservationsExceedQuota", hold: func(m *market) {
			m.both("role1", half) // has more than that reserved, which helps no one else
			m.both("role3", half)
			m.join("f2", "role2")
			m.agent("a1", allReserved+";cpus:2;mem:1024")
			m.expect("f2 role2 a1 " + half)
		}},
		{name: "QuotaWithAncestorReservations", hold: func(m *market) {
			m.both("a", "cpus:2;mem:1024")
			m.join("f1", "a/b")
			m.join("f2", "c")
			m.agent("a1", "cpus(a):1;mem(a):512;"+half)
			m.expect("f1 a/b a1 cpus(a):1;mem(a):512") // the rest is set aside for a
			m.agent("a2", half)
			m.expect("f2 c a2 " + half)
		}},
		{name: "QuotaWithNestedRoleReservation", hold: func(m *market) {
			m.both("a", "cpus:2;mem:1024")
			m.join("f2", "c")
			m.agent("a1", "cpus(a/b):2;mem(a/b):1024;"+half)
			m.expect("f2 c a1 " + half)
		}},
		{name: "SharedAllocatedResourceQuotaAccounting", hold: func(m *market) {
			volume := func() []*mesosv1.Resource { return []*mesosv1.Resource{sharedVolume("v1", "role1", 100)} }
			m.both("role1", "cpus:1;mem:512;disk:200")
			m.agentWith("a1", append(res("cpus:0.5;mem:12"), volume()...),
				uses("f1", "role1", "a1", append(res("cpus:0.25;mem:6"), volume()...)), uses("f2", "role1", "a1", append(res("cpus:0.25;mem:6"), volume()...)))
			m.join("f1", "role1", can(mesosv1.FrameworkInfo_Capability_SHARED_RESOURCES))
			m.join("f2", "role1", can(mesosv1.FrameworkInfo_Capability_SHARED_RESOURCES))
			m.agent("a2", "cpus:4;mem:2048;disk:500")
			m.expect("f1 role1 a2 cpus:0.5;mem:500;disk:100")
		}},
		{name: "QuotaAccountingReserveAllocatedResources", hold: func(m *market) {
			m.both("role1", "cpus:2;mem:1024")
			m.join("f1", "role1")
			m.agent("a1", "cpus:2;mem:1024")
			m.expect("f1 role1 a1 cpus:2;mem:1024")
			m.must(m.a.UpdateAllocation(m.t.Context(), frameworkID("f1"), agentID("a1"), to("role1", res("cpus:2;mem:1024")), []*allocation.Conversion{
				{Consumed: to("role1", res("cpus:2;mem:1024")), Converted: to("role1", reserved("role1", res("cpus:2;mem:1024")))}}))
			m.agent("a2", half)
			m.expect()
			m.giveBackPart("f1", "a1", to("role1", reserved("role1", res("cpus:2;mem:1024"))), noFilter, false)
			m.run()
			m.expect("f1 role1 a1 " + allReserved)
		}},
		{name: "QuotaAccountingUnreserveAllocatedResources", hold: func(m *market) {
			m.both("role1", "cpus:2;mem:1024")
			m.join("f1", "role1")
			m.agentWith("a1", reserved("role1", res("cpus:2;mem:1024")))
			m.expect("f1 role1 a1 " + allReserved)
			m.must(m.a.UpdateAllocation(m.t.Context(), frameworkID("f1"), agentID("a1"), to("role1", reserved("role1", res("cpus:2;mem:1024"))), []*allocation.Conversion{
				{Consumed: to("role1", reserved("role1", res("cpus:2;mem:1024"))), Converted: to("role1", res("cpus:2;mem:1024"))}}))
			m.agent("a2", half)
			m.expect()
			m.giveBackPart("f1", "a1", to("role1", res("cpus:2;mem:1024")), noFilter, false)
			m.run()
			sum := map[string]float64{}
			for _, s := range m.look() {
				for _, r := range s.GetResources() {
					sum[r.GetName()] += r.GetScalar().GetValue()
				}
			}
			assert.Equal(m.t, map[string]float64{"cpus": 2, "mem": 1024}, sum, "of both agents together, as the limit is")
		}},
	}
}
