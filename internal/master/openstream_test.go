package master

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/core"
)

func TestOpenStream(t *testing.T) {
	gone := []item{{event: core.StreamGone{Stream: "s"}}}
	t.Run("whose client has gone before is gone", func(t *testing.T) {
		m := bare(Config{})
		m.openStream(1, "s", false)
		assert.Equal(t, gone, m.queue.take())
		assert.Empty(t, m.streams.all)
	})
	t.Run("of a request that is still there is handed to it", func(t *testing.T) {
		m := bare(Config{})
		id, waiting := m.requests.open(nil, apihttp.Protobuf)
		m.openStream(id, "s", false)
		o := <-waiting.outcome
		assert.Equal(t, core.StreamID("s"), o.id)
		assert.Equal(t, apihttp.Protobuf, o.stream.Media())
		assert.Empty(t, m.queue.take())
		assert.Contains(t, m.streams.all, core.StreamID("s"))
		assert.Nil(t, m.requests.waiting(id), "it waits no more")
	})
	t.Run("what was resolved just before a request gave up is not lost", func(t *testing.T) {
		m := bare(Config{})
		id, waiting := m.requests.open(nil, apihttp.JSON)
		m.execute(core.Answer{Request: id, Status: 202})
		o, resolved := m.requests.abandon(id, waiting)
		assert.True(t, resolved)
		assert.Equal(t, 202, o.answer.Status)
		_, resolved = m.requests.abandon(id, waiting)
		assert.False(t, resolved)
	})
}
