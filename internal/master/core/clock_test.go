package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/wire"
)

// jump sets the clock, and lets the master have the tick that it wants then.
func (w *world) jump(d time.Duration) {
	w.Helper()
	w.now = w.now.Add(d)
	w.do(Tick{})
}

func TestClockJumps(t *testing.T) {
	pings := func(w *world) int { return len(messages[*wire.PingSlaveMessage](w, pid(1))) }
	pong := func(w *world) {
		a := w.core.agentAt[pid(1)]
		w.do(AgentMessage{From: a.pid, To: a.observer.name, Message: &wire.PongSlaveMessage{}})
	}
	settled := func(t *testing.T) (*world, string) {
		w := newWorld(t)
		w.answerPings = true
		agent := w.register(1)
		w.subscribe("s")
		w.wait(20 * time.Second)
		w.look()
		return w, agent
	}
	goesOn := func(t *testing.T, w *world, agent string) {
		t.Helper()
		w.look()
		began := w.now
		w.wait(time.Minute)
		assert.Equal(t, 4, pings(w), "one every 15 seconds")
		assert.Equal(t, []string{"HEARTBEAT", "HEARTBEAT", "HEARTBEAT", "HEARTBEAT"}, w.types("s"))
		assert.True(t, w.core.Next().After(began))
		assert.LessOrEqual(t, w.core.Next().Sub(w.now), 15*time.Second)
		assert.True(t, w.core.agents.has(agent))
		assert.True(t, w.core.agentAt[pid(1)].active)
		w.sound()
	}

	t.Run("ahead: each is pinged once and nobody is removed", func(t *testing.T) {
		w, agent := settled(t)
		w.jump(time.Hour)
		assert.Equal(t, 1, pings(w))
		assert.Equal(t, []string{"HEARTBEAT"}, w.types("s"))
		goesOn(t, w, agent)
	})
	t.Run("ahead, with a ping on its way: it counts as one that was missed", func(t *testing.T) {
		w, agent := settled(t)
		w.answerPings = false
		w.wait(15 * time.Second)
		w.look()
		for range w.core.config.MaxAgentPingTimeouts - 1 {
			w.jump(time.Hour)
			assert.Equal(t, 1, pings(w))
			assert.Empty(t, w.core.changing)
			w.look()
		}
		pong(w)
		w.answerPings = true
		goesOn(t, w, agent)
	})
	t.Run("ahead for an agent that answers nothing: only pings that were sent count", func(t *testing.T) {
		w, agent := settled(t)
		w.answerPings = false
		w.jump(time.Hour) // the answer before it has come
		for range w.core.config.MaxAgentPingTimeouts - 1 {
			w.wait(15 * time.Second)
			require.True(t, w.core.agents.has(agent))
		}
		w.wait(15 * time.Second)
		assert.False(t, w.core.agents.has(agent))
		assert.True(t, w.core.unreachable.has(agent))
	})
	t.Run("back: nothing waits for the hour to come again", func(t *testing.T) {
		w, agent := settled(t)
		w.jump(-time.Hour)
		assert.Zero(t, pings(w))
		goesOn(t, w, agent)
	})
	t.Run("ahead and back, time and again", func(t *testing.T) {
		w, agent := settled(t)
		for range 10 {
			w.jump(time.Hour)
			w.jump(-time.Hour)
		}
		goesOn(t, w, agent)
	})
	t.Run("back while removals wait for their turn: it comes as it would have", func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.AgentRemovalRate = Rate{N: 1, Per: time.Minute} })
		for n := range 3 {
			w.register(n)
		}
		w.wait(75 * time.Second)
		assert.Equal(t, 2, w.core.agents.len())
		w.jump(-time.Hour)
		w.wait(59 * time.Second)
		assert.Equal(t, 2, w.core.agents.len())
		w.wait(time.Second)
		assert.Equal(t, 1, w.core.agents.len())
		w.wait(time.Minute)
		assert.Zero(t, w.core.agents.len())
		w.sound()
	})
}
