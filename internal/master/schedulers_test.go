package master

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/wire"
)

// TestThousandSchedulers holds the promise of memory: a thousand schedulers are
// subscribed and get offers, in this process together with their clients, and when
// they have gone nothing of them is left.
func TestThousandSchedulers(t *testing.T) {
	const schedulers, limit = 1000, 300 // MB
	w := start(t, options{})
	p := w.peer()
	p.send("slave(1)", process, &wire.RegisterSlaveMessage{Version: proto.String("1.12.0"), Slave: &mesosv1.AgentInfo{
		Hostname: proto.String("h"), Port: proto.Int32(int32(p.addr.Port())), Resources: []*mesosv1.Resource{{Name: proto.String("cpus"),
			Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(100)}}}}})
	p.next()
	before := runtime.NumGoroutine()
	all := make([]*framework, schedulers)
	for i := range all {
		all[i] = w.framework(fmt.Sprintf(`{"user":"u","name":"n%d"}`, i))
	}
	agent := &mesosv1.AgentID{Value: proto.String("M-S0")}
	for _, f := range all {
		w.alloc.sink([]*allocation.Share{{FrameworkId: &mesosv1.FrameworkID{Value: &f.id}, AgentId: agent, Resources: []*mesosv1.Resource{{
			Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(0.1)},
			AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: proto.String("*")}}}}})
	}
	for _, f := range all {
		require.Equal(t, "OFFERS", f.next()["type"])
	}
	memory := used()
	t.Logf("%d schedulers: %d MB, clients included; %d goroutines", schedulers, memory, runtime.NumGoroutine()-before)
	require.Less(t, memory, limit)
	for _, f := range all {
		f.close()
	}
	removed := func(calls []string) bool {
		n := 0
		for _, c := range calls {
			if c == "RemoveFramework" {
				n++
			}
		}
		return n == schedulers
	}
	require.True(t, w.alloc.await(t.Context(), removed))
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before+20 && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before+20)
	require.Empty(t, w.m.streams.all)
}

// used is the memory in MB that the Go runtime has from the system, which is the same
// with the race detector.
func used() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int((m.Sys - m.HeapReleased) >> 20)
}

// BenchmarkCall is how long a call of a subscribed scheduler takes, from the client's
// side and over one connection.
func BenchmarkCall(b *testing.B) {
	w := start(b, options{})
	f := w.framework(`{"user":"u","name":"n"}`)
	body := `{"type":"REVIVE","framework_id":{"value":"` + f.id + `"}}`
	for b.Loop() {
		q, err := http.NewRequest(http.MethodPost, w.server.URL+schedulerPath, strings.NewReader(body))
		require.NoError(b, err)
		q.Header.Set(contentType, apihttp.TypeJSON)
		q.Header.Set(streamHeader, f.stream)
		r, err := http.DefaultClient.Do(q)
		require.NoError(b, err)
		require.NoError(b, r.Body.Close())
		require.Equal(b, http.StatusAccepted, r.StatusCode)
	}
}
