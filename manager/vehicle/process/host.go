package process

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// viewed answers what is loaded.
type viewed struct{ view facade.View }

// Serve implements wire.Servant.
func (v *viewed) Serve(_ context.Context, _ *wire.Conn, method string, in *wire.Decoder, out *wire.Encoder) error {
	if method != protocol.View {
		return wire.UnknownMethod("", method)
	}
	return protocol.Answer(in, out, func(protocol.Nothing) (protocol.Seen, error) {
		return protocol.Seen{MesosVersion: v.view.MesosVersion(), Libraries: v.view.Libraries(), Modules: v.view.Modules()}, nil
	})
}

// hosted is the host of one instance for calls from its process. What comes from there is
// bounded: a module that says too much is not heard.
type hosted struct {
	facade.Host
	module string
	log    *log
	count  *count
}

func newHosted(module string, host facade.Host) *hosted {
	return &hosted{Host: host, module: module, log: newLog(host.Logger()), count: newCount(host.Metrics())}
}

// Serve implements wire.Servant.
func (h *hosted) Serve(ctx context.Context, c *wire.Conn, method string, in *wire.Decoder, out *wire.Encoder) error {
	switch method {
	case protocol.Log:
		return protocol.Answer(in, out, func(all []protocol.Record) (protocol.Logged, error) {
			h.log.write(time.Now(), all)
			return protocol.Logged{Level: h.level()}, nil
		})
	case protocol.Measure:
		return protocol.Answer(in, out, func(all []protocol.Measurement) (protocol.Nothing, error) {
			return protocol.Nothing{}, h.count.take(all)
		})
	case protocol.StateDir:
		return protocol.Answer(in, out, func(protocol.Nothing) (string, error) { return h.StateDir() })
	default:
		return (&viewed{h.Host}).Serve(ctx, c, method, in, out)
	}
}

// level is the least that the daemon logs, of the four that have names.
func (h *hosted) level() slog.Level {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if h.Logger().Enabled(context.Background(), level) {
			return level
		}
	}
	return slog.LevelError
}

const (
	maxRate   = 1 << 20 // bytes of a module's messages in a second
	maxBurst  = 8 << 20
	overhead  = 200 // bytes of a message beside its texts
	maxRecord = 64 << 10
)

// log writes a module's messages to the daemon's log, as long as there are not too many.
type log struct {
	logger *slog.Logger

	mu   sync.Mutex
	room float64 // bytes
	last time.Time
	lost uint64
}

func newLog(logger *slog.Logger) *log { return &log{logger: logger, room: maxBurst} }

func (l *log) write(now time.Time, all []protocol.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.last.IsZero() {
		l.room = min(maxBurst, l.room+maxRate*now.Sub(l.last).Seconds())
	}
	l.last = now
	for _, r := range all {
		l.lost += r.Lost
		text, attributes, size := bound(r)
		if float64(size) > l.room {
			l.lost++
			continue
		}
		l.room -= float64(size)
		if l.lost > 0 {
			l.logger.Warn("messages of the module have been lost: it logs faster than the daemon takes", "messages", l.lost)
			l.lost = 0
		}
		l.logger.LogAttrs(context.Background(), r.Level, text, attributes...)
	}
}

// bound cuts a record to what is taken of it.
func bound(r protocol.Record) (text string, attributes []slog.Attr, size int) {
	text = protocol.Cut(r.Message, protocol.MaxText)
	size = overhead + len(text)
	for _, a := range r.Attributes[:min(len(r.Attributes), protocol.MaxAttributes)] {
		key, value := protocol.Cut(a[0], protocol.MaxKey), protocol.Cut(a[1], protocol.MaxText)
		if size += len(key) + len(value); size > maxRecord {
			break
		}
		attributes = append(attributes, slog.String(key, value))
	}
	return text, attributes, size
}

// count passes a module's measures on.
type count struct {
	metrics facade.Metrics

	mu       sync.Mutex
	counters map[string]facade.Counter
	gauges   map[string]facade.Gauge
}

func newCount(metrics facade.Metrics) *count {
	return &count{metrics: metrics, counters: map[string]facade.Counter{}, gauges: map[string]facade.Gauge{}}
}

func (c *count) take(all []protocol.Measurement) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range all {
		if err := c.one(m); err != nil {
			return err
		}
	}
	return nil
}

func (c *count) one(m protocol.Measurement) error {
	full := len(c.counters)+len(c.gauges) >= protocol.MaxMeasures
	if m.Gauge {
		known := c.gauges[m.Name]
		if known == nil {
			if full {
				return tooMany()
			}
			name, help := texts(m)
			known = c.metrics.Gauge(name, help)
			c.gauges[name] = known
		}
		known.Set(m.Value)
		return nil
	}
	known := c.counters[m.Name]
	if known == nil {
		if full {
			return tooMany()
		}
		name, help := texts(m)
		known = c.metrics.Counter(name, help)
		c.counters[name] = known
	}
	if m.Value > 0 { // it only goes up
		known.Add(m.Value)
	}
	return nil
}

func texts(m protocol.Measurement) (name, help string) {
	return protocol.Cut(m.Name, protocol.MaxKey), protocol.Cut(m.Help, protocol.MaxHelp)
}

func tooMany() error {
	return fmt.Errorf("the module has %d measures already", protocol.MaxMeasures)
}
