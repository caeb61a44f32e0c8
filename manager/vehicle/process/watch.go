package process

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

// watch waits for the end of the process, and sees to it that the end of the connection
// is one as well. Then calls under way fail.
func (l *library) watch() {
	select {
	case <-l.process.Done():
	case <-l.conn.Done():
		l.disconnected()
		<-l.process.Done()
	}
	end, detail, said := l.process.End()
	if l.closing.Load() && end == vehicle.EndExited {
		end, detail = vehicle.EndClosed, "the library was closed"
	}
	l.cause = &vehicle.GoneError{Library: l.path(), PID: l.PID(), End: end, Detail: detail, Said: said}
	close(l.gone)
	_ = l.conn.Close() // what held its sockets open as well gets no further
}

// disconnected ends a process that has no connection any more. Mostly it is about to end.
func (l *library) disconnected() {
	if l.closing.Load() {
		return // who closes it looks after that
	}
	l.settle()
	l.process.Kill(vehicle.EndDisorder, fmt.Sprintf("the connection to it ended: %v", l.conn.Err()))
}

// lost is why calls fail when the connection has ended. The reason comes soon after.
func (l *library) lost() error {
	<-l.gone
	return l.cause
}

// beats is how many times the watch is looked at while a sign of life is waited for: a
// daemon that was stopped itself does not blame the process for that.
const beats = 8

// beat asks the process for a sign of life every half limit, and ends it if none has come
// after a whole one.
func (l *library) beat(limit time.Duration) {
	limit = cmp.Or(limit, vehicle.DefaultHeartbeat)
	for {
		select {
		case <-time.After(limit / 2):
		case <-l.gone:
			return
		}
		if !l.answers(limit) {
			l.process.Kill(vehicle.EndHung, fmt.Sprintf("no sign of life for %v", limit))
			return
		}
	}
}

// answers reports whether the process is there. An error is an answer too.
func (l *library) answers(limit time.Duration) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = protocol.Ask[protocol.Nothing](ctx, l.root, protocol.Ping, protocol.Nothing{})
	}()
	tick := time.NewTicker(limit / beats)
	defer tick.Stop()
	for range beats {
		select {
		case <-answered:
			return true
		case <-l.gone:
			return true
		case <-tick.C:
		}
	}
	return false
}
