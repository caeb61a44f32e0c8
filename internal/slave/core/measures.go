package core

import (
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// counts are what only grows.
type counts struct {
	finished, failed, killed, lost, gone float64

	executorsTerminated, executorsPreempted float64

	validUpdates, invalidUpdates   float64
	validMessages, invalidMessages float64
	launchErrors, recoveryErrors   float64
}

// ended counts a task that came to its end.
func (n *counts) ended(state mesosv1.TaskState) {
	switch state {
	case mesosv1.TaskState_TASK_FINISHED:
		n.finished++
	case mesosv1.TaskState_TASK_FAILED:
		n.failed++
	case mesosv1.TaskState_TASK_KILLED:
		n.killed++
	case mesosv1.TaskState_TASK_LOST:
		n.lost++
	case mesosv1.TaskState_TASK_GONE:
		n.gone++
	}
}

// Measures yields the metrics of the agent by the names that Mesos gives them.
func (c *Core) Measures(yield func(name string, value float64)) {
	one := func(name string, value float64) { yield("slave/"+name, value) }
	one("uptime_secs", c.now.Sub(c.cfg.Started).Seconds())
	one("registered", truth(!c.registered.master.IsZero()))
	if !c.recovered.IsZero() {
		one("recovery_time_secs", c.recovered.Sub(c.cfg.Started).Seconds())
	}
	one("frameworks_active", float64(len(c.frameworks)))
	c.measureTasks(one)
	one("recovery_errors", c.counts.recoveryErrors)
	one("tasks_finished", c.counts.finished)
	one("tasks_failed", c.counts.failed)
	one("tasks_killed", c.counts.killed)
	one("tasks_lost", c.counts.lost)
	one("tasks_gone", c.counts.gone)
	one("executors_terminated", c.counts.executorsTerminated)
	one("executors_preempted", c.counts.executorsPreempted)
	one("valid_status_updates", c.counts.validUpdates)
	one("invalid_status_updates", c.counts.invalidUpdates)
	one("valid_framework_messages", c.counts.validMessages)
	one("invalid_framework_messages", c.counts.invalidMessages)
	one("container_launch_errors", c.counts.launchErrors)
	c.measureResources(one)
}

func (c *Core) measureTasks(one func(string, float64)) {
	var states [4]float64 // staging, starting, running, killing
	var runs [4]float64   // by runState
	for _, f := range c.frameworks {
		for _, p := range f.pending {
			states[0] += float64(len(p.tasks))
		}
		for _, r := range f.runs {
			runs[r.state]++
			for _, q := range r.queue {
				states[0] += float64(len(q.tasks))
			}
			for _, t := range r.live {
				switch t.GetState() {
				case mesosv1.TaskState_TASK_STAGING:
					states[0]++
				case mesosv1.TaskState_TASK_STARTING:
					states[1]++
				case mesosv1.TaskState_TASK_RUNNING:
					states[2]++
				case mesosv1.TaskState_TASK_KILLING:
					states[3]++
				}
			}
		}
	}
	for i, name := range []string{"staging", "starting", "running", "killing"} {
		one("tasks_"+name, states[i])
	}
	one("executors_registering", runs[registering])
	one("executors_running", runs[registered])
	one("executors_terminating", runs[stopping])
}

// measured are the resources that have metrics.
var measured = []string{"cpus", "gpus", "mem", "disk"}

func (c *Core) measureResources(one func(string, float64)) {
	total, err := resources.New(append(append([]*mesosv1.Resource(nil), c.info.GetResources()...), c.oversubscribed...))
	if err != nil {
		return
	}
	var used resources.Resources
	for _, f := range c.frameworks {
		for _, r := range f.runs {
			if r.state == ended {
				continue
			}
			if one, err := resources.New(r.allocated(true)); err == nil {
				used = used.Add(one)
			}
		}
	}
	for _, name := range measured {
		for _, kind := range []struct {
			infix       string
			total, used resources.Resources
		}{{"", total.NonRevocable(), used.NonRevocable()}, {"revocable_", total.Revocable(), used.Revocable()}} {
			prefix := name + "_" + kind.infix
			all, _ := kind.total.Scalar(name)
			taken, _ := kind.used.Scalar(name)
			one(prefix+"total", all.Float())
			one(prefix+"used", taken.Float())
			share := 0.0
			if all > 0 {
				share = taken.Float() / all.Float()
			}
			one(prefix+"percent", share)
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
