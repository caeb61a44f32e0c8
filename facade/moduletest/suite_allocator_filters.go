package moduletest

import (
	"math"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// filterBehaviours are about frameworks that do not want offers.
func filterBehaviours() []behaviour {
	const long = 1e6
	all := "f1 role1 a1 cpus:2;mem:1024"
	start := func(m *market) {
		m.join("f1", "role1")
		m.agent("a1", "cpus:2;mem:1024")
		m.expect(all)
	}
	return []behaviour{
		{name: "OfferFilter", hold: func(m *market) {
			start(m)
			m.giveBack("f1", "role1", "a1", 1.5)
			m.run()
			m.expect()
			m.run()
			m.expect(all)
			m.giveBack("f1", "role1", "a1", 1.5)
			m.join("f2", "role2") // the filter is not its
			m.expect("f2 role2 a1 cpus:2;mem:1024")
		}},
		{name: "OfferFilterOfLessThanIsFree", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:2;mem:1024", uses("f9", "role9", "a1", res("cpus:1")))
			m.expect("f1 role1 a1 cpus:1;mem:1024")
			m.giveBack("f1", "role1", "a1", long)
			m.run()
			m.expect()
			m.giveBackPart("f9", "a1", to("role9", res("cpus:1")), noFilter, true)
			m.run()
			m.expect(all)
		}},
		{name: "SmallOfferFilterTimeout", hold: func(m *market) {
			start(m)
			m.pass(marketInterval / 4)
			m.giveBack("f1", "role1", "a1", 0.1)
			m.pass(marketInterval / 2)
			m.must(m.a.ActivateFramework(m.t.Context(), frameworkID("f1"))) // a run in between
			m.pass(marketInterval / 4)
			m.expect() // and the one over all agents
			m.run()
			m.expect(all)
		}},
		{name: "SmallOfferFilterTimeoutAtTheRun", hold: func(m *market) {
			start(m)
			m.run() // refused at the very moment of one run
			m.giveBack("f1", "role1", "a1", 0.1)
			m.run() // it expires at the very moment of another
			m.expect()
			m.run()
			m.expect(all)
		}},
		{name: "OfferFilterTimeouts", hold: func(m *market) {
			const day = 24 * 60 * 60
			start(m)
			for _, odd := range []float64{-1, math.NaN(), math.Inf(-1)} { // are the default, 5 s
				m.giveBack("f1", "role1", "a1", odd)
				m.pass(4 * marketInterval)
				m.expect()
				m.pass(3 * marketInterval)
				m.expect(all)
			}
			for _, huge := range []float64{400 * day, math.Inf(1)} { // are one year
				m.giveBack("f1", "role1", "a1", huge)
				m.pass(1000 * marketInterval)
				m.expect()
				m.must(m.a.ReviveOffers(m.t.Context(), frameworkID("f1"), nil))
				m.expect(all)
			}
		}},
		{name: "RemoveFilters", hold: func(m *market) {
			start(m)
			m.giveBack("f1", "role1", "a1", long)
			m.run()
			m.expect()
			same := agentOf("a1")
			m.must(m.a.UpdateSlave(m.t.Context(), same, agentCapabilities(), res("cpus:2;mem:1024")))
			m.expect()
			other := agentOf("a1")
			other.Attributes = []*mesosv1.Attribute{textAttribute("rack", "r1")}
			m.must(m.a.UpdateSlave(m.t.Context(), other, agentCapabilities(), res("cpus:2;mem:1024")))
			m.expect(all)
		}},
		{name: "ReviveOffers", hold: func(m *market) {
			start(m)
			m.giveBack("f1", "role1", "a1", long)
			m.run()
			m.expect()
			m.must(m.a.ReviveOffers(m.t.Context(), frameworkID("f1"), []string{"role1"}))
			m.expect(all)
		}},
		{name: "SuppressAndReviveOffers", hold: func(m *market) {
			start(m)
			m.must(m.a.SuppressOffers(m.t.Context(), frameworkID("f1"), nil))
			m.giveBack("f1", "role1", "a1", long)
			m.run()
			m.agent("a2", "cpus:1;mem:512")
			m.expect()
			m.must(m.a.ReviveOffers(m.t.Context(), frameworkID("f1"), nil))
			m.expect(all, "f1 role1 a2 cpus:1;mem:512")
		}},
		{name: "SuppressAndReviveOffersWithMultiRole", hold: func(m *market) {
			m.joinAs(m.framework("f1", []string{"role1", "role2"}))
			m.must(m.a.SuppressOffers(m.t.Context(), frameworkID("f1"), []string{"role1"}))
			m.agent("a1", "cpus:2;mem:1024")
			m.expect("f1 role2 a1 cpus:2;mem:1024")
			m.must(m.a.SuppressOffers(m.t.Context(), frameworkID("f1"), []string{"role2"}))
			m.agent("a2", "cpus:1;mem:512")
			m.expect()
			m.must(m.a.ReviveOffers(m.t.Context(), frameworkID("f1"), []string{"role1"}))
			m.expect("f1 role1 a2 cpus:1;mem:512")
			m.giveBack("f1", "role2", "a1", noFilter)
			m.giveBack("f1", "role1", "a2", noFilter)
			m.run()
			m.expect("f1 role1 a1 cpus:2;mem:1024", "f1 role1 a2 cpus:1;mem:512")
			assert.Error(m.t, m.a.ReviveOffers(m.t.Context(), frameworkID("f1"), []string{"role3"}), "not a role of its")
		}},
		{name: "DeactivateAndReactivateFramework", hold: func(m *market) {
			start(m)
			m.must(m.a.SuppressOffers(m.t.Context(), frameworkID("f1"), nil))
			m.must(m.a.DeactivateFramework(m.t.Context(), frameworkID("f1")))
			m.giveBack("f1", "role1", "a1", noFilter)
			m.run()
			m.expect()
			m.must(m.a.UpdateFramework(m.t.Context(), m.framework("f1", []string{"role1"}).info, nil, nil))
			m.expect()
			m.must(m.a.ActivateFramework(m.t.Context(), frameworkID("f1")))
			m.expect(all)
		}},
		{name: "UpdateFrameworkRoles", hold: func(m *market) {
			start(m)
			m.must(m.a.UpdateFramework(m.t.Context(), m.framework("f1", []string{"role2"}).info, nil, nil))
			m.expect()
			m.agent("a2", "cpus:1;mem:512")
			m.expect("f1 role2 a2 cpus:1;mem:512")
			m.giveBack("f1", "role1", "a1", long) // what it has of its old role comes back as it is
			m.run()
			m.expect("f1 role2 a1 cpus:2;mem:1024")
			m.giveBack("f1", "role2", "a1", long)
			m.must(m.a.UpdateFramework(m.t.Context(), m.framework("f1", []string{"role2", "role3"}).info, nil, nil))
			m.expect("f1 role3 a1 cpus:2;mem:1024") // at once
		}},
		{name: "OfferConstraints", hold: func(m *market) {
			rack := func(id, name string) {
				info := agentOf(id)
				if name != "" {
					info.Attributes = []*mesosv1.Attribute{textAttribute("rack", name)}
				}
				m.must(m.a.AddSlave(m.t.Context(), info, agentCapabilities(), nil, res("cpus:1;mem:512"), nil))
			}
			p := m.framework("f1", []string{"role1", "role2"})
			p.constraints = &scheduler.OfferConstraints{RoleConstraints: map[string]*scheduler.OfferConstraints_RoleConstraints{
				"role1": {Groups: []*scheduler.OfferConstraints_RoleConstraints_Group{
					allOf(about("rack", &scheduler.AttributeConstraint_Predicate{Predicate: &scheduler.AttributeConstraint_Predicate_TextMatches_{
						TextMatches: &scheduler.AttributeConstraint_Predicate_TextMatches{Regex: proto.String("r[0-9]")}}})),
					allOf(about("rack", &scheduler.AttributeConstraint_Predicate{Predicate: &scheduler.AttributeConstraint_Predicate_NotExists_{
						NotExists: &scheduler.AttributeConstraint_Predicate_NotExists{}}})),
				}},
			}}
			p.suppressed = []string{"role2"}
			m.joinAs(p)
			rack("a1", "r10") // the whole text has to match
			rack("a2", "r1")
			rack("a3", "")
			m.expect("f1 role1 a2 cpus:1;mem:512", "f1 role1 a3 cpus:1;mem:512")
			m.must(m.a.ReviveOffers(m.t.Context(), frameworkID("f1"), []string{"role2"})) // has no constraints
			m.expect("f1 role2 a1 cpus:1;mem:512")
			m.giveBack("f1", "role2", "a1", noFilter)
			m.must(m.a.UpdateFramework(m.t.Context(), p.info, []string{"role2"}, nil))
			m.run()
			m.expect("f1 role1 a1 cpus:1;mem:512")
		}},
	}
}

