package moduletest

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// metricBehaviours are about the names that monitoring knows.
func metricBehaviours() []behaviour {
	const half = "cpus:1;mem:512"
	const shares = "mesos/roles/"
	return []behaviour{
		{name: "ResourceMetricsUninitialized", hold: func(m *market) {
			for _, r := range []string{"cpus", "mem", "disk"} {
				m.expectMetric("mesos/resources/"+r+"/total", 0)
				m.expectMetric("mesos/resources/"+r+"/offered_or_allocated", 0)
			}
			_, ok := m.metric("mesos/resources/gpus/total")
			assert.False(m.t, ok)
			all, err := m.a.Metrics(m.t.Context())
			m.must(err)
			assert.True(m.t, slices.IsSortedFunc(all, func(x, y *allocation.Metric) int { return strings.Compare(x.GetName(), y.GetName()) }))
		}},
		{name: "ResourceMetrics", hold: func(m *market) {
			m.agent("a1", "cpus:2;mem:1024;disk:10")
			m.expectMetric("mesos/resources/cpus/total", 2)
			m.expectMetric("mesos/resources/disk/offered_or_allocated", 0)
			m.join("f1", "role1")
			m.expectMetric("mesos/resources/disk/offered_or_allocated", 10)
			m.giveBackPart("f1", "a1", to("role1", res("cpus:0.5;disk:4")), 1e6, false)
			m.expectMetric("mesos/resources/cpus/offered_or_allocated", 1.5)
			m.expectMetric("mesos/resources/disk/offered_or_allocated", 6)
			m.must(m.a.RemoveSlave(m.t.Context(), agentID("a1")))
			m.expectMetric("mesos/resources/mem/total", 0)
			m.expectMetric("mesos/resources/mem/offered_or_allocated", 0)
		}},
		{name: "AllocationRunsMetrics", hold: func(m *market) {
			m.expectMetric("mesos/allocation_runs", 1) // for the receiver of offers
			m.agent("a1", half)
			m.expectMetric("mesos/allocation_runs", 2)
			m.join("f1", "role1")
			m.expectMetric("mesos/allocation_runs", 3)
			m.run()
			m.expectMetric("mesos/allocation_runs", 4)
			m.must(m.a.Pause(m.t.Context()))
			m.run()
			m.expectMetric("mesos/allocation_runs", 4)
		}},
		{name: "AllocationRunTimerMetrics", hold: func(m *market) {
			timers(m, "mesos/allocation_run_ms")
		}},
		{name: "AllocationRunLatencyMetrics", hold: func(m *market) {
			timers(m, "mesos/allocation_run_latency_ms")
		}},
		{name: "DominantShareMetrics", hold: func(m *market) {
			m.agent("a1", half)
			m.join("f1", "role1")
			m.expectMetric(shares+"role1/shares/dominant", 1)
			m.join("f2", "a/b")
			m.expectMetric(shares+"a/b/shares/dominant", 0)
			m.agent("a2", "cpus:3;mem:512")
			m.expectMetric(shares+"role1/shares/dominant", 0.5)
			m.expectMetric(shares+"a/b/shares/dominant", 0.75)
			m.giveBack("f2", "a/b", "a2", 1e6)
			m.expectMetric(shares+"a/b/shares/dominant", 0)
			m.must(m.a.RemoveFramework(m.t.Context(), frameworkID("f2")))
			_, ok := m.metric(shares + "a/b/shares/dominant")
			assert.False(m.t, ok)
		}},
		{name: "DominantShareMetricsWithFairnessExclusion", options: func(o *allocation.Options) { o.FairnessExcludeResourceNames = []string{"gpus"} },
			hold: func(m *market) {
				m.agent("a1", "cpus:1;mem:512;gpus:1")
				m.join("f1", "role1", can(mesosv1.FrameworkInfo_Capability_GPU_RESOURCES))
				m.agent("a2", "cpus:3;mem:1536")
				m.giveBackPart("f1", "a2", to("role1", res("cpus:3;mem:1536")), 1e6, false)
				m.expectMetric(shares+"role1/shares/dominant", 0.25)
			}},
		{name: "ActiveOfferFiltersMetrics", hold: func(m *market) {
			const name = "mesos/offer_filters/roles/role1/active"
			m.agent("a1", half)
			m.agent("a2", half)
			m.join("f1", "role1")
			m.expectMetric(name, 0)
			m.giveBack("f1", "role1", "a1", 2.5)
			m.expectMetric(name, 1)
			m.giveBack("f1", "role1", "a2", 1e6)
			m.expectMetric(name, 2)
			m.pass(3 * time.Second)
			m.expectMetric(name, 1)
			m.must(m.a.ReviveOffers(m.t.Context(), frameworkID("f1"), nil))
			m.expectMetric(name, 0)
		}},
		{name: "QuotaMetrics", hold: func(m *market) {
			const name = "mesos/quota/roles/role1/resources/"
			m.quota("role1", "cpus:1;mem:512", "cpus:2")
			m.expectMetric(name+"cpus/guarantee", 1)
			m.expectMetric(name+"mem/guarantee", 512)
			m.expectMetric(name+"cpus/limit", 2)
			m.expectMetric(name+"cpus/offered_or_allocated", 0)
			m.agent("a1", "cpus:1;mem:512;mem(role1):100")
			m.expectMetric(name+"mem/consumed", 100)
			m.join("f1", "role1")
			m.expectMetric(name+"cpus/offered_or_allocated", 1)
			m.expectMetric(name+"mem/offered_or_allocated", 612)
			m.expectMetric(name+"mem/consumed", 100) // it is only offered
			m.must(m.a.TransitionOfferedToAllocated(m.t.Context(), agentID("a1"), to("role1", res("cpus:0.5;mem:300"))))
			m.expectMetric(name+"mem/consumed", 400)
			m.expectMetric(name+"cpus/consumed", 0.5)
			m.giveBackPart("f1", "a1", to("role1", res("cpus:0.5;mem:200")), noFilter, true)
			m.expectMetric(name+"mem/consumed", 200)
			m.quota("role1", "", "")
			_, ok := m.metric(name + "cpus/guarantee")
			assert.False(m.t, ok)
			m.expectMetric(name+"mem/consumed", 200)
		}},
	}
}

// timers wants a timer to have its statistics, and those from the second measurement on.
func timers(m *market, name string) {
	_, ok := m.metric(name)
	assert.True(m.t, ok, "a run is over")
	_, ok = m.metric(name + "/count")
	assert.False(m.t, ok, "one measurement has no statistics")
	m.agent("a1", "cpus:1;mem:512")
	m.expectMetric(name+"/count", 2)
	for _, part := range []string{"max", "min", "p50", "p90", "p95", "p99", "p999", "p9999"} {
		m.expectMetric(name+"/"+part, 0) // no time passes
	}
	m.pass(2 * time.Hour)
	m.agent("a2", "cpus:1;mem:512")
	count, _ := m.metric(name + "/count")
	assert.LessOrEqual(m.t, count, 3601.0, "only the last hour counts")
}
