package core

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

func (w *world) measures() map[string]float64 {
	all := map[string]float64{}
	w.core.Measures(func(name string, v float64) {
		_, twice := all[name]
		require.False(w, twice, "%s is measured twice", name)
		all[name] = v
	})
	return all
}

func TestMeasures(t *testing.T) {
	w, f, agent := running(t, func(i *mesosv1.FrameworkInfo) {
		i.Name, i.Principal = proto.String("a b/c"), proto.String("me")
	})
	w.subscribe("away")
	w.do(StreamGone{Stream: "away"})
	w.register(2)
	w.do(AgentExited{PID: pid(2)})
	w.offer(f, agent, "web", "cpus:1")
	w.call("s", &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})
	w.status(f, agent, "t", mesosv1.TaskState_TASK_FAILED, func(u *wire.StatusUpdate) {
		u.Status.Source = mesosv1.TaskStatus_SOURCE_AGENT.Enum()
		u.Status.Reason = mesosv1.TaskStatus_REASON_AGENT_RESTARTED.Enum()
	})
	w.launch("s", agent, "u", "cpus:1;mem:32")
	w.wait(time.Second)
	w.do(Tick{})
	got := w.measures()
	prefix := "master/frameworks/a%20b%2Fc/" + f + "/"
	for name, want := range map[string]float64{
		"master/uptime_secs": 1, "master/elected": 1,
		"master/slaves_connected": 1, "master/slaves_disconnected": 1, "master/slaves_active": 1, "master/slaves_inactive": 1,
		"master/frameworks_connected": 1, "master/frameworks_disconnected": 1,
		"master/frameworks_active": 1, "master/frameworks_inactive": 1,
		"master/outstanding_offers": 1, "master/tasks_staging": 1, "master/tasks_running": 0, "master/tasks_failed": 1,
		"master/task_failed/source_slave/reason_slave_restarted": 1,
		"master/cpus_total": 8, "master/cpus_used": 1, "master/cpus_percent": 0.125, "master/mem_used": 32,
		"master/gpus_total": 0, "master/gpus_percent": 0, "master/cpus_revocable_total": 0,
		"master/messages_register_framework": 2, "master/messages_launch_tasks": 2, "master/messages_revive_offers": 1,
		"master/slave_registrations": 2, "master/valid_status_updates": 2,
		"master/operations/pending": 0, "master/operations/create/pending": 0, "master/operations/failed": 0,
		"frameworks/me/messages_received": 3, "frameworks/me/messages_processed": 3,
		prefix + "subscribed": 1, prefix + "calls": 3, prefix + "calls/accept": 2, prefix + "calls/revive": 1,
		prefix + "events/offers": 3, prefix + "events/subscribed": 1, prefix + "events/heartbeat": 1, prefix + "events/update": 2,
		prefix + "offers/sent": 3, prefix + "offers/accepted": 2, prefix + "operations/launch": 2,
		prefix + "tasks/active/task_staging": 1, prefix + "tasks/active/task_unknown": 0,
		prefix + "tasks/terminal/task_failed": 1, prefix + "roles/web/suppressed": 0,
	} {
		v, ok := got[name]
		assert.True(t, ok, name)
		assert.InDelta(t, want, v, 1e-9, name)
	}

	t.Run("the order is always the same", func(t *testing.T) {
		names := func() (all []string) {
			w.core.Measures(func(name string, _ float64) { all = append(all, name) })
			return all
		}
		assert.Equal(t, names(), names())
	})

	t.Run("those of frameworks can be left out", func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.PublishPerFrameworkMetrics = false })
		w.subscribe("s")
		for name := range w.measures() {
			assert.False(t, strings.HasPrefix(name, "master/frameworks/"), name)
		}
	})

	t.Run("a framework that is torn down keeps its own until it is forgotten", func(t *testing.T) {
		w.T = t
		w.call("s", &scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
		assert.InDelta(t, 0, w.measures()[prefix+"subscribed"], 0)
		assert.InDelta(t, 1, w.measures()[prefix+"calls/teardown"], 0)
	})
}

func TestTable(t *testing.T) {
	var tab table[int, string]
	for i := range 100 {
		tab.put(i, "x")
	}
	tab.put(50, "again")
	for i := range 90 {
		tab.delete(i)
		tab.delete(i)
	}
	assert.Equal(t, 10, tab.len())
	assert.Equal(t, []int{90, 91, 92, 93, 94, 95, 96, 97, 98, 99}, slices.Collect(tab.keys()))
	assert.Less(t, len(tab.rows), 40, "what is deleted does not stay for ever")
	tab.put(5, "back")
	first, ok := tab.first()
	assert.True(t, ok)
	assert.Equal(t, 90, first)
	assert.Equal(t, "back", tab.snapshot()[10])
	tab.trim(1)
	assert.Equal(t, []int{5}, slices.Collect(tab.keys()))
	tab.trim(-1)
	_, ok = tab.first()
	assert.False(t, ok)
	assert.Nil(t, tab.snapshot())
}

func TestTimers(t *testing.T) {
	c := New(testConfig())
	var done []string
	note := func(s string) func() { return func() { done = append(done, s) } }
	c.after(2*time.Second, note("later"))
	c.after(time.Second, note("first"))
	c.after(time.Second, note("second"))
	stopped := c.after(time.Second, note("never"))
	c.after(time.Second, func() { c.after(0, note("next tick")) })
	c.stop(stopped)
	c.stop(stopped)
	c.stop(nil)
	assert.Equal(t, begin.Add(time.Second), c.Next())
	c.Handle(begin.Add(time.Second), Tick{})
	assert.Equal(t, []string{"first", "second"}, done)
	c.Handle(begin, Tick{})
	assert.Equal(t, []string{"first", "second", "next tick"}, done, "time does not go back")
	c.Handle(begin.Add(time.Hour), Tick{})
	assert.Equal(t, "later", done[3])
	assert.True(t, c.Next().IsZero())
}
