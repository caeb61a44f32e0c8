package serve

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"sync"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
	"github.com/mesos-modules/mms/roles"
)

var background = context.Background()

// host is what one instance has of the daemon.
type host struct {
	view
	journal  *journal
	measures *measures
	logger   *slog.Logger
	stateDir func() (string, error)
	lifetime context.Context
	end      context.CancelFunc
	byName   map[string]any
	byRole   map[reflect.Type][]any
}

var _ facade.Host = (*host)(nil)

func newHost(c *wire.Conn, q protocol.Creation) *host {
	daemon := c.Remote(q.Host)
	h := &host{view: newView(daemon), byName: map[string]any{}, byRole: map[reflect.Type][]any{}}
	h.journal = newJournal(q.Level, func(ctx context.Context, all []protocol.Record) (protocol.Logged, error) {
		return protocol.Ask[protocol.Logged](ctx, daemon, protocol.Log, all)
	})
	h.measures = newMeasures(func(ctx context.Context, all []protocol.Measurement) error {
		_, err := protocol.Ask[protocol.Nothing](ctx, daemon, protocol.Measure, all)
		return err
	})
	h.logger = slog.New(handler{to: h.journal})
	h.stateDir = sync.OnceValues(func() (string, error) {
		return protocol.Ask[string](background, daemon, protocol.StateDir, protocol.Nothing{})
	})
	h.lifetime, h.end = context.WithCancel(background)
	if q.Ended {
		h.end()
	}
	for _, r := range q.Required {
		h.handIn(c, r)
	}
	return h
}

// handIn makes a requirement of the daemon's, or of another process, callable here. A
// role that this build does not know cannot be asked for either.
func (h *host) handIn(c *wire.Conn, r protocol.Required) {
	instance, ok := bridge.Stub(r.Role, c.Remote(r.Object))
	if !ok {
		return
	}
	if r.Module != "" {
		h.byName[r.Module] = instance
		return
	}
	if role, ok := roles.ByName(r.Role); ok && role.Type != nil {
		h.byRole[role.Type] = append(h.byRole[role.Type], instance)
	}
}

// Logger implements facade.Host.
func (h *host) Logger() *slog.Logger { return h.logger }

// StateDir implements facade.Host.
func (h *host) StateDir() (string, error) { return h.stateDir() }

// Metrics implements facade.Host.
func (h *host) Metrics() facade.Metrics { return h.measures }

// Lifetime implements facade.Host. It also ends when the instance is gone.
func (h *host) Lifetime() context.Context { return h.lifetime }

// Requirement implements facade.Host.
func (h *host) Requirement(module string) (any, bool) {
	instance, ok := h.byName[module]
	return instance, ok
}

// Export implements facade.Host: what is exported does not cross.
func (h *host) Export(string) (any, bool) { return nil, false }

// Requirements implements facade.Host.
func (h *host) Requirements(role reflect.Type) []any { return slices.Clone(h.byRole[role]) }

// flush waits until the daemon has all that the instance has logged and measured.
func (h *host) flush(ctx context.Context) {
	h.measures.flush(ctx)
	h.journal.flush(ctx)
}

// view asks the daemon what is loaded, once, when somebody wants to know.
type view struct{ seen func() protocol.Seen }

func newView(daemon *wire.Remote) view {
	return view{sync.OnceValue(func() protocol.Seen {
		// Without a daemon there is nothing to see, and the process ends.
		seen, _ := protocol.Ask[protocol.Seen](background, daemon, protocol.View, protocol.Nothing{})
		return seen
	})}
}

// MesosVersion implements facade.View.
func (v view) MesosVersion() string { return v.seen().MesosVersion }

// Libraries implements facade.View.
func (v view) Libraries() []facade.LibraryInfo { return slices.Clone(v.seen().Libraries) }

// Modules implements facade.View.
func (v view) Modules() []facade.ModuleInfo { return slices.Clone(v.seen().Modules) }

// Module implements facade.View.
func (v view) Module(name string) (facade.ModuleInfo, bool) {
	for _, m := range v.seen().Modules {
		if m.Name == name {
			return m, true
		}
	}
	return facade.ModuleInfo{}, false
}
