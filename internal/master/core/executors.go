package core

import (
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

type executorKey struct{ agent, framework, executor string }

// executor is a program of a framework on an agent. Those that agents start by
// themselves for a command are not known here.
type executor struct {
	info      *mesosv1.ExecutorInfo
	framework *framework
	agent     *agent
	resources resources.Resources
}

func (e *executor) key() executorKey {
	return executorKey{e.agent.id, e.framework.id, e.info.GetExecutorId().GetValue()}
}

func (c *Core) addExecutor(info *mesosv1.ExecutorInfo, r resources.Resources, f *framework, a *agent) {
	e := &executor{info: info, framework: f, agent: a, resources: r}
	f.executors.put(e.key(), e)
	a.executors.put(e.key(), e)
	c.use(f, a, r)
}

// removeExecutor takes an executor out of the books and gives its resources back.
func (c *Core) removeExecutor(e *executor) {
	e.framework.executors.delete(e.key())
	e.agent.executors.delete(e.key())
	c.unuse(e.framework, e.agent, e.resources)
	c.giveBack(e.framework.info.GetId(), e.agent.info.GetId(), e.resources, nil, true)
}

// executorOn finds an executor of a framework on an agent.
func (a *agent) executorOn(f *framework, id string) *executor {
	e, _ := a.executors.get(executorKey{a.id, f.id, id})
	return e
}
