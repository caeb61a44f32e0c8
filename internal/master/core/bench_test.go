package core

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

// cluster are agents with tasks as they tell a new master of them, serialised, since
// that is how they come.
type cluster struct {
	registry *wire.Registry
	messages [][]byte
}

// newCluster has frameworks whose tasks are spread over all agents.
func newCluster(agents, frameworks, tasks, finished int) cluster {
	c := cluster{registry: &wire.Registry{Slaves: &wire.Registry_Slaves{}}}
	infos := make([]*mesosv1.FrameworkInfo, frameworks)
	for i := range infos {
		infos[i] = frameworkInfo(id(fmt.Sprintf("L-%04d", i)))
	}
	part := parsed("cpus:0.1;mem:32;disk:10").Allocate("web").Messages()
	for n := range agents {
		agent := fmt.Sprintf("L-S%d", n)
		info := agentInfo(n)
		info.Resources = res("cpus:24;mem:4096;disk:4096;ports:[31000-32000]")
		info.Id = &mesosv1.AgentID{Value: &agent}
		m := &wire.ReregisterSlaveMessage{Slave: info, Version: proto.String("1.12.0"), AgentCapabilities: modern,
			ResourceVersionUuid: &mesosv1.UUID{Value: []byte("0123456789abcdef")}}
		task := func(i int, state mesosv1.TaskState) *mesosv1.Task {
			f := infos[i%frameworks]
			return &mesosv1.Task{
				Name: proto.String("task"), TaskId: &mesosv1.TaskID{Value: proto.String(fmt.Sprintf("%s-%v-%d", agent, state, i))},
				FrameworkId: f.Id, AgentId: info.Id, State: state.Enum(), Resources: part,
				StatusUpdateState: state.Enum(), StatusUpdateUuid: []byte("0123456789abcdef"),
				Statuses: []*mesosv1.TaskStatus{{
					TaskId: &mesosv1.TaskID{Value: proto.String(fmt.Sprintf("%s-%v-%d", agent, state, i))}, State: state.Enum(),
					Timestamp: proto.Float64(1), AgentId: info.Id, Uuid: []byte("0123456789abcdef"),
				}},
			}
		}
		for i := range tasks {
			if i < frameworks {
				m.Frameworks = append(m.Frameworks, infos[i])
			}
			m.Tasks = append(m.Tasks, task(i, mesosv1.TaskState_TASK_RUNNING))
		}
		for i := range frameworks {
			archive := &wire.Archive_Framework{FrameworkInfo: infos[i]}
			for j := range finished / frameworks {
				archive.Tasks = append(archive.Tasks, task(i+j*frameworks, mesosv1.TaskState_TASK_FINISHED))
			}
			if len(archive.Tasks) > 0 {
				m.CompletedFrameworks = append(m.CompletedFrameworks, archive)
			}
		}
		b, err := proto.Marshal(m)
		if err != nil {
			panic(err)
		}
		c.registry.Slaves.Slaves = append(c.registry.Slaves.Slaves, &wire.Registry_Slave{Info: info})
		c.messages = append(c.messages, b)
	}
	return c
}

// lead makes a new master that all agents come back to, and returns it with how many
// effects that had.
func (c cluster) lead(b *testing.B) (*Core, int) {
	m := New(testConfig())
	effects := len(m.Handle(begin, Elected{}))
	effects += len(m.Handle(begin, RegistryRecovered{Registry: c.registry}))
	for n, bytes := range c.messages {
		message := &wire.ReregisterSlaveMessage{}
		if err := proto.Unmarshal(bytes, message); err != nil {
			b.Fatal(err)
		}
		effects += len(m.Handle(begin, AgentMessage{From: pid(n), To: "master", Message: message}))
	}
	return m, effects
}

// BenchmarkReregistration is the failover of Apache Mesos' own benchmark: all agents
// come back at once to a master that has just been elected. Nothing is sent anywhere.
func BenchmarkReregistration(b *testing.B) {
	for _, size := range []struct{ agents, frameworks, tasks, finished int }{
		{2_000, 5, 50, 50}, {20_000, 1, 5, 0}, {40_000, 5, 10, 0},
	} {
		b.Run(fmt.Sprintf("agents=%d/tasks=%d/finished=%d", size.agents, size.agents*size.tasks, size.agents*size.finished),
			func(b *testing.B) {
				c := newCluster(size.agents, size.frameworks, size.tasks, size.finished)
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					m, _ := c.lead(b)
					if m.agents.len() != size.agents {
						b.Fatalf("%d agents are registered", m.agents.len())
					}
				}
			})
	}
}

// BenchmarkView takes a view of a big cluster.
func BenchmarkView(b *testing.B) {
	m, _ := newCluster(20_000, 5, 10, 0).lead(b)
	b.ReportAllocs()
	for b.Loop() {
		if v := m.View(); len(v.Agents) != 20_000 {
			b.Fatal("agents are missing")
		}
	}
}

// BenchmarkMeasures reads all measures of a big cluster.
func BenchmarkMeasures(b *testing.B) {
	m, _ := newCluster(20_000, 5, 10, 0).lead(b)
	b.ReportAllocs()
	for b.Loop() {
		m.Measures(func(string, float64) {})
	}
}

// BenchmarkReconcile has a framework ask for all of its tasks.
func BenchmarkReconcile(b *testing.B) {
	m, _ := newCluster(10_000, 1, 10, 0).lead(b)
	info := frameworkInfo(id("L-0000"))
	m.Handle(begin, SchedulerCall{Request: 1, Stream: "s", Call: &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(),
		FrameworkId: info.Id, Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info}}})
	b.ReportAllocs()
	for b.Loop() {
		effects := m.Handle(begin, SchedulerCall{Request: 2, Stream: "s", Call: &scheduler.Call{
			Type: scheduler.Call_RECONCILE.Enum(), FrameworkId: info.Id, Reconcile: &scheduler.Call_Reconcile{}}})
		if len(effects) != 100_001 {
			b.Fatalf("%d effects", len(effects))
		}
	}
}
