package manager

import (
	"cmp"
	"context"
	"log/slog"
	"reflect"
	"slices"
	"sync"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/handle"
)

// host is what one module gets of the daemon. It is immutable but for the state
// folder, which is made when it is first asked for.
type host struct {
	view
	logger   *slog.Logger
	metrics  facade.Metrics
	lifetime context.Context
	stateDir func() (string, error)
	byName   map[string]lent        // required modules; nil if there are none
	byRole   map[reflect.Type][]any // required roles: those bound to a site first, then in plan order
}

// newHost makes the host for what is about to fill a place, and keeps what is handed
// to it. others are requirements that were made for it alone.
func (m *Manager) newHost(f *filling, others map[string]*instance) *host {
	m.mu.Lock()
	defer m.mu.Unlock()
	mod := f.by
	f.open = mod.library.open
	h := &host{
		view:     m.seen,
		logger:   m.cfg.Logger.With("module", mod.name),
		metrics:  m.cfg.Metrics(mod.name),
		lifetime: m.seq.Lifetime(),
		stateDir: sync.OnceValues(func() (string, error) { return m.stateDirOf(mod.name) }),
	}
	required := m.requirements(mod)
	slices.SortStableFunc(required, func(a, b depgraph.Requirement) int {
		return cmp.Or(cmp.Compare(m.unbound(a.Module), m.unbound(b.Module)),
			cmp.Compare(m.modules[a.Module].place, m.modules[b.Module].place))
	})
	for _, r := range required {
		other := others[r.Module]
		if shared := m.modules[r.Module].shared; shared != nil {
			other = shared
		}
		if other == nil || other.now == nil { // an optional one that is loaded and not made, or lost for good
			continue
		}
		f.uses = append(f.uses, other)
		h.handIn(m, r, lent{other.home(), other.now.value})
	}
	return h
}

// unbound is 0 for a module that a site of this daemon is bound to, and 1 for others.
func (m *Manager) unbound(name string) int {
	if slices.ContainsFunc(m.sites, func(s *site) bool { return s.has[name] }) {
		return 0
	}
	return 1
}

// handIn gives the host one required module.
func (h *host) handIn(m *Manager, r depgraph.Requirement, other lent) {
	if r.Role == "" {
		if h.byName == nil {
			h.byName = map[string]lent{}
		}
		h.byName[r.Module] = other
	} else if t := m.typeOf(r.Role); t != nil {
		if h.byRole == nil {
			h.byRole = map[reflect.Type][]any{}
		}
		h.byRole[t] = append(h.byRole[t], other.home)
	}
}

func (m *Manager) typeOf(role string) reflect.Type {
	for _, r := range m.cfg.Roles {
		if r.Name == role {
			return r.Type
		}
	}
	return nil
}

func (h *host) Logger() *slog.Logger      { return h.logger }
func (h *host) StateDir() (string, error) { return h.stateDir() }
func (h *host) Metrics() facade.Metrics   { return h.metrics }
func (h *host) Lifetime() context.Context { return h.lifetime }

func (h *host) Requirement(name string) (any, bool) {
	other, ok := h.byName[name]
	if !ok {
		return nil, false
	}
	return other.home, true
}

func (h *host) Export(name string) (any, bool) {
	exporter, ok := h.byName[name].value.(facade.Exporter)
	if !ok {
		return nil, false
	}
	return exporter.Export(), true
}

func (h *host) Requirements(role reflect.Type) []any { return slices.Clone(h.byRole[role]) }

// lent is an instance that is handed to those who require it.
type lent struct {
	home  handle.Handle
	value any // the instance itself
}

// view is a copy of the books as modules may see them.
type view struct {
	mesos     string
	libraries []facade.LibraryInfo
	modules   []facade.ModuleInfo // by name
}

// view is called with m.mu held.
func (m *Manager) view() view {
	v := view{mesos: m.cfg.MesosVersion}
	for _, lib := range m.libraries {
		v.libraries = append(v.libraries, lib.info())
	}
	slices.SortFunc(v.libraries, func(a, b facade.LibraryInfo) int { return cmp.Compare(a.Path, b.Path) })
	for _, mod := range m.modules {
		v.modules = append(v.modules, facade.ModuleInfo{
			Name: mod.name, Role: mod.declared.Role, Version: mod.declared.Version, Library: mod.library.info(),
		})
	}
	slices.SortFunc(v.modules, func(a, b facade.ModuleInfo) int { return cmp.Compare(a.Name, b.Name) })
	return v
}

func (lib *library) info() facade.LibraryInfo {
	return facade.LibraryInfo{
		Path: lib.path, Vehicle: lib.description.Vehicle,
		MMSVersion: lib.description.MMSVersion, MesosVersion: lib.description.MesosVersion, MinMesos: lib.description.MinMesos,
	}
}

func (v view) MesosVersion() string            { return v.mesos }
func (v view) Libraries() []facade.LibraryInfo { return slices.Clone(v.libraries) }
func (v view) Modules() []facade.ModuleInfo    { return slices.Clone(v.modules) }

func (v view) Module(name string) (facade.ModuleInfo, bool) {
	i, ok := slices.BinarySearchFunc(v.modules, name, func(m facade.ModuleInfo, name string) int { return cmp.Compare(m.Name, name) })
	if !ok {
		return facade.ModuleInfo{}, false
	}
	return v.modules[i], true
}

// noMetrics is for daemons without a registry.
type noMetrics struct{}

func (noMetrics) Counter(string, string) facade.Counter { return noMeasure{} }
func (noMetrics) Gauge(string, string) facade.Gauge     { return noMeasure{} }

type noMeasure struct{}

func (noMeasure) Add(float64) {}
func (noMeasure) Set(float64) {}
