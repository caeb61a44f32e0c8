package libprocess

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"
)

// peer is an address that is written to. Queue and links are under the sender's
// lock, all else is its goroutine's.
type peer struct {
	s    *Sender
	addr netip.AddrPort
	work chan struct{} // holds one when there may be something to do

	queue [][]byte
	links []link // in the order in which they were made
}

type link struct {
	to     PID
	exited func()
}

func (p *peer) poke() {
	select {
	case p.work <- struct{}{}:
	default: // it will look anyway
	}
}

func (p *peer) link(to PID, exited func()) {
	p.unlink(to)
	p.links = append(p.links, link{to, exited})
}

func (p *peer) unlink(to PID) {
	p.links = slices.DeleteFunc(p.links, func(l link) bool { return l.to == to })
}

// connection is an open one. What the peer answers is not looked at, as in
// libprocess; that it has closed shows by ended.
type connection struct {
	net.Conn
	ended   chan struct{}
	release func() bool
}

func (c *connection) close() {
	c.release()
	_ = c.Close() // it may be broken already
	<-c.ended
}

// run is the peer's goroutine.
func (p *peer) run() {
	var conn *connection
	defer func() {
		if conn != nil {
			conn.close()
		}
	}()
	idle := time.NewTimer(idleTimeout)
	defer idle.Stop()
	for {
		var ended chan struct{}
		if conn != nil {
			ended = conn.ended
		}
		select {
		case <-p.s.ctx.Done():
			return
		case <-ended:
			conn.close()
			conn = nil
			p.closed()
		case <-idle.C:
			if p.retire() {
				return
			}
			idle.Reset(idleTimeout)
		case <-p.work:
			idle.Reset(idleTimeout)
			conn = p.carry(conn)
		}
	}
}

// carry writes what waits, over a new connection if there is none, and returns the
// connection, or nil when it broke.
func (p *peer) carry(conn *connection) *connection {
	for {
		batch, linked := p.take()
		if len(batch) == 0 && (conn != nil || !linked) {
			return conn
		}
		if conn == nil {
			var err error
			if conn, err = p.dial(); err != nil {
				p.s.dropped.Add(int64(len(batch)))
				p.broken(err.Error())
				return nil
			}
		}
		if n, err := write(conn, batch); err != nil {
			conn.close()
			p.s.dropped.Add(int64(len(batch) - n))
			p.broken(err.Error())
			return nil
		}
	}
}

// take returns what waits, and whether somebody watches.
func (p *peer) take() ([][]byte, bool) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	batch := p.queue
	p.queue = nil
	return batch, len(p.links) > 0
}

func (p *peer) dial() (*connection, error) {
	ctx, cancel := context.WithTimeout(p.s.ctx, dialTimeout)
	defer cancel()
	c, err := p.s.o.Dial(ctx, "tcp", p.addr.String())
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	conn := &connection{Conn: c, ended: make(chan struct{})}
	conn.release = context.AfterFunc(p.s.ctx, func() { _ = c.Close() })
	p.s.running.Go(func() {
		defer close(conn.ended)
		_, _ = io.Copy(io.Discard, c) // any end is the end
	})
	return conn, nil
}

// write returns how many messages were written as a whole.
func write(conn *connection, batch [][]byte) (int, error) {
	for i, b := range batch {
		if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return i, fmt.Errorf("write: %w", err)
		}
		if _, err := conn.Write(b); err != nil {
			return i, fmt.Errorf("write: %w", err)
		}
	}
	return len(batch), nil
}

// closed goes on after the peer has closed the connection. Where nobody watches it,
// what waits goes over the next one.
func (p *peer) closed() {
	p.s.mu.Lock()
	watched := len(p.links) > 0
	p.s.mu.Unlock()
	if watched {
		p.broken("the peer has closed the connection")
	} else {
		p.poke()
	}
}

// broken drops what waits and tells those who watch.
func (p *peer) broken(why string) {
	p.s.mu.Lock()
	waiting, links := len(p.queue), p.links
	p.queue, p.links = nil, nil
	p.s.mu.Unlock()
	if p.s.ctx.Err() != nil {
		return
	}
	p.s.drop(waiting, PID{Addr: p.addr}, why)
	for _, l := range links {
		l.exited()
	}
}

// retire takes an idle peer out of the sender, and reports whether it was idle.
func (p *peer) retire() bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if len(p.queue) > 0 || len(p.links) > 0 {
		return false
	}
	delete(p.s.peers, p.addr)
	return true
}
