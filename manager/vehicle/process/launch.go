package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/spawn"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// Launch implements vehicle.Launcher. Of a library of another vehicle the description
// keeps that vehicle's name, and its Build says "isolation": "process".
func (v *Vehicle) Launch(ctx context.Context, f vehicle.File, d vehicle.Description, c vehicle.Confinement) (vehicle.Mortal, vehicle.Description, error) {
	from, err := v.origin(f, d, c)
	if err != nil {
		return nil, d, err
	}
	l, err := from.start(ctx)
	if err != nil {
		from.release()
		return nil, d, err
	}
	return l, l.described, nil
}

// origin is what the processes of one library are started from. It is shared by them, and
// keeps its files open until the last is closed.
type origin struct {
	v       *Vehicle
	opening protocol.Opening
	limits  vehicle.Confinement
	library *spawn.Image
	program *spawn.Image // what is run; the library itself if that is an executable
	users   atomic.Int64
}

// origin opens the library's file, and the program that carries it.
func (v *Vehicle) origin(f vehicle.File, d vehicle.Description, c vehicle.Confinement) (*origin, error) {
	o := &origin{v: v, opening: protocol.Opening{Vehicle: d.Vehicle, File: f, Description: d}, limits: c}
	o.users.Store(1)
	var err error
	if o.library, err = spawn.Open(f); err != nil {
		return nil, err
	}
	o.program = o.library
	if o.isolates() {
		if o.program, err = spawn.Own(v.o.Executable); err != nil {
			return nil, errors.Join(fmt.Errorf("open the program that carries %s: %w", f.Path, err), o.library.Close())
		}
	}
	return o, nil
}

// isolates reports whether the library is carried by another program.
func (o *origin) isolates() bool { return o.opening.Vehicle != vehicle.Process }

func (o *origin) path() string { return o.opening.File.Path }

// release is called by each user once.
func (o *origin) release() {
	if o.users.Add(-1) > 0 {
		return
	}
	_ = o.library.Close() // nothing was written
	if o.isolates() {
		_ = o.program.Close()
	}
}

// start starts a process and has it open the library. On an error nothing is left of it.
func (o *origin) start(ctx context.Context) (*library, error) {
	l := &library{origin: o, gone: make(chan struct{})}
	opening, remove, err := o.place()
	if err != nil {
		return nil, err
	}
	defer remove()
	if err := l.spawn(ctx, o.confinement(opening.File.Path)); err != nil {
		return nil, err
	}
	if l.described, err = l.describe(ctx, opening); err != nil {
		return nil, l.fail(ctx, err)
	}
	if all := l.described.Modules; len(all) == 1 {
		l.only.Store(&all[0].Name)
	}
	go l.beat(o.limits.Heartbeat)
	return l, nil
}

// place is where the process finds the library. Where the path leads to another file by
// now a copy of the one that was looked at is made, until it is open.
func (o *origin) place() (opening protocol.Opening, remove func(), err error) {
	opening = o.opening
	if !o.isolates() || leadsTo(o.path(), o.opening.File.Identity) {
		return opening, func() {}, nil
	}
	folder, err := os.MkdirTemp("", "mms-library-")
	if err != nil {
		return opening, nil, fmt.Errorf("copy %s, which is another file by now: %w", o.path(), err)
	}
	remove = func() { _ = os.RemoveAll(folder) } // in the folder for such files
	opening.File.Path = filepath.Join(folder, filepath.Base(o.path()))
	if opening.File.Identity, err = copyOf(o.library.File(), o.opening.File, opening.File.Path); err != nil {
		remove()
		return opening, nil, fmt.Errorf("copy %s, which is another file by now: %w", o.path(), err)
	}
	return opening, remove, nil
}

// confinement has a process that may use few files open the library.
func (o *origin) confinement(library string) vehicle.Confinement {
	c := o.limits
	if o.isolates() && len(c.ReadOnly)+len(c.ReadWrite) > 0 {
		c.ReadOnly = append(slices.Clip(c.ReadOnly), library)
	}
	return c
}

// spawn starts the process and connects to it.
func (l *library) spawn(ctx context.Context, c vehicle.Confinement) error {
	ours, theirs, err := link.Pair()
	if err != nil {
		return fmt.Errorf("connect to the process of %s: %w", l.path(), err)
	}
	l.process, err = spawn.Start(ctx, spawn.Spec{
		Image: l.program, Name: l.path(), Args: []string{protocol.Argument}, Extra: []*os.File{theirs},
		Confinement: c, Lines: l.printed,
	})
	_ = theirs.Close() // the process has its own
	if err != nil {
		_ = ours.Close()
		return refusal(err)
	}
	l.conn = wire.NewConn(wire.Config{
		Hello: wire.Hello{Mesos: facade.MesosVersion, Roles: bridge.Roles()}, Gone: l.lost,
		Identities: []wire.Identity{{Name: "handle.ErrUnbound", Error: handle.ErrUnbound}},
	})
	l.root = l.conn.Remote(0)
	go l.watch()
	if err := l.conn.Start(ours, link.Options{}); err != nil {
		return l.unconnected(err)
	}
	return nil
}

// unconnected ends a process that could not be connected to, unless that is because it
// has ended by itself.
func (l *library) unconnected(err error) error {
	l.settle()
	l.process.Kill(vehicle.EndClosed, "the daemon could not connect to it")
	<-l.gone
	if l.cause.End == vehicle.EndClosed {
		return fmt.Errorf("connect to the process of %s: %w", l.path(), err)
	}
	return fmt.Errorf("open the library: %w", l.cause)
}

// refusal turns what keeps a process from being started into what a finding is made of.
func refusal(err error) error {
	var start *spawn.StartError
	if !errors.As(err, &start) {
		return err
	}
	return &vehicle.Refusal{Rule: finding.LibraryOpens, Problem: "its process cannot be started: " + start.Problem, Mend: start.Mend, Cause: start}
}

// printed logs a line that the process has written, under the name of the module if there
// is but one it can be of.
func (l *library) printed(stream, line string) {
	level := slog.LevelInfo
	if stream == spawn.Stderr {
		level = slog.LevelWarn
	}
	attributes := []slog.Attr{slog.String("library", l.path()), slog.String("stream", stream)}
	if module := l.only.Load(); module != nil {
		attributes = append(attributes, slog.String("module", *module))
	}
	l.v.o.Logger.LogAttrs(context.Background(), level, line, attributes...)
}

// fail ends a process that was not to be, and returns why: if it ended by itself, how.
func (l *library) fail(ctx context.Context, err error) error {
	var refused *vehicle.Refusal
	switch {
	case errors.As(err, &refused):
		l.process.Kill(vehicle.EndClosed, "the library was refused")
		<-l.gone
		return refused
	case ctx.Err() != nil:
		l.process.Kill(vehicle.EndHung, fmt.Sprintf("it was not open in time (%v)", context.Cause(ctx)))
	default:
		l.settle()
		l.process.Kill(vehicle.EndDisorder, err.Error())
	}
	<-l.gone
	return fmt.Errorf("open the library: %w", errors.Join(l.cause, context.Cause(ctx)))
}

// settle gives a process that is about to end the time to do so, so that how it did is
// known.
func (l *library) settle() {
	timer := time.NewTimer(settling)
	defer timer.Stop()
	select {
	case <-l.process.Done():
	case <-timer.C:
	}
}
