package slave

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// pointing is a detector that a test speaks for.
type pointing struct {
	err  error
	ctx  context.Context
	sink func(*leadership.Leadership)
}

func (p *pointing) Detect(ctx context.Context, _ *mesosv1.MasterInfo, sink func(*leadership.Leadership)) error {
	p.ctx, p.sink = ctx, sink
	return p.err
}

func bareSlave() *Slave {
	return New(Config{Core: core.Config{Random: rand.New(rand.NewPCG(1, 2))}})
}

func leading(pid string) *leadership.Leadership {
	return &leadership.Leadership{Leader: &mesosv1.MasterInfo{Id: proto.String("M"), Pid: proto.String(pid)}}
}

func TestANewDetector(t *testing.T) {
	ask := func(d *detection) bool { d.begun = true; return true }
	t.Run("is asked in the place of the one before, and what is known is no news", func(t *testing.T) {
		s := bareSlave()
		first, fresh := &pointing{}, &pointing{}
		require.NoError(t, s.detectBy(first, ask))
		first.sink(leading("master@10.0.0.1:5050"))
		require.IsType(t, core.MasterDetected{}, s.mail.take())
		require.NoError(t, s.renewDetector(t.Context(), fresh))
		require.ErrorIs(t, first.ctx.Err(), context.Canceled)
		require.NoError(t, fresh.ctx.Err())
		fresh.sink(leading("master@10.0.0.1:5050"))
		assert.Nil(t, s.mail.take())
		fresh.sink(leading("master@10.0.0.2:5050"))
		assert.IsType(t, core.MasterDetected{}, s.mail.take())
		fresh.sink(&leadership.Leadership{})
		assert.IsType(t, core.MasterDetected{}, s.mail.take())
	})
	t.Run("that fails is none", func(t *testing.T) {
		s := bareSlave()
		require.NoError(t, s.detectBy(&pointing{}, ask))
		require.ErrorContains(t, s.renewDetector(t.Context(), &pointing{err: errors.New("no ensemble")}), "no ensemble")
	})
	t.Run("that comes before the agent begins waits for it", func(t *testing.T) {
		s, fresh := bareSlave(), &pointing{}
		require.NoError(t, s.renewDetector(t.Context(), fresh))
		assert.Nil(t, fresh.sink)
	})
}