func textAttribute(name, text string) *mesosv1.Attribute {
	return &mesosv1.Attribute{Name: &name, Type: mesosv1.Value_TEXT.Enum(), Text: &mesosv1.Value_Text{Value: &text}}
}

func allOf(all ...*scheduler.AttributeConstraint) *scheduler.OfferConstraints_RoleConstraints_Group {
	return &scheduler.OfferConstraints_RoleConstraints_Group{AttributeConstraints: all}
}

func about(attribute string, p *scheduler.AttributeConstraint_Predicate) *scheduler.AttributeConstraint {
	return &scheduler.AttributeConstraint{Predicate: p,
		Selector: &scheduler.AttributeConstraint_Selector{Selector: &scheduler.AttributeConstraint_Selector_AttributeName{AttributeName: attribute}}}
}

// minimumBehaviours are about what is too little.
func minimumBehaviours() []behaviour {
	return []behaviour{
		{name: "Allocatable", hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "cpus:0.009;mem:31;disk:1000")
			m.expect()
			m.agent("a2", "cpus:0.01;mem:1")
			m.expect("f1 role1 a2 cpus:0.01;mem:1")
			m.agent("a3", "cpus:0.001;mem:32")
			m.expect("f1 role1 a3 cpus:0.001;mem:32")
		}},
		{name: "AllocatableWithoutMinimum", options: func(o *allocation.Options) { o.MinAllocatableResources = nil }, hold: func(m *market) {
			m.join("f1", "role1")
			m.agent("a1", "disk:1")
			m.expect("f1 role1 a1 disk:1")
		}},
		{name: "FrameworkMinAllocatable", hold: func(m *market) {
			m.join("f1", "role1", wantsAtLeast("role1", "cpus:1;mem:100", "disk:50"))
			m.agent("a1", "cpus:0.5;mem:1024")
			m.agent("a2", "cpus:2;mem:99;disk:40")
			m.expect()
			m.agent("a3", "cpus:1;mem:100")
			m.expect("f1 role1 a3 cpus:1;mem:100")
			m.agent("a4", "disk:50")
			m.expect("f1 role1 a4 disk:50")
			m.join("f2", "role2", wantsAtLeast("role3", "cpus:100")) // not about its role
			m.expect("f2 role2 a1 cpus:0.5;mem:1024", "f2 role2 a2 cpus:2;mem:99;disk:40")
		}},
		{name: "FrameworkEmptyMinAllocatable", hold: func(m *market) {
			m.join("f1", "role1", wantsAtLeast("role1"))
			m.agent("a1", "cpus:0.001;mem:1")
			m.expect("f1 role1 a1 cpus:0.001;mem:1")
			m.agent("a2", "disk:1")
			m.expect("f1 role1 a2 disk:1")
		}},
	}
}
