package facade

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
)

// Host is what a daemon gives to a module when it makes an instance. What a
// module must not do is not here. All methods may be called from any goroutine
// for as long as the instance lives.
type Host interface {
	View

	// Logger writes to the daemon's log, under the module's name.
	Logger() *slog.Logger

	// StateDir returns a folder of the module's own that outlives the daemon.
	// It is made on the first call, readable for the daemon's user only.
	StateDir() (string, error)

	// Metrics registers counters and gauges under the module's name.
	Metrics() Metrics

	// Lifetime ends when teardown begins. It outlives the context that New
	// gets, and is what background work hangs on.
	Lifetime() context.Context

	// Requirement returns the instance of a module that the declaration
	// requires by name, as a handle that implements the module's role. Use
	// Required for a typed result.
	Requirement(module string) (instance any, ok bool)

	// Export returns what the instance of such a module hands over beyond its role;
	// false if it is no Exporter. Use RequiredExport for a typed result.
	Export(module string) (value any, ok bool)

	// Requirements returns the instances that satisfy the requirement of a role:
	// those that the operator has bound to a site of the daemon first, then in plan
	// order. Use RequiredRole for a typed result. The slice is
	// the caller's.
	Requirements(role reflect.Type) []any
}

// View answers what else is loaded. It does not change while a module looks at
// it. Slices returned are the caller's.
type View interface {
	// MesosVersion is the release of the daemon.
	MesosVersion() string

	// Libraries and Modules are sorted: libraries as the manifest names them,
	// modules by name.
	Libraries() []LibraryInfo
	Modules() []ModuleInfo

	// Module returns one module by name.
	Module(name string) (ModuleInfo, bool)
}

// LibraryInfo is what one library says of itself.
type LibraryInfo struct {
	Path         string // empty for the daemon binary itself
	Vehicle      string
	MMSVersion   string
	MesosVersion string
	MinMesos     string
}

// ModuleInfo is what one module says of itself.
type ModuleInfo struct {
	Name, Role, Version string
	Library             LibraryInfo
}

// Metrics makes measures that the daemon exposes under the module's name. Asking
// twice for one name gives the same measure. Names are snake_case.
type Metrics interface {
	Counter(name, help string) Counter
	Gauge(name, help string) Gauge
}

// Counter only goes up. Safe for concurrent use.
type Counter interface{ Add(n float64) }

// Gauge goes up and down. Safe for concurrent use.
type Gauge interface{ Set(v float64) }

// Required returns the instance of a required module as its role's type. It
// fails when the declaration does not require that module, when an optional one
// is not there, and when the module fulfils another role; the error names both
// types.
func Required[T any](host Host, module string) (T, error) {
	var none T
	instance, ok := host.Requirement(module)
	if !ok {
		return none, fmt.Errorf("module %q is not handed in: name it in Requires (an optional one may be absent)", module)
	}
	typed, ok := instance.(T)
	if !ok {
		return none, fmt.Errorf("module %q is handed in as %T, which is not the %v that was asked for", module, instance, reflect.TypeFor[T]())
	}
	return typed, nil
}

// RequiredRole returns the instances that satisfy the requirement of role T, in
// the order of Host.Requirements; none when the declaration has no such requirement.
func RequiredRole[T any](host Host) []T {
	var all []T
	for _, instance := range host.Requirements(reflect.TypeFor[T]()) {
		if typed, ok := instance.(T); ok {
			all = append(all, typed)
		}
	}
	return all
}
