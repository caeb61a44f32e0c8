package moduletest

import (
	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// both sets guarantee and limit to the same.
func (m *market) both(role, amounts string) {
	m.t.Helper()
	m.quota(role, amounts, amounts)
}

// quotaBehaviours are about guarantees and limits of roles with frameworks.
func quotaBehaviours() []behaviour {
	const half = "cpus:1;mem:512"
	return []behaviour{
		{name: "QuotaProvidesGuarantee", hold: func(m *market) {
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.both("role1", "cpus:2;mem:1024")
			m.agent("a1", half)
			m.expect("f1 role1 a1 " + half)
			m.agent("a2", half) // though its share is the larger one
			m.expect("f1 role1 a2 " + half)
			m.agent("a3", half) // enough
			m.expect("f2 role2 a3 " + half)
			m.agent("a4", half)
			m.expect("f2 role2 a4 " + half)
		}},
		{name: "QuotaProvidesLimit", hold: func(m *market) {
			for _, role := range []string{"role1", "*"} {
				id := "f-" + role
				m.join(id, role)
				m.quota(role, "", "cpus:2;mem:1024")
				m.agent("a1"+id, half)
				m.expect(id + " " + role + " a1" + id + " " + half)
				m.agent("a2"+id, "cpus:4;mem:4096;ports:[1-9]")
				m.expect(id + " " + role + " a2" + id + " " + half + ";ports:[1-9]")
				m.agent("a3"+id, "cpus:4;mem:4096")
				m.run()
				m.expect()
				m.quota(role, "", "") // else it would be offered what the next role is to be
				m.must(m.a.SuppressOffers(m.t.Context(), frameworkID(id), nil))
				m.must(m.a.RemoveSlave(m.t.Context(), agentID("a2"+id)))
				m.must(m.a.RemoveSlave(m.t.Context(), agentID("a3"+id)))
			}
		}},
		{name: "RemoveQuota", hold: func(m *market) {
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.both("role1", "cpus:2;mem:1024")
			m.agent("a1", half)
			m.expect("f1 role1 a1 " + half)
			m.quota("role1", "", "")
			m.agent("a2", half) // fair again
			m.expect("f2 role2 a2 " + half)
		}},
		{name: "MultipleFrameworksInRoleWithQuota", hold: func(m *market) {
			m.join("f1", "role1")
			m.join("f2", "role1")
			m.join("f3", "role3")
			m.both("role1", "cpus:4;mem:2048")
			m.agent("a1", half)
			m.expect("f1 role1 a1 " + half)
			m.agent("a2", "cpus:2;mem:1024")
			m.expect("f2 role1 a2 cpus:2;mem:1024")
			m.agent("a3", half)
			m.expect("f1 role1 a3 " + half)
			m.agent("a4", half)
			m.expect("f3 role3 a4 " + half)
		}},
		{name: "QuotaAllocationGranularity", hold: func(m *market) {
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.both("role1", "cpus:0.5;mem:200")
			m.agent("a1", "cpus:1;mem:512;ports:[1-9]")
			m.expect("f1 role1 a1 cpus:0.5;mem:200;ports:[1-9]", "f2 role2 a1 cpus:0.5;mem:312")
		}},
		{name: "QuotaAllocationGranularityUnchoppableResource", hold: func(m *market) {
			mount := func() *mesosv1.Resource { return disk(mesosv1.Resource_DiskInfo_Source_MOUNT, 1000) }
			m.join("f1", "role1")
			m.both("role1", "cpus:1;mem:512;disk:500")
			m.agentWith("a1", append(res("cpus:0.5;mem:256"), mount()))
			m.expect("f1 role1 a1 cpus:0.5;mem:256") // half of the disk cannot be
			m.both("role1", "cpus:1;mem:512;disk:1500")
			m.agentWith("a2", append(res("cpus:0.5;mem:256"), mount()))
			m.expect("f1 role1 a2 cpus:0.5;mem:256;disk[MOUNT]:1000")
		}},
		{name: "QuotaAllocationMultipleDisk", hold: func(m *market) {
			m.join("f1", "role1")
			m.both("role1", "cpus:1;mem:512;disk:30")
			m.agentWith("a1", append(res("cpus:2;mem:1024;disk:20"), disk(mesosv1.Resource_DiskInfo_Source_PATH, 20)))
			sum := 0.0
			for _, r := range m.out["f1 role1 a1"] {
				if r.GetName() == "disk" {
					sum += r.GetScalar().GetValue()
				}
			}
			assert.InDelta(m.t, 30, sum, 1e-9)
		}},
		{name: "QuotaRoleAllocateNonQuotaResource", hold: func(m *market) {
			m.quota("role1", "cpus:2", "")
			m.quota("role2", "mem:2000", "") // nobody is there yet
			m.join("f1", "role1")
			m.agent("a1", "cpus:1;mem:1024;ports:[1-9]") // all memory is needed elsewhere
			m.expect("f1 role1 a1 cpus:1;ports:[1-9]")
			m.agent("a2", "cpus:1;mem:4096;ports:[1-9]") // of 5120 in all, 2000 are
			m.expect("f1 role1 a2 cpus:1;mem:3120;ports:[1-9]")
			m.join("f2", "role2")
			m.run()
			m.expect("f2 role2 a1 mem:1024", "f2 role2 a2 mem:976")
		}},
		{name: "QuotaRoleBursts", hold: func(m *market) {
			m.quota("role1", "cpus:1;mem:512", "cpus:3")
			m.join("f1", "role1")
			m.agent("a1", "cpus:4;mem:2048;disk:10") // with the guarantee comes what the limit allows
			m.expect("f1 role1 a1 cpus:3;mem:2048;disk:10")
		}},
		{name: "DRFWithQuota", hold: func(m *market) {
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.both("role1", "cpus:0.25;mem:128")
			m.agent("a1", half)
			m.expect("f1 role1 a1 cpus:0.25;mem:128", "f2 role2 a1 cpus:0.75;mem:384")
			m.agent("a2", half)
			m.expect("f2 role2 a2 " + half)
			m.quota("role1", "cpus:0.25;mem:128", "")
			m.agent("a3", half) // the rest is shared out fairly
			m.expect("f1 role1 a3 " + half)
		}},
		{name: "QuotaAgainstStarvation", hold: func(m *market) {
			m.agent("a1", half)
			m.join("f1", "role1")
			m.expect("f1 role1 a1 " + half)
			m.join("f2", "role2")
			m.agent("a2", half)
			m.expect("f2 role2 a2 " + half)
			m.both("role1", "cpus:2;mem:1024")
			m.giveBack("f2", "role2", "a2", noFilter)
			m.run()
			m.expect("f1 role1 a2 " + half)
		}},
		{name: "MultiQuotaWithFrameworks", hold: func(m *market) {
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.both("role1", half)
			m.both("role2", "cpus:2;mem:1024")
			m.agent("a1", half)
			m.expect("f1 role1 a1 " + half)
			m.agent("a2", half)
			m.expect("f2 role2 a2 " + half)
			m.agent("a3", "cpus:4;mem:4096")
			m.expect("f2 role2 a3 " + half)
		}},
		{name: "DisproportionateQuotaVsAllocation", hold: func(m *market) {
			m.both("role1", "cpus:4;mem:1024")
			m.agent("a1", "cpus:2;mem:1024", uses("f1", "role1", "a1", res("cpus:2;mem:1024")))
			m.join("f1", "role1")
			m.join("f2", "role2")
			m.agent("a2", "cpus:2;mem:1024")
			m.expect("f1 role1 a2 cpus:2", "f2 role2 a2 mem:1024")
		}},
		{name: "QuotaWithFilters", hold: func(m *market) {
			m.join("f1", "role1")
			m.both("role1", half)
			m.agent("a1", half)
			m.expect("f1 role1 a1 " + half)
			m.giveBack("f1", "role1", "a1", 1e6)
			m.join("f2", "role2")
			m.run() // it is kept back all the same
			m.expect()
			m.agent("a2", half)
			m.expect("f1 role1 a2 " + half)
			m.run()
			m.expect("f2 role2 a1 " + half)
		}},
		{name: "RevocableResourcesAreBeyondQuota", hold: func(m *market) {
			m.join("f1", "role1", can(mesosv1.FrameworkInfo_Capability_REVOCABLE_RESOURCES))
			m.quota("role1", "", "cpus:1;mem:512")
			m.agentWith("a1", append(res("cpus:2;mem:1024"), revocable(res("cpus:8"))...), &allocation.Share{
				FrameworkId: frameworkID("f1"), AgentId: agentID("a1"), Resources: to("role1", revocable(res("cpus:1")))})
			m.expect("f1 role1 a1 " + half + ";cpus{REV}:7")
		}},
	}
}
