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
	maxRate  = 1 << 20 // bytes of a module's messages in a second
	maxBurst = 8 << 20
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
		r = r.Bounded()
		size := float64(r.Size())
		if size > l.room {
			l.lost++
			continue
		}
		l.room -= size
		if l.lost > 0 {
			l.logger.Warn("messages of the module have been lost: it logs faster than the daemon takes", "messages", l.lost)
			l.lost = 0
		}
		var attributes []slog.Attr
		for _, a := range r.Attributes {
			attributes = append(attributes, slog.String(a[0], a[1]))
		}
		l.logger.LogAttrs(context.Background(), r.Level, r.Message, attributes...)
	}
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
	name, help := protocol.Cut(m.Name, protocol.MaxKey), protocol.Cut(m.Help, protocol.MaxHelp)
	if m.Gauge {
		gauge := c.gauges[name]
		if gauge == nil {
			if err := c.full(); err != nil {
				return err
			}
			gauge = c.metrics.Gauge(name, help)
			c.gauges[name] = gauge
		}
		gauge.Set(m.Value)
		return nil
	}
	counter := c.counters[name]
	if counter == nil {
		if err := c.full(); err != nil {
			return err
		}
		counter = c.metrics.Counter(name, help)
		c.counters[name] = counter
	}
	if m.Value > 0 { // it only goes up
		counter.Add(m.Value)
	}
	return nil
}

func (c *count) full() error {
	if len(c.counters)+len(c.gauges) >= protocol.MaxMeasures {
		return fmt.Errorf("the module has %d measures already", protocol.MaxMeasures)
	}
	return nil
}
