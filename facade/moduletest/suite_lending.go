package moduletest

import (
	"context"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/qoscontroller"
	"github.com/mesos-modules/mms/roles/resourceestimator"
)

// resourceUsage is what an agent with one executor uses.
func resourceUsage() *mesosv1.ResourceUsage {
	return &mesosv1.ResourceUsage{
		Executors: []*mesosv1.ResourceUsage_Executor{{
			ExecutorInfo: &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("executor")}},
			ContainerId:  containerID("container"),
			Statistics:   &mesosv1.ResourceStatistics{Timestamp: proto.Float64(1), CpusUserTimeSecs: proto.Float64(1)},
		}},
		Total: []*mesosv1.Resource{{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(4)}}},
	}
}

func qosControllerChecks() []check {
	return []check{
		{"a call whose ctx ends returns", func(b *bench) {
			_, c := loaded[qoscontroller.QoSController](b)
			ctx, cancel := context.WithCancel(b.Context())
			returned := make(chan struct{})
			go func() {
				defer close(returned)
				_, _ = c.Corrections(ctx, resourceUsage())
			}()
			cancel()
			b.returns("Corrections, whose ctx has ended,", func() { <-returned })
		}},
		{"a correction says what is to be killed", func(b *bench) {
			_, c := loaded[qoscontroller.QoSController](b)
			all, err := c.Corrections(ended(), resourceUsage())
			if err != nil {
				return // it would have waited
			}
			for _, correction := range all {
				assert.Equal(b, slave.QoSCorrection_KILL, correction.GetType())
				assert.NotNil(b, correction.GetKill())
			}
		}},
		{"nothing may be running", func(b *bench) {
			k, c := loaded[qoscontroller.QoSController](b)
			b.returns("Corrections", func() { _, _ = c.Corrections(ended(), &mesosv1.ResourceUsage{}) })
			assert.Empty(b, panics(k))
		}},
	}
}

func resourceEstimatorChecks() []check {
	return []check{
		{"what can be lent is revocable", func(b *bench) {
			_, e := loaded[resourceestimator.ResourceEstimator](b)
			for range 3 {
				all, err := e.Oversubscribable(b.Context(), resourceUsage())
				require.NoError(b, err)
				for _, r := range all {
					assert.NotNil(b, r.GetRevocable(), "%v", r)
				}
			}
		}},
		{"nothing may be running", func(b *bench) {
			k, e := loaded[resourceestimator.ResourceEstimator](b)
			_, err := e.Oversubscribable(b.Context(), &mesosv1.ResourceUsage{})
			require.NoError(b, err)
			assert.Empty(b, panics(k))
		}},
		{"a call whose ctx has ended returns", func(b *bench) {
			_, e := loaded[resourceestimator.ResourceEstimator](b)
			b.returns("Oversubscribable", func() { _, _ = e.Oversubscribable(ended(), resourceUsage()) })
		}},
	}
}
