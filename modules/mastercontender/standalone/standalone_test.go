package standalone_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/mastercontender/standalone"
	"github.com/mesos-modules/mms/roles/mastercontender"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, standalone.Library, standalone.Name)
}

func load(t *testing.T) mastercontender.MasterContender {
	return moduletest.Load[mastercontender.MasterContender](moduletest.New(t, standalone.Library), standalone.Name)
}

// heard keeps what a sink is told.
type heard []leadership.Candidacy_State

func (h *heard) sink(c *leadership.Candidacy) { *h = append(*h, c.GetState()) }

func TestContend(t *testing.T) {
	t.Run("a candidacy is entered at once", func(t *testing.T) {
		c := load(t)
		require.NoError(t, c.Initialize(t.Context(), &mesosv1.MasterInfo{}))
		var h heard
		require.NoError(t, c.Contend(t.Context(), h.sink))
		assert.Equal(t, heard{leadership.Candidacy_ENTERED}, h)
	})
	t.Run("another one withdraws it", func(t *testing.T) {
		c := load(t)
		require.NoError(t, c.Initialize(t.Context(), &mesosv1.MasterInfo{}))
		var one, other heard
		require.NoError(t, c.Contend(t.Context(), one.sink))
		require.NoError(t, c.Contend(t.Context(), other.sink))
		assert.Equal(t, heard{leadership.Candidacy_ENTERED, leadership.Candidacy_LOST}, one)
		assert.Equal(t, heard{leadership.Candidacy_ENTERED}, other)
	})
	t.Run("the end of its context does too, and says nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := load(t)
			require.NoError(t, c.Initialize(t.Context(), &mesosv1.MasterInfo{}))
			ctx, cancel := context.WithCancel(t.Context())
			var one, other heard
			require.NoError(t, c.Contend(ctx, one.sink))
			cancel()
			synctest.Wait()
			require.NoError(t, c.Contend(t.Context(), other.sink))
			assert.Equal(t, heard{leadership.Candidacy_ENTERED}, one)
		})
	})
	t.Run("without Initialize nobody contends", func(t *testing.T) {
		assert.ErrorContains(t, load(t).Contend(t.Context(), (&heard{}).sink), "Initialize")
	})
}

func Example() {
	instance, _ := standalone.Library.Modules[0].Declare().New(context.Background(), nil, nil)
	c := instance.(mastercontender.MasterContender)
	_ = c.Initialize(context.Background(), &mesosv1.MasterInfo{})
	_ = c.Contend(context.Background(), func(c *leadership.Candidacy) { fmt.Println(c.GetState()) })
	// Output: ENTERED
}
