package master

import (
	"context"
	"maps"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/metrics"
)

// allocatorPatience is how long the allocator may take to tell its measures.
const allocatorPatience = 5 * time.Second

// measures are all numbers of /metrics/snapshot. What is not known when ctx ends is
// left out.
func (m *Master) measures(ctx context.Context) map[string]float64 {
	all := map[string]float64{}
	for name, v := range metrics.System() {
		all["system/"+name] = v
	}
	for _, x := range m.c.Registry.Measures() {
		all[x.Name] = x.Value
	}
	all["registrar/queued_operations"] += float64(m.registrar.waiting())
	m.measureAllocator(ctx, all)
	m.measureMaster(ctx, all)
	return all
}

func (m *Master) measureAllocator(ctx context.Context, all map[string]float64) {
	ctx, cancel := context.WithTimeout(ctx, allocatorPatience)
	defer cancel()
	found, err := m.c.Allocator.Metrics(ctx)
	if err != nil {
		m.c.Log.Debug("the allocator has no measures", "error", err)
	}
	for _, x := range found {
		all["allocator/"+x.GetName()] = x.GetValue()
	}
	waiting := float64(m.allocator.waiting())
	all["allocator/event_queue_dispatches"] += waiting
	all["allocator/mesos/event_queue_dispatches"] += waiting
}

// measureMaster adds what the core has counted, and what waits for it.
func (m *Master) measureMaster(ctx context.Context, all map[string]float64) {
	counted, err := m.Measures(ctx)
	if err != nil {
		return // the client has gone, or its time is over
	}
	maps.Copy(all, counted)
	waiting := m.queue.backlog()
	all["master/event_queue_messages"] = float64(waiting.messages)
	all["master/event_queue_dispatches"] = float64(waiting.dispatches)
	all["master/event_queue_http_requests"] = float64(waiting.requests)
	all["master/http_cache_hits"] = float64(m.shared.Load())
	all["master/dropped_messages"] += float64(m.dropped.Load())
}

// limitedBy bounds a context by a client's wish, if there is one.
func limitedBy(ctx context.Context, d *mesosv1.DurationInfo) (context.Context, context.CancelFunc) {
	if d == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(d.GetNanoseconds()))
}
