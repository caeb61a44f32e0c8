package libprocess

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"
)

// Limits of a sender.
const (
	// DefaultQueue is how many messages may wait for one peer.
	DefaultQueue = 4096

	// maxPeers is how many addresses are written to at a time. Addresses come from
	// who sends messages, so there must be an end.
	maxPeers = 1 << 17

	dialTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second

	// idleTimeout is how long a connection is kept that nobody watches.
	idleTimeout = time.Minute
)

// Options say how a sender works. The zero value is good.
type Options struct {
	// Dial opens connections; nil is TCP. TCP's keep-alive finds out when a host is
	// gone without a word.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Log      *slog.Logger // nil: nothing is logged
	MaxQueue int          // messages that wait for one peer; 0 is DefaultQueue
}

// Sender sends messages, and watches the connections that they go over. Each peer
// has one connection, opened when it is needed, and a goroutine that writes to it;
// a peer that does not read delays and loses its own messages only. All methods may
// be called from any goroutine, and none blocks.
type Sender struct {
	o       Options
	ctx     context.Context // ends with Close
	end     context.CancelFunc
	running sync.WaitGroup
	dropped atomic.Int64

	mu    sync.Mutex
	peers map[netip.AddrPort]*peer // nil after Close
}

// New returns a sender. The caller closes it.
func New(o Options) *Sender {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxQueue == 0 {
		o.MaxQueue = DefaultQueue
	}
	s := &Sender{o: o, peers: map[netip.AddrPort]*peer{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// Post sends a message from one of this program's processes, which is reached at
// self. Messages to one address arrive in the order of the calls or not at all:
// when a connection breaks, what waits for it is dropped, and so is what does not
// fit into the queue. m is not kept.
func (s *Sender) Post(to PID, from string, self netip.AddrPort, m proto.Message) {
	b, err := request(to, PID{Name: from, Addr: self}, m)
	if err != nil {
		s.drop(1, to, err.Error())
		return
	}
	s.mu.Lock()
	p := s.peer(to.Addr)
	full := p == nil || len(p.queue) >= s.o.MaxQueue
	if !full {
		p.queue = append(p.queue, b)
		p.poke()
	}
	s.mu.Unlock()
	if full {
		s.drop(1, to, "too much waits already")
	}
}

// Link watches the connection to a process' address, which is opened if there is
// none. When it breaks, or cannot be made, exited is called once, from a goroutine
// of the sender, and the link is over; it must not block. Linking a PID again
// replaces the function. After Close nothing is called.
func (s *Sender) Link(to PID, exited func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers == nil {
		return
	}
	p := s.peer(to.Addr)
	if p == nil {
		s.running.Go(exited)
		return
	}
	p.link(to, exited)
	p.poke()
}

// Unlink ends a link: its function is called no more, unless it is being called.
func (s *Sender) Unlink(to PID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.peers[to.Addr]; p != nil {
		p.unlink(to)
		p.poke() // it may be idle from now on
	}
}

// Dropped is how many messages were not sent.
func (s *Sender) Dropped() int64 { return s.dropped.Load() }

// Close closes all connections, drops what waits, and returns when no goroutine is
// left. It may be called again.
func (s *Sender) Close() {
	s.mu.Lock()
	s.peers = nil
	s.end()
	s.mu.Unlock()
	s.running.Wait()
}

// peer returns the peer at an address, and nil if there cannot be one. s.mu is held.
func (s *Sender) peer(addr netip.AddrPort) *peer {
	if p := s.peers[addr]; p != nil {
		return p
	}
	if s.peers == nil || len(s.peers) >= maxPeers || !addr.IsValid() {
		return nil
	}
	p := &peer{s: s, addr: addr, work: make(chan struct{}, 1)}
	s.peers[addr] = p
	s.running.Go(p.run)
	return p
}

func (s *Sender) drop(n int, to PID, why string) {
	s.dropped.Add(int64(n))
	s.o.Log.Debug("messages dropped", "to", to.String(), "messages", n, "why", why)
}
