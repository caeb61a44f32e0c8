package metrics

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// Collect returns a daemon's measures under the names of Apache Mesos. What is not
// known when ctx ends is left out.
type Collect func(ctx context.Context) map[string]float64

// Rate is how often something may happen; the zero Rate is without limit.
type Rate struct {
	N   int
	Per time.Duration
}

// SnapshotRate is the usual rate of [Snapshots].
var SnapshotRate = Rate{2, time.Second}

// Snapshots answers GET /metrics/snapshot: all measures as one flat object. It is
// limited to a rate; who comes too early waits.
func Snapshots(rate Rate, collect Collect) http.HandlerFunc {
	return Paced(rate, func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if text := r.URL.Query().Get("timeout"); text != "" {
			timeout, err := stout.ParseDuration(text)
			if err != nil {
				apihttp.Refuse(http.StatusBadRequest, "Failed to parse timeout '%s': %v", text, err).Write(w, r)
				return
			}
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		all := collect(ctx)
		apihttp.Document(w, r, func(e *mesosjson.Encoder) {
			e.BeginObject()
			for _, name := range slices.Sorted(maps.Keys(all)) {
				e.Key(name)
				e.Double(all[name])
			}
			e.EndObject()
		})
	})
}

// Paced limits a handler to a rate; who comes too early waits.
func Paced(rate Rate, do http.HandlerFunc) http.HandlerFunc {
	pace := &pace{}
	if rate.N > 0 {
		pace.interval = rate.Per / time.Duration(rate.N)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if pace.wait(r.Context()) {
			do(w, r) // else the client has gone
		}
	}
}

// pace lets one through for each interval.
type pace struct {
	interval time.Duration

	mu   sync.Mutex
	next time.Time
}

// wait returns when it is the caller's turn, or false when ctx has ended before.
func (p *pace) wait(ctx context.Context) bool {
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	turn := p.next
	p.next = p.next.Add(p.interval)
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(turn))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ReadRate reads a rate as Apache Mesos writes it: 2/1secs. The empty text is without
// limit.
func ReadRate(text string) (Rate, bool) {
	if text == "" {
		return Rate{}, true
	}
	n, per, ok := strings.Cut(text, "/")
	number, err := strconv.Atoi(n)
	d, wrong := stout.ParseDuration(per)
	return Rate{number, d}, ok && err == nil && wrong == nil && number > 0 && d > 0
}

// Stats answers GET /system/stats.json, which has other names than the measures.
func Stats(w http.ResponseWriter, r *http.Request) {
	system := map[string]float64{}
	for name, v := range System() {
		system[strings.Replace(name, "load_", "avg_load_", 1)] = v
	}
	apihttp.Document(w, r, func(e *mesosjson.Encoder) {
		e.BeginObject()
		for _, name := range slices.Sorted(maps.Keys(system)) {
			e.Key(name)
			if v := system[name]; strings.HasPrefix(name, "avg_load_") {
				e.Double(v)
			} else {
				e.Int(int64(v))
			}
		}
		e.EndObject()
	})
}
