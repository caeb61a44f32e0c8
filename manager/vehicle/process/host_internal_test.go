package process

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

func written(text *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// A process may send whatever it likes.
func TestLogIsBounded(t *testing.T) {
	large := protocol.Record{Message: strings.Repeat("x", 1<<20)}
	for range 1000 {
		large.Attributes = append(large.Attributes, [2]string{strings.Repeat("k", 1<<10), strings.Repeat("\xff", 1<<14)})
	}
	now := time.Unix(0, 0)

	t.Run("in one message", func(t *testing.T) {
		var text bytes.Buffer
		newLog(written(&text)).write(now, []protocol.Record{large})
		assert.Less(t, text.Len(), 3*protocol.MaxRecord, "and what is no text is three bytes")
		assert.Positive(t, text.Len())
	})
	t.Run("in all of them, by the time", func(t *testing.T) {
		var text bytes.Buffer
		l := newLog(written(&text))
		record := protocol.Record{Message: strings.Repeat("x", 1000)}
		count := func() int { return strings.Count(text.String(), "xxx ") + strings.Count(text.String(), "xxx\n") }
		for range maxBurst / 500 {
			l.write(now, []protocol.Record{record})
		}
		full := count()
		assert.Equal(t, maxBurst/record.Size(), full)
		now = now.Add(time.Second)
		for range maxBurst / 500 {
			l.write(now, []protocol.Record{record})
		}
		assert.InDelta(t, maxRate/record.Size(), count()-full, 1)
		now = now.Add(time.Hour)
		text.Reset()
		l.write(now, []protocol.Record{{Message: "later", Lost: 5}})
		assert.Contains(t, text.String(), "messages of the module have been lost: it logs faster than the daemon takes")
		assert.Contains(t, text.String(), "msg=later")
	})
}

// totals are facade.Metrics.
type totals map[string]float64

func (t totals) Counter(name, _ string) facade.Counter { return total{t, "counter " + name} }
func (t totals) Gauge(name, _ string) facade.Gauge     { return total{t, "gauge " + name} }

type total struct {
	all  totals
	name string
}

func (t total) Add(n float64) { t.all[t.name] += n }
func (t total) Set(v float64) { t.all[t.name] = v }

func TestMeasuresAreBounded(t *testing.T) {
	t.Run("a counter does not go down", func(t *testing.T) {
		all := totals{}
		c := newCount(all)
		require.NoError(t, c.take([]protocol.Measurement{{Name: "a", Value: 2}, {Name: "a", Value: -1}, {Name: "a", Value: math.NaN()}, {Name: "a", Gauge: true, Value: -3}}))
		assert.Equal(t, totals{"counter a": 2, "gauge a": -3}, all)
	})
	t.Run("names are short, and few", func(t *testing.T) {
		all := totals{}
		c := newCount(all)
		var many []protocol.Measurement
		for i := range 2 * protocol.MaxMeasures {
			many = append(many, protocol.Measurement{Name: fmt.Sprint(i, strings.Repeat("x", 1<<10)), Gauge: i%2 == 0, Value: 1})
		}
		for range 3 {
			require.ErrorContains(t, c.take(many), "1000 measures already")
		}
		assert.Len(t, all, protocol.MaxMeasures)
		for name := range all {
			assert.LessOrEqual(t, len(name), len("counter ")+protocol.MaxKey)
		}
	})
}
