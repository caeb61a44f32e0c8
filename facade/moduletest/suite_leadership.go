package moduletest

import (
	"context"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/mastercontender"
	"github.com/mesos-modules/mms/roles/masterdetector"
)

// candidate is a master that contends and detects.
func candidate() *mesosv1.MasterInfo {
	return &mesosv1.MasterInfo{Id: proto.String("moduletest"), Ip: proto.Uint32(16777343), Port: proto.Uint32(5050),
		Pid: proto.String("master@127.0.0.1:5050"), Hostname: proto.String("localhost")}
}

func masterContenderChecks() []check {
	return []check{
		{"Contend before Initialize is an error, or waits for nobody", func(b *bench) {
			_, c := loaded[mastercontender.MasterContender](b)
			b.returns("Contend", func() { _ = c.Contend(b.Context(), func(*leadership.Candidacy) {}) })
		}},
		{"Contend returns at once", func(b *bench) {
			_, c := loaded[mastercontender.MasterContender](b)
			require.NoError(b, c.Initialize(b.Context(), candidate()))
			b.returns("Contend", func() { assert.NoError(b, c.Contend(b.Context(), func(*leadership.Candidacy) {})) })
		}},
		{"it may contend again, and is told of the state with each candidacy", func(b *bench) {
			_, c := loaded[mastercontender.MasterContender](b)
			require.NoError(b, c.Initialize(b.Context(), candidate()))
			for range 3 {
				require.NoError(b, c.Contend(b.Context(), func(told *leadership.Candidacy) { assert.NotNil(b, told.State) }))
			}
		}},
		{"when ctx has ended, sink is called no more", func(b *bench) {
			k, c := loaded[mastercontender.MasterContender](b)
			require.NoError(b, c.Initialize(b.Context(), candidate()))
			ctx, cancel := context.WithCancel(b.Context())
			var calls atomic.Int32
			require.NoError(b, c.Contend(ctx, func(*leadership.Candidacy) { calls.Add(1) }))
			cancel()
			k.Close()
			before := calls.Load()
			assert.LessOrEqual(b, before, int32(2))
		}},
	}
}

func masterDetectorChecks() []check {
	return []check{
		{"Detect returns at once, on a master", func(b *bench) {
			_, d := loaded[masterdetector.MasterDetector](b)
			b.returns("Detect", func() { assert.NoError(b, d.Detect(b.Context(), candidate(), func(*leadership.Leadership) {})) })
		}},
		{"Detect returns at once, on an agent", func(b *bench) {
			k, d := loaded[masterdetector.MasterDetector](b)
			// Without an address to look at, an error is an answer.
			b.returns("Detect", func() { _ = d.Detect(b.Context(), nil, func(*leadership.Leadership) {}) })
			assert.Empty(b, panics(k))
		}},
		{"when ctx has ended, sink is called no more", func(b *bench) {
			k, d := loaded[masterdetector.MasterDetector](b)
			ctx, cancel := context.WithCancel(b.Context())
			var late atomic.Bool
			require.NoError(b, d.Detect(ctx, candidate(), func(*leadership.Leadership) {
				if ctx.Err() != nil {
					late.Store(true)
				}
			}))
			cancel()
			k.Close()
			assert.False(b, late.Load())
		}},
	}
}
