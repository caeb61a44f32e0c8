package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// census counts the effects since the last look by their kind: calls of the allocator
// by name, events by type.
func (w *world) census() map[string]int {
	all := map[string]int{}
	for _, e := range w.effects {
		switch e := e.(type) {
		case Log:
		case Allocate:
			all[e.Name]++
		case Send:
			all[e.Event.(*scheduler.Event).GetType().String()]++
		case ToAgent:
			all[string(e.Message.ProtoReflect().Descriptor().Name())]++
		default:
			all[fmt.Sprintf("%T", e)]++
		}
	}
	w.look()
	return all
}

// Ten thousand offers are out at one framework. Whatever ends them takes one effect for
// each, gives all back, and does not send an offer's end to who cannot hear it.
func TestManyOffers(t *testing.T) {
	const many = 10_000
	w := newWorld(t)
	f := w.subscribe("s", with(mesosv1.FrameworkInfo_Capability_MULTI_ROLE))
	agents := make([]string, many)
	for i := range agents {
		agents[i] = w.register(i)
		w.look()
	}
	part := parsed("cpus:2;mem:512")
	offer := func(stream StreamID) []*mesosv1.OfferID {
		t.Helper()
		var shares []*allocation.Share
		for _, agent := range agents {
			shares = append(shares, w.books.share(agent, f, "web", part))
		}
		w.do(Offered{Shares: shares})
		events := w.events(stream)
		require.Len(t, events, 1, "all in one event")
		require.Len(t, events[0].GetOffers().GetOffers(), many)
		require.Equal(t, many, w.core.offers.len())
		w.sound()
		var ids []*mesosv1.OfferID
		for _, o := range events[0].GetOffers().GetOffers() {
			ids = append(ids, o.GetId())
		}
		w.look()
		return ids
	}
	nothingOut := func(t *testing.T) {
		t.Helper()
		w.sound()
		assert.Zero(t, w.core.offers.len())
		for f := range w.core.frameworks.values() {
			assert.Zero(t, f.offers.len())
			assert.True(t, f.offered.Empty(), "%s", f.offered)
		}
		for a := range w.core.agents.values() {
			require.Zero(t, a.offers.len())
			require.True(t, a.offered.Empty(), "%s", a.offered)
			require.True(t, w.books.agents[a.id].free().Equal(a.total))
		}
	}

	t.Run("a broken stream gives all back and tells nobody", func(t *testing.T) {
		offer("s")
		w.do(StreamGone{Stream: "s"})
		assert.Equal(t, map[string]int{"DeactivateFramework": 1, "RecoverResources": many}, w.census())
		nothingOut(t)
	})
	t.Run("who subscribes again is offered all anew, under other ids", func(t *testing.T) {
		w.subscribe("t", id(f), with(mesosv1.FrameworkInfo_Capability_MULTI_ROLE))
		w.look()
		ids := offer("t")
		assert.Equal(t, fmt.Sprintf("M-O%d", many), ids[0].GetValue())
		assert.Equal(t, fmt.Sprintf("M-O%d", 2*many-1), ids[many-1].GetValue())
		decline := &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(),
			Decline: &scheduler.Call_Decline{OfferIds: ids, Filters: &mesosv1.Filters{RefuseSeconds: proto.Float64(1)}}}

		assert.Equal(t, 202, w.answered(w.call("t", decline)).Status)
		assert.Equal(t, map[string]int{"core.Answer": 1, "RecoverResources": many}, w.census())
		nothingOut(t)

		w.call("t", decline) // of offers that are gone
		assert.Equal(t, map[string]int{"core.Answer": 1}, w.census())
		nothingOut(t)
	})
	t.Run("a second subscription takes them from the first", func(t *testing.T) {
		offer("t")
		w.subscribe("u", id(f), with(mesosv1.FrameworkInfo_Capability_MULTI_ROLE))
		seen := w.census()
		assert.Equal(t, many, seen["RecoverResources"])
		assert.LessOrEqual(t, seen["RESCIND"], many)
		nothingOut(t)
	})
	t.Run("agents that are lost take each its own", func(t *testing.T) {
		offer("u")
		for i := range agents {
			w.do(AgentExited{PID: pid(i)})
		}
		assert.Equal(t, map[string]int{"DeactivateSlave": many, "RecoverResources": many, "RESCIND": many}, w.census())
		nothingOut(t)
		w.wait(w.core.config.AgentPingTimeout * time.Duration(w.core.config.MaxAgentPingTimeouts))
		seen := w.census()
		assert.Equal(t, many, seen["core.Store"])
		assert.Equal(t, many, seen["RemoveSlave"])
		assert.Equal(t, many, seen["FAILURE"])
		assert.Equal(t, many, seen["core.Unlink"])
		assert.Zero(t, seen["RecoverResources"])
		assert.Zero(t, w.core.agents.len())
		assert.Empty(t, w.core.observers)
		nothingOut(t)
	})
}
