package view

import (
	"io"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
)

// WriteStateSummary writes /state-summary.
func WriteStateSummary(w io.Writer, v *core.View, o Options) error {
	return write(w, o, func(d *document) {
		d.Text("hostname", v.Info.GetHostname())
		if o.About.Configuration != nil {
			d.SomeText("cluster", o.About.Configuration.Cluster)
		}
		s := summarize(v, o.Approve)
		d.List("slaves", func() {
			for _, a := range v.Agents {
				d.Element(func() {
					d.agent(a, o.Approve)
					of := s.agents[a.Info.GetId().GetValue()]
					d.counters(of.counts)
					d.ids("framework_ids", of.others)
				})
			}
		})
		d.List("frameworks", func() {
			for i, f := range v.Frameworks {
				if !o.Approve.framework(f.Info) {
					continue
				}
				d.Element(func() {
					d.frameworkHead(f)
					d.counters(s.frameworks[i].counts)
					d.ids("slave_ids", s.frameworks[i].others)
				})
			}
		})
	})
}

// counted are the states whose tasks are counted, in the order in which they are
// shown.
var counted = [...]mesosv1.TaskState{
	mesosv1.TaskState_TASK_STAGING,
	mesosv1.TaskState_TASK_STARTING,
	mesosv1.TaskState_TASK_RUNNING,
	mesosv1.TaskState_TASK_KILLING,
	mesosv1.TaskState_TASK_FINISHED,
	mesosv1.TaskState_TASK_KILLED,
	mesosv1.TaskState_TASK_FAILED,
	mesosv1.TaskState_TASK_LOST,
	mesosv1.TaskState_TASK_ERROR,
	mesosv1.TaskState_TASK_UNREACHABLE,
}

// states is how many tasks there are in each state, by the number of the state.
type states [32]int64

func (d *document) counters(of states) {
	for _, s := range counted {
		d.Whole(s.String(), of[s])
	}
}

func (d *document) ids(key string, ids []string) {
	d.List(key, func() {
		for _, id := range ids {
			d.String(id)
		}
	})
}

// involved counts the tasks of a framework or agent; others are the agents, or
// frameworks, that they tie it to, in the order in which they were met.
type involved struct {
	counts states
	others []string
}

func (i *involved) add(state mesosv1.TaskState, other string, known bool) {
	if s := int(state); s >= 0 && s < len(i.counts) {
		i.counts[s]++
	}
	if !known {
		i.others = append(i.others, other)
	}
}

// pair is a framework and an agent that have a task in common.
type pair struct {
	framework int
	agent     string
}

type summary struct {
	frameworks []involved // in the order of the view
	agents     map[string]*involved
}

// summarize goes once through the tasks of all frameworks that are registered and that
// the reader may see.
func summarize(v *core.View, approve Approve) summary {
	s := summary{frameworks: make([]involved, len(v.Frameworks)), agents: make(map[string]*involved, len(v.Agents))}
	for _, a := range v.Agents {
		s.agents[a.Info.GetId().GetValue()] = &involved{}
	}
	seen := map[pair]bool{}
	for i, f := range v.Frameworks {
		if !approve.framework(f.Info) {
			continue
		}
		of := &s.frameworks[i]
		count := func(agent string, state mesosv1.TaskState) {
			key := pair{i, agent}
			of.add(state, agent, seen[key])
			if at := s.agents[agent]; at != nil {
				at.add(state, f.Info.GetId().GetValue(), seen[key])
			}
			seen[key] = true
		}
		for _, t := range f.Pending {
			count(t.GetAgentId().GetValue(), mesosv1.TaskState_TASK_STAGING)
		}
		for _, t := range slices.Concat(f.Tasks, f.Unreachable, f.Completed) {
			count(t.GetAgentId().GetValue(), t.GetState())
		}
	}
	return s
}
