package moduletest

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	"github.com/mesos-modules/mms/roles/allocator"
)

// behaviour is one that frameworks and operators of Apache Mesos know of its allocator.
type behaviour struct {
	name    string                    // of the test that upstream has for it (src/tests/hierarchical_allocator_tests.cpp)
	options func(*allocation.Options) // may be nil
	hold    func(*market)
}

// AllocatorBehaviours holds an allocator to what the one of Apache Mesos does: hierarchical
// dominant resource fairness with weights, filters, reservations and quota. Each behaviour
// is a subtest that has the name of upstream's, with exactly the offers that have to come.
// An allocator that divides in another way keeps its contract all the same: that is what
// [Conformance] asks.
//
// load returns a fresh allocator, and sees to its end when the test is over. It is called
// in a bubble of testing/synctest, where an interval takes no time:
//
//	moduletest.AllocatorBehaviours(t, func(t *testing.T) allocator.Allocator {
//		return moduletest.Load[allocator.Allocator](moduletest.New(t, fair.Library), fair.Name)
//	})
//
// Not asked are those for which upstream leaves open who is offered what.
func AllocatorBehaviours(t *testing.T, load func(t *testing.T) allocator.Allocator) {
	t.Helper()
	for _, b := range behaviours() {
		t.Run(b.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { b.hold(openMarket(t, load(t), b.change)) })
		})
	}
}

func behaviours() []behaviour {
	return slices.Concat(fairnessBehaviours(), roleBehaviours(), filterBehaviours(), minimumBehaviours(), agentBehaviours(), operationBehaviours(),
		kindBehaviours(), maintenanceBehaviours(), quotaBehaviours(), headroomBehaviours(), quotaReservationBehaviours(), metricBehaviours())
}

// change makes the options what the behaviour is about.
func (b behaviour) change(o *allocation.Options) {
	if b.options != nil {
		b.options(o)
	}
}
