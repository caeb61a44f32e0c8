package core

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/resources"
)

// counters count by name.
type counters map[string]float64

func (c counters) add(name string, n float64) { c[name] += n }

// masterCounters are there from the beginning; those of tasks by state, source and
// reason come when they are needed.
var masterCounters = strings.Fields(`
	tasks_finished tasks_failed tasks_killed tasks_lost tasks_error tasks_dropped tasks_gone tasks_gone_by_operator
	messages_register_framework messages_reregister_framework messages_unregister_framework
	messages_deactivate_framework messages_kill_task messages_status_update_acknowledgement
	messages_operation_status_update_acknowledgement messages_resource_request messages_launch_tasks
	messages_decline_offers messages_revive_offers messages_suppress_offers messages_reconcile_tasks
	messages_reconcile_operations messages_framework_to_executor messages_executor_to_framework
	messages_register_slave messages_reregister_slave messages_unregister_slave messages_update_slave
	messages_status_update messages_operation_status_update messages_exited_executor messages_authenticate
	dropped_messages
	valid_framework_to_executor_messages invalid_framework_to_executor_messages
	valid_executor_to_framework_messages invalid_executor_to_framework_messages
	valid_status_updates invalid_status_updates
	valid_status_update_acknowledgements invalid_status_update_acknowledgements
	valid_operation_status_updates invalid_operation_status_updates
	valid_operation_status_update_acknowledgements invalid_operation_status_update_acknowledgements
	slave_registrations slave_reregistrations slave_removals slave_removals/reason_unhealthy
	slave_removals/reason_unregistered slave_removals/reason_registered recovery_slave_removals
	slave_unreachable_scheduled slave_unreachable_completed slave_unreachable_canceled
	slave_shutdowns_scheduled slave_shutdowns_completed slave_shutdowns_canceled`)

var endStates = []mesosv1.TaskState{
	mesosv1.TaskState_TASK_FINISHED, mesosv1.TaskState_TASK_FAILED, mesosv1.TaskState_TASK_KILLED,
	mesosv1.TaskState_TASK_LOST, mesosv1.TaskState_TASK_ERROR, mesosv1.TaskState_TASK_DROPPED,
	mesosv1.TaskState_TASK_GONE, mesosv1.TaskState_TASK_GONE_BY_OPERATOR,
}

// activeStates of tasks have gauges; a framework has one for TASK_UNKNOWN too.
var activeStates = []mesosv1.TaskState{
	mesosv1.TaskState_TASK_STAGING, mesosv1.TaskState_TASK_STARTING, mesosv1.TaskState_TASK_RUNNING,
	mesosv1.TaskState_TASK_KILLING, mesosv1.TaskState_TASK_UNREACHABLE,
}

// operationTypes change resources.
var operationTypes = []mesosv1.Offer_Operation_Type{
	mesosv1.Offer_Operation_RESERVE, mesosv1.Offer_Operation_UNRESERVE, mesosv1.Offer_Operation_CREATE,
	mesosv1.Offer_Operation_DESTROY, mesosv1.Offer_Operation_GROW_VOLUME, mesosv1.Offer_Operation_SHRINK_VOLUME,
	mesosv1.Offer_Operation_CREATE_DISK, mesosv1.Offer_Operation_DESTROY_DISK,
}

func operationName(t mesosv1.Offer_Operation_Type) string { return strings.ToLower(t.String()) }

// operationGauges are always 0: no operation is ever under way.
var operationGauges = []string{"pending", "recovering", "unreachable"}

func newCounters() counters {
	c := make(counters)
	for _, name := range masterCounters {
		c[name] = 0
	}
	for _, state := range []string{"total", "finished", "failed", "error", "dropped", "gone_by_operator"} {
		c["operations/"+state] = 0
		for _, t := range operationTypes {
			c["operations/"+operationName(t)+"/"+state] = 0
		}
	}
	return c
}

func newFrameworkCounters() counters {
	c := make(counters)
	for _, name := range []string{"calls", "events", "offers/sent", "offers/accepted", "offers/declined", "offers/rescinded",
		"operations", "operations/launch", "operations/launch_group"} {
		c[name] = 0
	}
	for n, name := range scheduler.Call_Type_name {
		if n != int32(scheduler.Call_UNKNOWN) {
			c["calls/"+strings.ToLower(name)] = 0
		}
	}
	for n, name := range scheduler.Event_Type_name {
		if n != int32(scheduler.Event_UNKNOWN) {
			c["events/"+strings.ToLower(name)] = 0
		}
	}
	for _, s := range endStates {
		c["tasks/terminal/"+strings.ToLower(s.String())] = 0
	}
	for _, t := range operationTypes {
		c["operations/"+operationName(t)] = 0
	}
	return c
}

