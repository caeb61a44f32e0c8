package cgroups_test

import (
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/cgroupstest"
)

func scalar(name string, n float64) *mesosv1.Resource {
	return &mesosv1.Resource{Name: &name, Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: &n}}
}

// BenchmarkIsolatorChain leads containers with one process each through chains of
// isolators, and says what these cost: all that comes before the process goes on, and all
// that comes when it has ended.
func BenchmarkIsolatorChain(b *testing.B) {
	for _, chain := range cgroupstest.Chains {
		b.Run(chain.Name, func(b *testing.B) {
			isolators := cgroupstest.Chain(b, chain.Libraries)
			config := &slave.ContainerConfig{Resources: []*mesosv1.Resource{scalar("cpus", 0.5), scalar("mem", 64)}}
			ctx := b.Context()
			var before, after time.Duration
			for n := range b.N {
				id := &mesosv1.ContainerID{Value: proto.String(fmt.Sprint("c", n))}
				process := exec.Command("sleep", "1000")
				require.NoError(b, process.Start())
				pid := int32(process.Process.Pid)

				began := time.Now()
				for _, i := range isolators {
					_, err := i.Prepare(ctx, id, config)
					require.NoError(b, err)
				}
				for _, i := range isolators {
					require.NoError(b, i.Watch(ctx, id, func(*slave.ContainerLimitation) {}))
				}
				for _, i := range isolators {
					require.NoError(b, i.Isolate(ctx, id, pid))
				}
				before += time.Since(began)

				_ = process.Process.Kill() // which it is with its group as well
				_ = process.Wait()         // and says so
				began = time.Now()
				for _, i := range slices.Backward(isolators) {
					require.NoError(b, i.Cleanup(ctx, id))
				}
				after += time.Since(began)
			}
			b.ReportMetric(float64(before.Nanoseconds())/float64(b.N), "ns/launch")
			b.ReportMetric(float64(after.Nanoseconds())/float64(b.N), "ns/destroy")
		})
	}
}
