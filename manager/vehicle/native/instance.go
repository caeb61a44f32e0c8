package native

// #include "abi.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/descriptor"
)

// instance is one object of a module, with what the daemon has lent it.
type instance struct {
	library *library
	module  *module
	object  uintptr
	wrapped any // nil if it could not be
	host    *host
	gone    atomic.Bool
}

// Create implements vehicle.Library. A module that sets a reason and returns an
// object has made an object.
func (l *library) Create(ctx context.Context, name string, h facade.Host, p facade.Parameters) (vehicle.Instance, error) {
	if err := ctx.Err(); err != nil {
		return vehicle.Instance{}, err
	}
	m, err := l.enter(name)
	if err != nil {
		return vehicle.Instance{}, err
	}
	x := &instance{library: l, module: m}
	if err := x.make(ctx, h, p); err != nil {
		l.leave()
		return vehicle.Instance{}, err
	}
	value, err := x.value(h.Logger())
	if err != nil {
		// The object is the module's all the same, and goes back to it.
		return vehicle.Instance{}, errors.Join(err, x.destroy(context.WithoutCancel(ctx)))
	}
	return vehicle.Instance{Value: value, Destroy: x.destroy}, nil
}

// make calls the constructor. After an error nothing is left to be released.
func (x *instance) make(ctx context.Context, h facade.Host, p facade.Parameters) error {
	host, err := newHost(h, x.module.name)
	if err != nil {
		return fmt.Errorf("module %q: %w", x.module.name, err)
	}
	x.host = host
	parameters, err := newParameters(&host.arena, p)
	if err != nil {
		host.release()
		return fmt.Errorf("module %q: %w", x.module.name, err)
	}
	var call arena
	defer call.free()
	limit := newContext(ctx)
	defer limit.free()
	host.c.view = newView(&call, h)
	why := newError(&call)
	x.object = uintptr(C.abi_create(C.uintptr_t(x.module.create.Key()), C.uintptr_t(x.module.descriptor), limit.c, host.c, parameters, why))
	host.c.view = nil
	if x.object == 0 {
		host.release()
		return fmt.Errorf("module %q: the constructor made no instance%s", x.module.name, because(why))
	}
	return nil
}

// value checks what the object really is before anything of it is called.
func (x *instance) value(logger *slog.Logger) (any, error) {
	role, err := descriptor.RoleOf(newProcess(0), uint64(x.object))
	if err != nil {
		return nil, fmt.Errorf("module %q of role %s: %w", x.module.name, x.module.role, err)
	}
	if role != x.module.role {
		return nil, fmt.Errorf("module %q is declared for role %s, and its object has the table of role %s", x.module.name, x.module.role, role)
	}
	value, err := x.library.wrap(role, x.object)
	if err != nil {
		return nil, fmt.Errorf("module %q of role %s: %w", x.module.name, x.module.role, err)
	}
	bridge.Report(value, func(err error) { logger.Warn("the module made a mistake", "error", err) })
	x.wrapped = value
	return value, nil
}

// destroy gives the object back. The object is gone even after an error.
func (x *instance) destroy(ctx context.Context) error {
	if x.gone.Swap(true) {
		return fmt.Errorf("module %q: the instance was destroyed before", x.module.name)
	}
	var call arena
	defer call.free()
	limit := newContext(ctx)
	defer limit.free()
	why := newError(&call)
	failed := C.abi_destroy(C.uintptr_t(x.module.destroy.Key()), C.uintptr_t(x.module.descriptor), limit.c, C.uintptr_t(x.object), why) != 0
	bridge.End(x.wrapped)
	x.host.release()
	x.library.leave()
	if failed {
		return fmt.Errorf("module %q: the destructor failed%s", x.module.name, because(why))
	}
	return nil
}