// Measures yields everything that is measured, with the names of Mesos. The order is
// that of the names within each group: counters, gauges, principals, frameworks.
func (c *Core) Measures(yield func(name string, value float64)) {
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		yield("master/"+name, c.counts[name])
	}
	c.gauges(func(name string, value float64) { yield("master/"+name, value) })
	c.principals(yield)
	if !c.config.PublishPerFrameworkMetrics {
		return
	}
	for f := range c.frameworks.values() {
		f.measures(yield)
	}
	for f := range c.completed.values() {
		f.measures(yield)
	}
}

func (c *Core) gauges(yield func(name string, value float64)) {
	yield("uptime_secs", c.now.Sub(c.config.Started).Seconds())
	yield("elected", one(c.phase != standby))
	var connected, active int
	for a := range c.agents.values() {
		connected += count(a.connected)
		active += count(a.active)
	}
	yield("slaves_connected", float64(connected))
	yield("slaves_disconnected", float64(c.agents.len()-connected))
	yield("slaves_active", float64(active))
	yield("slaves_inactive", float64(c.agents.len()-active))
	yield("slaves_unreachable", float64(c.unreachable.len()))
	connected, active = 0, 0
	var states [stateCount]int
	for f := range c.frameworks.values() {
		connected += count(f.connected())
		active += count(f.active)
		for s, n := range f.states {
			states[s] += n
		}
	}
	yield("frameworks_connected", float64(connected))
	yield("frameworks_disconnected", float64(c.frameworks.len()-connected))
	yield("frameworks_active", float64(active))
	yield("frameworks_inactive", float64(c.frameworks.len()-active))
	yield("outstanding_offers", float64(c.offers.len()))
	yield("operator_event_stream_subscribers", float64(c.watched.len()))
	for _, s := range activeStates {
		yield(strings.Replace(strings.ToLower(s.String()), "task_", "tasks_", 1), float64(states[s]))
	}
	for _, gauge := range operationGauges {
		yield("operations/"+gauge, 0)
		for _, t := range operationTypes {
			yield("operations/"+operationName(t)+"/"+gauge, 0)
		}
	}
	c.sums.measures(yield)
}

// principals are those of the registered frameworks. Their messages come by HTTP, and
// are processed as they are received.
func (c *Core) principals(yield func(name string, value float64)) {
	calls := make(map[string]float64)
	for f := range c.frameworks.values() {
		if p := f.info.GetPrincipal(); p != "" {
			calls[p] += f.counts["calls"]
		}
	}
	for _, p := range slices.Sorted(maps.Keys(calls)) {
		yield("frameworks/"+p+"/messages_received", calls[p])
		yield("frameworks/"+p+"/messages_processed", calls[p])
	}
}

func (f *framework) measures(yield func(name string, value float64)) {
	prefix := fmt.Sprintf("master/frameworks/%s/%s/", url.PathEscape(f.info.GetName()), f.id)
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		yield(prefix+name, f.counts[name])
	}
	yield(prefix+"subscribed", one(f.connected()))
	for _, s := range append(activeStates[:len(activeStates):len(activeStates)], mesosv1.TaskState_TASK_UNKNOWN) {
		yield(prefix+"tasks/active/"+strings.ToLower(s.String()), float64(f.states[s]))
	}
	for _, role := range f.roles {
		yield(prefix+"roles/"+role+"/suppressed", one(f.suppressed.has(role)))
	}
}

func one(yes bool) float64 { return float64(count(yes)) }

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// clusterSums are the resources of all registered agents, summed up as they come and
// go.
type clusterSums struct{ total, used quantities }

// measured are the names that have measures.
var measured = [...]string{"cpus", "gpus", "mem", "disk"}

// quantities are sums by place in measured.
type quantities struct {
	firm, revocable [len(measured)]resources.Scalar
}

func (q *quantities) add(r resources.Resources, sign resources.Scalar) {
	for each := range r.All() {
		i := slices.Index(measured[:], each.Name())
		switch {
		case i < 0 || !each.IsScalar():
		case each.IsRevocable():
			q.revocable[i] = q.revocable[i].Add(sign * each.Scalar())
		default:
			q.firm[i] = q.firm[i].Add(sign * each.Scalar())
		}
	}
}

func (s *clusterSums) measures(yield func(name string, value float64)) {
	for i, name := range measured {
		for _, kind := range []struct {
			suffix      string
			total, used resources.Scalar
		}{
			{"", s.total.firm[i], s.used.firm[i]},
			{"_revocable", s.total.revocable[i], s.used.revocable[i]},
		} {
			part := 0.0
			if kind.total > 0 {
				part = kind.used.Float() / kind.total.Float()
			}
			yield(name+kind.suffix+"_total", kind.total.Float())
			yield(name+kind.suffix+"_used", kind.used.Float())
			yield(name+kind.suffix+"_percent", part)
		}
	}
}
