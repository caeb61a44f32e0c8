package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// jump sets the clock, and lets the agent have the tick that it wants then.
func (w *world) jump(d time.Duration) {
	w.now = w.now.Add(d)
	w.do(core.Tick{})
}

func TestClockJumps(t *testing.T) {
	const far = time.Hour
	jumps := map[string][]time.Duration{
		"ahead": {far}, "back": {-far}, "ahead and back": {far, -far}, "back and ahead": {-far, far},
		"time and again": {far, -far, far, -far, far, -far, far, -far},
	}
	observer := libprocess.PID{Name: "slave-observer(1)", Addr: masterPID.Addr}
	ping := func(w *world) {
		w.do(core.MasterMessage{From: observer, Message: &wire.PingSlaveMessage{Connected: proto.Bool(true)}})
	}

	for name, all := range jumps {
		t.Run(name+", unregistered: it goes on to register, at least once a minute", func(t *testing.T) {
			w := newWorld(t)
			w.begin()
			w.do(leads(masterPID))
			w.pass(5 * time.Second)
			for _, d := range all {
				w.jump(d)
			}
			w.look()
			assert.False(t, w.core.Next().Before(w.now))
			for range 10 {
				w.pass(time.Minute)
				require.NotEmpty(t, told[*wire.RegisterSlaveMessage](w))
				w.look()
			}
		})
		t.Run(name+", registered: it answers pings, and misses those that stay away", func(t *testing.T) {
			w := registered(t)
			for _, d := range all {
				w.jump(d)
			}
			if name != "back" {
				assert.Contains(t, w.look(), "detect", "for an hour there was no ping")
				w.join()
				assert.True(t, w.core.View().Registered)
			}
			w.look()
			for range 10 {
				w.pass(15 * time.Second)
				ping(w)
				w.wants("to slave-observer(1): PongSlave")
			}
			w.pass(74 * time.Second)
			w.wants()
			w.pass(time.Second)
			w.wants("detect")
		})
		t.Run(name+": an update is sent again until it is acknowledged", func(t *testing.T) {
			w := registered(t)
			w.from(run(custom("T", "E")))
			w.subscribe("E")
			w.call("E", update("T", "u", mesosv1.TaskState_TASK_RUNNING))
			for _, d := range all {
				w.jump(d)
			}
			if name != "back" {
				w.join() // there was no ping for an hour
			}
			w.look()
			sent := func() int { return len(told[*wire.StatusUpdateMessage](w)) }
			w.pass(10 * time.Minute)
			assert.Positive(t, sent())
			w.acknowledge("T", "u")
			w.look()
			w.pass(time.Hour)
			assert.Zero(t, sent())
		})
	}
	t.Run("back, with a task whose executor never comes: it is given up after the minute that it has", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.pass(30 * time.Second)
		w.jump(-far)
		w.look()
		w.pass(29 * time.Second)
		w.wants()
		w.pass(time.Second)
		w.wants("destroycontainer")
	})
}
