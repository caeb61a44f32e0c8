package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// daemon takes what is told, when it is let.
type daemon struct {
	let chan struct{} // nil: always

	mu       sync.Mutex
	records  []protocol.Record
	measured []protocol.Measurement
	err      error
	level    slog.Level
}

func (d *daemon) wait() error {
	if d.let != nil {
		<-d.let
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

func (d *daemon) log(_ context.Context, all []protocol.Record) (protocol.Logged, error) {
	err := d.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.records = append(d.records, all...)
	}
	return protocol.Logged{Level: d.level}, err
}

func (d *daemon) measure(_ context.Context, all []protocol.Measurement) error {
	err := d.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.measured = append(d.measured, all...)
	}
	return err
}

func (d *daemon) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func TestJournal(t *testing.T) {
	t.Run("messages come in order, and all of them before flush returns", func(t *testing.T) {
		d := &daemon{}
		j := newJournal(slog.LevelInfo, d.log)
		logger := slog.New(handler{to: j})
		for i := range 1000 {
			logger.Info("message", "i", i)
		}
		j.flush(t.Context())
		require.Len(t, d.records, 1000)
		for i, r := range d.records {
			require.Equal(t, [][2]string{{"i", fmt.Sprint(i)}}, r.Attributes)
		}
		j.flush(t.Context())
	})
	t.Run("who logs does not wait for a slow daemon, and what there is no room for is counted", func(t *testing.T) {
		d := &daemon{let: make(chan struct{})}
		j := newJournal(slog.LevelInfo, d.log)
		logger := slog.New(handler{to: j})
		for range 2*maxQueued + protocol.MaxRecords {
			logger.Info("message")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		j.flush(ctx) // does not wait either
		d.let <- struct{}{}
		close(d.let)
		j.flush(t.Context())
		logger.Info("last")
		j.flush(t.Context())
		var lost uint64
		for _, r := range d.records {
			lost += r.Lost
		}
		assert.EqualValues(t, 2*maxQueued+protocol.MaxRecords+1, uint64(len(d.records))+lost)
		assert.NotZero(t, lost)
	})
	t.Run("what the daemon did not take is counted as well", func(t *testing.T) {
		d := &daemon{err: errors.New("no")}
		j := newJournal(slog.LevelInfo, d.log)
		slog.New(handler{to: j}).Info("message")
		j.flush(t.Context())
		d.fail(nil)
		slog.New(handler{to: j}).Info("message")
		j.flush(t.Context())
		require.Len(t, d.records, 1)
		assert.EqualValues(t, 1, d.records[0].Lost)
	})
	t.Run("the daemon says what it wants to hear", func(t *testing.T) {
		d := &daemon{level: slog.LevelWarn}
		j := newJournal(slog.LevelInfo, d.log)
		logger := slog.New(handler{to: j})
		logger.Debug("not this")
		logger.Info("this")
		j.flush(t.Context())
		logger.Info("no longer this")
		j.flush(t.Context())
		require.Len(t, d.records, 1)
		assert.False(t, logger.Enabled(t.Context(), slog.LevelInfo))
	})
}

type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("hidden") }

type broken struct{}

func (broken) Error() string { panic("in the text of an error") }

func TestHandler(t *testing.T) {
	moment := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want [][2]string
	}{
		{"kinds", func(l *slog.Logger) {
			l.Info("", "s", "text", "i", -1, "f", 1.5, "b", true, "d", time.Second, "t", moment, "e", errors.New("why"), "n", nil)
		}, [][2]string{{"s", "text"}, {"i", "-1"}, {"f", "1.5"}, {"b", "true"}, {"d", "1s"}, {"t", "2020-01-02T03:04:05.000000006Z"}, {"e", "why"}, {"n", "<nil>"}}},
		{"groups", func(l *slog.Logger) {
			l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("").Info("", slog.Group("h", "c", 3), slog.Group("", "d", 4), slog.Group("empty"), slog.Attr{})
		}, [][2]string{{"a", "1"}, {"g.b", "2"}, {"g.h.c", "3"}, {"g.d", "4"}}},
		{"values that say what is shown of them", func(l *slog.Logger) { l.Info("", "k", secret("s3cret")) }, [][2]string{{"k", "hidden"}}},
		{"values that panic", func(l *slog.Logger) { l.Info("", "k", broken{}) }, nil},
		{"loggers that branch", func(l *slog.Logger) {
			base := l.With("a", 1)
			_, second := base.With("b", 2), base.With("c", 3)
			second.Info("")
		}, [][2]string{{"a", "1"}, {"c", "3"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &daemon{}
			j := newJournal(slog.LevelInfo, d.log)
			c.log(slog.New(handler{to: j}))
			j.flush(t.Context())
			require.Len(t, d.records, 1)
			if c.want == nil {
				assert.Contains(t, d.records[0].Attributes[0][1], "PANIC")
				return
			}
			assert.Equal(t, c.want, d.records[0].Attributes)
		})
	}
	t.Run("what is too long or too much is cut", func(t *testing.T) {
		d := &daemon{}
		j := newJournal(slog.LevelInfo, d.log)
		long := strings.Repeat("ä", protocol.MaxText)
		var many []any
		for i := range 2 * protocol.MaxAttributes {
			many = append(many, slog.String(long, fmt.Sprint(i, long)))
		}
		slog.New(handler{to: j}).Info(long, many...)
		j.flush(t.Context())
		r := d.records[0]
		assert.Len(t, r.Message, protocol.MaxText)
		assert.LessOrEqual(t, len(r.Attributes), protocol.MaxAttributes)
		assert.LessOrEqual(t, r.Size(), protocol.MaxRecord+2*protocol.MaxText)
	})
}
