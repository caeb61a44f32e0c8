package hierarchical

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// stage is an allocator with one framework in role a and an agent s1, whose runs the test
// makes.
func stage(t *testing.T, total string) *field {
	f := newField(t)
	f.addFrameworks(1, func(int) string { return "a" })
	require.NoError(t, f.a.AddSlave(t.Context(), &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("s1")}}, modern, nil,
		parsed(t, total).Messages(), nil))
	return f
}

func TestBothStagesMakeOneOffer(t *testing.T) {
	f := stage(t, "cpus:2;mem:64")
	a := f.a
	a.mu.Lock()
	m := a.frameworks["framework-0000"].members["a"]
	a.run.offer(a.agents[0], m, parsed(t, "cpus:1"))
	a.run.offer(a.agents[0], m, parsed(t, "cpus:1;mem:64"))
	a.run.emit()
	a.run.forget()
	a.mu.Unlock()
	require.Len(t, f.shares, 1)
	r, err := resources.New(f.shares[0].GetResources())
	require.NoError(t, err)
	assert.Equal(t, "cpus(allocated: a):2; mem(allocated: a):64", r.String())
}

func TestWhatIsRemovedIsNoCandidate(t *testing.T) {
	f := stage(t, "cpus:2;mem:64")
	f.a.mu.Lock()
	f.a.run.add(f.a.agents[0])
	f.a.run.add(f.a.agents[0])
	require.Len(t, f.a.run.candidates, 1)
	f.a.mu.Unlock()
	require.NoError(t, f.a.RemoveSlave(t.Context(), &mesosv1.AgentID{Value: proto.String("s1")}))
	f.a.mu.Lock() // the allocator's own run may be under way
	assert.Empty(t, f.a.run.candidates)
	f.a.mu.Unlock()
	f.cycle()
	assert.Empty(t, f.shares)
}

func TestMoreReservationsThanASetHolds(t *testing.T) {
	text := "cpus(a):1;mem(a):64"
	for i := range 70 {
		text += fmt.Sprintf(";cpus(r%d):1", i)
	}
	f := stage(t, text)
	f.cycle()
	require.Len(t, f.shares, 1)
	r, err := resources.New(f.shares[0].GetResources())
	require.NoError(t, err)
	assert.True(t, r.Unallocate().Equal(parsed(t, "cpus(a):1;mem(a):64")), r.String())
}

func TestPercentiles(t *testing.T) {
	var none timer
	var b book
	b.timer("x", &none, 0)
	assert.Empty(t, b)
	var some timer
	for i := range 101 {
		some.add(0, timerOf(i))
	}
	b.timer("x", &some, timerWindow)
	got := map[string]float64{}
	for _, m := range b {
		got[m.GetName()] = m.GetValue()
	}
	assert.Equal(t, map[string]float64{"x_ms": 100, "x_ms/count": 101, "x_ms/min": 0, "x_ms/max": 100, "x_ms/p50": 50, "x_ms/p90": 90,
		"x_ms/p95": 95, "x_ms/p99": 99, "x_ms/p999": got["x_ms/p999"], "x_ms/p9999": got["x_ms/p9999"]}, got)
	assert.InDelta(t, 99.9, got["x_ms/p999"], 1e-6, "between two")
	some.add(timerWindow+1, 0)
	assert.Len(t, some.spans, 1, "the others are older than an hour")
	for range 2 * timerSamples {
		some.add(timerWindow+1, 0)
	}
	assert.Len(t, some.spans, timerSamples)
}

func timerOf(milliseconds int) time.Duration { return time.Duration(milliseconds) * time.Millisecond }
