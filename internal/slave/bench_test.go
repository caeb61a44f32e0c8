package slave

import (
	"fmt"
	"slices"
	"testing"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
)

// BenchmarkCommandTasks runs tasks with the command true through an agent with real
// processes, so many at a time.
func BenchmarkCommandTasks(b *testing.B) {
	for _, width := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("%d at a time", width), func(b *testing.B) {
			m, f := newMaster(b), newFolders(b)
			f.start(b, m, nil)
			m.admit()
			launched, done := 0, 0
			begun := map[string]time.Time{}
			var delays []time.Duration
			launch := func() {
				id := fmt.Sprintf("T%d", launched)
				launched++
				begun[id] = time.Now()
				m.run(shell(id, "true"))
			}
			b.ResetTimer()
			for launched < min(width, b.N) {
				launch()
			}
			for done < b.N {
				s := m.status()
				switch id := s.GetTaskId().GetValue(); s.GetState() {
				case mesosv1.TaskState_TASK_RUNNING:
					delays = append(delays, time.Since(begun[id]))
				case mesosv1.TaskState_TASK_FINISHED:
					if done++; launched < b.N {
						launch()
					}
				case mesosv1.TaskState_TASK_STARTING:
				default:
					b.Fatal(s)
				}
			}
			b.StopTimer()
			slices.Sort(delays)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
			b.ReportMetric(float64(delays[len(delays)/2].Milliseconds()), "ms-to-running")
			m.send(&wire.ShutdownFrameworkMessage{FrameworkId: frameworkID})
		})
	}
}
