package process

import (
	"context"
	"log/slog"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
	"github.com/mesos-modules/mms/roles"
)

// instance is one that lives in the process, or is being made there, and what it was lent
// of the daemon.
type instance struct {
	library *library
	key     uint64
	module  string
	role    string
	host    *hosted
	lent    []uint64
	stop    func() bool // no longer tell the end of the host's lifetime
}

// creation is what the process is asked for. It lends what the instance may use.
func (i *instance) creation(p facade.Parameters) protocol.Creation {
	q := protocol.Creation{
		Key: i.key, Module: i.module, Host: i.lend(i.host),
		Level: i.host.level(), Ended: i.host.Lifetime().Err() != nil,
	}
	for _, x := range p {
		q.Parameters = append(q.Parameters, protocol.Parameter{Key: []byte(x.Key), Value: []byte(x.Value)})
	}
	for _, m := range i.library.described.Modules {
		if m.Name == i.module {
			for _, r := range m.Requires {
				q.Required = append(q.Required, i.required(r)...)
			}
			break
		}
	}
	return q
}

func (i *instance) lend(s wire.Servant) uint64 {
	id := i.library.conn.Export(s)
	i.lent = append(i.lent, id)
	return id
}

// required lends what satisfies a requirement, in the daemon's order.
func (i *instance) required(r facade.Requirement) []protocol.Required {
	if r.Module != "" {
		value, ok := i.host.Requirement(r.Module)
		info, known := i.host.Module(r.Module)
		if !ok || !known {
			return nil
		}
		return i.lendAll(r.Module, info.Role, []any{value})
	}
	role, ok := roles.ByName(r.Role)
	if !ok || role.Type == nil {
		return nil
	}
	return i.lendAll("", r.Role, i.host.Requirements(role.Type))
}

func (i *instance) lendAll(module, role string, values []any) []protocol.Required {
	var all []protocol.Required
	for _, value := range values {
		if servant, ok := bridge.Servant(role, value); ok {
			all = append(all, protocol.Required{Module: module, Role: role, Object: i.lend(servant)})
		}
	}
	return all
}

// follow tells the process when the host's lifetime ends.
func (i *instance) follow() {
	i.stop = context.AfterFunc(i.host.Lifetime(), func() { _ = i.endLife(context.Background()) })
}

// endLife fails only where the process is gone, and its life with it.
func (i *instance) endLife(ctx context.Context) error {
	_, err := protocol.Ask[protocol.Nothing](ctx, i.library.root, protocol.EndLife, protocol.Destruction{Key: i.key})
	return err
}

// destroy implements vehicle.Instance.
func (i *instance) destroy(ctx context.Context) error {
	defer i.takeBack()
	if !i.stop() { // the module is to see its lifetime end before
		if err := i.endLife(ctx); err != nil {
			return i.library.named(i.module, err)
		}
	}
	_, err := protocol.Ask[protocol.Nothing](ctx, i.library.root, protocol.Destroy, protocol.Destruction{Key: i.key})
	return i.library.named(i.module, wire.Returned(err))
}

// giveUp ends an instance that nobody is going to have. One that is still being made is
// destroyed when it has been, which nobody waits for; its host is there until then.
func (i *instance) giveUp(perhaps bool) {
	if !perhaps {
		i.takeBack()
		return
	}
	go func() {
		defer i.takeBack()
		_, err := protocol.Ask[protocol.Nothing](context.Background(), i.library.root, protocol.Destroy, protocol.Destruction{Key: i.key})
		if err != nil && i.library.Cause() == nil {
			i.host.Logger().LogAttrs(context.Background(), slog.LevelWarn, "an instance that was made too late could not be closed", slog.Any("error", err))
		}
	}()
}

func (i *instance) takeBack() { i.library.conn.Withdraw(i.lent...) }
