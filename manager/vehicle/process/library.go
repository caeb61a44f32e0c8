package process

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/spawn"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// settling is how long a process may live on after its connection has ended.
const settling = 200 * time.Millisecond

// library is a library in a process that runs, or has ended.
type library struct {
	*origin
	described vehicle.Description
	process   *spawn.Process
	conn      *wire.Conn
	root      *wire.Remote
	only      atomic.Pointer[string] // the name of the library's module, if it has one only
	key       atomic.Uint64          // of the instance that was made last

	closing atomic.Bool
	close   sync.Once
	closed  error
	gone    chan struct{}
	cause   *vehicle.GoneError // set before gone is closed
}

var _ vehicle.Mortal = (*library)(nil)

// PID implements vehicle.Mortal.
func (l *library) PID() int { return l.process.PID() }

// Gone implements vehicle.Mortal.
func (l *library) Gone() <-chan struct{} { return l.gone }

// Cause implements vehicle.Mortal.
func (l *library) Cause() *vehicle.GoneError {
	select {
	case <-l.gone:
		return l.cause
	default:
		return nil
	}
}

// Again implements vehicle.Mortal.
func (l *library) Again(ctx context.Context) (vehicle.Mortal, error) {
	if l.closing.Load() {
		return nil, fmt.Errorf("start %s again: it has been closed", l.path())
	}
	l.users.Add(1)
	fresh, err := l.start(ctx)
	if err == nil && !reflect.DeepEqual(fresh.described, l.described) {
		err = changed()
		fresh.process.Kill(vehicle.EndClosed, "the library was refused")
		<-fresh.gone
	}
	if err != nil {
		l.release()
		return nil, err
	}
	return fresh, nil
}

// Compatible implements vehicle.Library.
func (l *library) Compatible(ctx context.Context, module string, view facade.View) error {
	id := l.conn.Export(&viewed{view})
	defer l.conn.Withdraw(id)
	_, err := protocol.Ask[protocol.Nothing](ctx, l.root, protocol.Compatible, protocol.Checking{Module: module, Host: id})
	return l.named(module, wire.Returned(err))
}

// Create implements vehicle.Library.
func (l *library) Create(ctx context.Context, module string, host facade.Host, p facade.Parameters) (vehicle.Instance, error) {
	i := &instance{library: l, key: l.key.Add(1), module: module, role: l.roleOf(module), host: newHosted(module, host)}
	created, err := protocol.Ask[protocol.Created](ctx, l.root, protocol.Create, i.creation(p))
	if err != nil {
		i.giveUp(ctx.Err() != nil)
		return vehicle.Instance{}, l.named(module, wire.Returned(err))
	}
	value, ok := bridge.Stub(i.role, l.conn.Remote(created.Object).Lost(func() error { return l.named(module, l.lost()) }))
	switch {
	case created.Role != i.role:
		err = fmt.Errorf("module %s: the instance is of the role %q, which is not the module's", module, created.Role)
	case !ok:
		err = fmt.Errorf("module %s: instances of the role %q are not carried between processes by this daemon", module, i.role)
	}
	if err != nil {
		i.giveUp(true)
		return vehicle.Instance{}, err
	}
	i.follow()
	return vehicle.Instance{Value: value, Destroy: i.destroy}, nil
}

func (l *library) roleOf(module string) string {
	for _, m := range l.described.Modules {
		if m.Name == module {
			return m.Role
		}
	}
	return ""
}

// named puts the module's name into the error if the process is gone.
func (l *library) named(module string, err error) error {
	var gone *vehicle.GoneError
	if !errors.As(err, &gone) || gone.PID != l.PID() {
		return err
	}
	whose := *gone
	whose.Module = module
	return &whose
}

// Close implements vehicle.Library: it asks the process to end, and ends it if it does not.
func (l *library) Close() error {
	l.close.Do(func() {
		l.closing.Store(true)
		l.closed = l.end()
		l.release()
	})
	return l.closed
}

func (l *library) end() error {
	if l.Cause() != nil {
		return nil // and everybody has been told
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.v.leaving)
	defer cancel()
	_, err := protocol.Ask[protocol.Nothing](ctx, l.root, protocol.Exit, protocol.Nothing{})
	_ = l.conn.Close() // which the process ends by
	select {
	case <-l.process.Done():
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("the process of %s (pid %d) has not ended %v after it was asked to, and was killed", l.path(), l.PID(), l.v.leaving))
		l.process.Kill(vehicle.EndClosed, "killed: it did not end when the library was closed")
	}
	<-l.gone
	return err
}

// Unloads implements vehicle.Library: nothing is left of a process.
func (l *library) Unloads() bool { return true }
