package moduletest

import (
	"context"
	"fmt"
	"reflect"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles"
)

// faults are what goes wrong around the modules under test.
type faults struct {
	stateDir     error
	cancelNew    bool
	requirements map[string]outage // by module
}

// outage is how a required module is out of order.
type outage int

const (
	missing outage = iota + 1
	broken
	hanging
)

// FailStateDir makes host.StateDir fail with err.
func FailStateDir(err error) Option { return func(s *settings) { s.faults.stateDir = err } }

// CancelNew gives constructors a context that has ended already, as if the daemon
// was told to stop at that moment: one that waits for something has to give up, and
// one that does not look makes its instance all the same.
func CancelNew() Option { return func(s *settings) { s.faults.cancelNew = true } }

// WithoutRequirement keeps a required module from being handed in, as it is with an
// optional one that is not there. (For a mandatory one that is not there, leave it
// out of With and look for the finding.)
func WithoutRequirement(module string) Option { return outageOf(module, missing) }

// BreakRequirement makes every call into a required module an error. A required
// module that panics looks the same: who requires it holds a handle, which turns the
// panic into an error.
func BreakRequirement(module string) Option { return outageOf(module, broken) }

// HangRequirement keeps every call into a required module from returning, whatever
// becomes of its context, until the kit is closed; it is an error then.
func HangRequirement(module string) Option { return outageOf(module, hanging) }

func outageOf(module string, o outage) Option {
	return func(s *settings) { s.faults.requirements[module] = o }
}

// StandIn is a library with one module that is the given instance, to stand in for
// what the module under test requires: With(StandIn[calculator.Calculator](
// "org_example_base", "1.2.0", fake{})).
func StandIn[T any](name, version string, instance T) facade.Library {
	return facade.Library{Modules: []facade.Declared{facade.Module[T]{
		Name: name, Version: version,
		Compatible: func(context.Context, facade.View) error { return nil },
		New:        func(context.Context, facade.Host, facade.Parameters) (T, error) { return instance, nil },
	}}}
}

// watched is a module under test with the kit between it and the daemon.
type watched struct {
	facade.Declared
	kit *Kit
}

// Declare implements facade.Declared.
func (w watched) Declare() facade.Declaration {
	d := w.Declared.Declare()
	if create := d.New; create != nil {
		d.New = func(ctx context.Context, host facade.Host, p facade.Parameters) (any, error) {
			ctx, h, leave := w.kit.between(ctx, host)
			defer leave()
			return create(ctx, h, p)
		}
	}
	return d
}

// watchedVehicle does the same for modules in files.
type watchedVehicle struct {
	vehicle.Vehicle
	kit *Kit
}

// Open implements vehicle.Vehicle.
func (v watchedVehicle) Open(ctx context.Context, f vehicle.File, d vehicle.Description) (vehicle.Library, error) {
	opened, err := v.Vehicle.Open(ctx, f, d)
	if err != nil {
		return nil, err
	}
	return watchedLibrary{opened, v.kit}, nil
}

type watchedLibrary struct {
	vehicle.Library
	kit *Kit
}

// Create implements vehicle.Library.
func (l watchedLibrary) Create(ctx context.Context, module string, host facade.Host, p facade.Parameters) (vehicle.Instance, error) {
	ctx, h, leave := l.kit.between(ctx, host)
	defer leave()
	return l.Library.Create(ctx, module, h, p)
}

// between returns what a constructor gets of the daemon with the faults in it.
func (k *Kit) between(ctx context.Context, h facade.Host) (context.Context, facade.Host, func()) {
	life, end := context.WithCancel(h.Lifetime())
	k.mu.Lock()
	k.lifetime = append(k.lifetime, end)
	if k.ended {
		end()
	}
	k.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	if k.o.faults.cancelNew {
		cancel()
	}
	return ctx, &host{Host: h, kit: k, life: life}, cancel
}

// host is the daemon's host with the faults in it.
type host struct {
	facade.Host
	kit  *Kit
	life context.Context
}

// StateDir implements facade.Host.
func (h *host) StateDir() (string, error) {
	if err := h.kit.o.faults.stateDir; err != nil {
		return "", err
	}
	return h.Host.StateDir()
}

// Lifetime implements facade.Host.
func (h *host) Lifetime() context.Context { return h.life }

// Requirement implements facade.Host.
func (h *host) Requirement(module string) (any, bool) {
	instance, ok := h.Host.Requirement(module)
	o := h.kit.o.faults.requirements[module]
	if !ok || o == 0 {
		return instance, ok
	}
	if o == missing {
		return nil, false
	}
	info, _ := h.Module(module)
	replaced, err := h.kit.outOfOrder(info, o)
	if err != nil {
		panic(fmt.Sprintf("moduletest: replace the required module %s: %v", module, err))
	}
	return replaced, true
}

// outOfOrder is a handle of the module's role behind which nothing works. To hang, it
// is bound to a value whose methods all panic, and is told of the panic only when the
// kit is closed: so it needs to know no role.
func (k *Kit) outOfOrder(m facade.ModuleInfo, o outage) (handle.Handle, error) {
	options := handle.Options{Module: m.Name}
	if o == hanging {
		options.Panicked = func(string, any, []byte) { <-k.released }
	}
	h, err := handle.New(m.Role, options)
	if err != nil || o == broken {
		return h, err
	}
	role, _ := roles.ByName(m.Role)
	return h, h.Bind(panicking(role.Type))
}

// panicking returns a value that implements an interface, and panics in each method.
func panicking(role reflect.Type) any {
	t := reflect.StructOf([]reflect.StructField{{Name: role.Name(), Type: role, Anonymous: true}})
	return reflect.New(t).Elem().Interface()
}
