package native

// #include "abi.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/entered"
)

// library is an open native library.
type library struct {
	path    string
	wrap    func(role string, object uintptr) (any, error)
	modules map[string]*module
	stays   bool

	mu     sync.Mutex
	opened *opened // nil once closed
	inside int     // calls under way and instances that live
	gone   bool    // the loader has really let go of it
}

// module is one module of an open library.
type module struct {
	name       string
	role       string
	descriptor uintptr
	compatible bool
	check      entered.Note
	create     entered.Note
	destroy    entered.Note
}

func newLibrary(v *Vehicle, o *opened, modules []vehicle.Module, places []place) *library {
	l := &library{path: o.path, wrap: v.wrap, modules: map[string]*module{}, stays: o.reading.image.Stays, opened: o}
	for i, p := range places {
		if l.modules[p.module] != nil {
			continue // a flaw that verification has reported
		}
		l.modules[p.module] = &module{
			name: p.module, role: modules[i].Role, compatible: modules[i].Compatible,
			descriptor: uintptr(o.base + p.address),
			check:      entered.Step(label("the compatibility check", p.module, o.path)),
			create:     entered.Step(label("the constructor", p.module, o.path)),
			destroy:    entered.Step(label("the destructor", p.module, o.path)),
		}
	}
	return l
}

// enter keeps the library open until leave is called.
func (l *library) enter(name string) (*module, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened == nil {
		return nil, fmt.Errorf("module %q: the library %s has been closed", name, l.path)
	}
	m := l.modules[name]
	if m == nil {
		return nil, fmt.Errorf("the library %s has no module %q", l.path, name)
	}
	l.inside++
	return m, nil
}

func (l *library) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inside--
}

// Compatible implements vehicle.Library.
func (l *library) Compatible(ctx context.Context, name string, view facade.View) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m, err := l.enter(name)
	if err != nil {
		return err
	}
	defer l.leave()
	if !m.compatible {
		return fmt.Errorf("module %q declares no compatibility check", name)
	}
	var a arena
	defer a.free()
	why := newError(&a)
	if C.abi_compatible(C.uintptr_t(m.check.Key()), C.uintptr_t(m.descriptor), newView(&a, view), why) != 0 {
		if text := reason(why); text != "" {
			return errors.New(text)
		}
		return errors.New("the module's own check refuses and gives no reason")
	}
	return nil
}

// Close implements vehicle.Library. It refuses while an instance lives or a call
// is inside: the code would be taken away under it.
func (l *library) Close() error {
	l.mu.Lock()
	o := l.opened
	if o == nil {
		l.mu.Unlock()
		return nil
	}
	if l.inside > 0 {
		defer l.mu.Unlock()
		return fmt.Errorf("the library %s stays open: %d instances or calls of its modules are still there", l.path, l.inside)
	}
	l.opened = nil
	l.mu.Unlock()

	err := o.close() // runs finalisers: no lock is held
	for _, m := range l.modules {
		m.check.Free()
		m.create.Free()
		m.destroy.Free()
	}
	gone := !isLoaded(l.path)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = gone
	return err
}

// Unloads implements vehicle.Library. Before Close it is what is to be expected,
// after it what happened.
func (l *library) Unloads() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened == nil {
		return l.gone
	}
	return !l.stays
}

var _ vehicle.Library = (*library)(nil)
