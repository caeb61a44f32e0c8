package libprocess

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
)

func addr(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

var (
	self  = addr("10.0.0.9:5050")
	agent = PID{Name: "slave(1)", Addr: addr("10.0.0.1:5051")}
	ping  = &wire.PingSlaveMessage{Connected: proto.Bool(true)}
)

func shutdown(text string) *wire.ShutdownMessage { return &wire.ShutdownMessage{Message: &text} }

// network hands the far ends of the connections that a sender makes to a test.
type network struct {
	accepted chan net.Conn
	refuse   bool
}

func (n *network) dial(_ context.Context, _, _ string) (net.Conn, error) {
	if n.refuse {
		return nil, errors.New("nobody is there")
	}
	near, far := net.Pipe()
	n.accepted <- far
	return near, nil
}

func simulated(t *testing.T, queue int, test func(t *testing.T, s *Sender, n *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &network{accepted: make(chan net.Conn, 10)}
		s := New(Options{Dial: n.dial, MaxQueue: queue})
		defer s.Close()
		test(t, s, n)
	})
}

func TestBytes(t *testing.T) {
	t.Run("a message stands on the wire as libprocess writes it", func(t *testing.T) {
		b, err := request(agent, PID{Name: "slave-observer(1)", Addr: self}, ping)
		require.NoError(t, err)
		assert.Equal(t, "POST /slave(1)/mesos.internal.PingSlaveMessage HTTP/1.1\r\n"+
			"User-Agent: libprocess/slave-observer(1)@10.0.0.9:5050\r\nLibprocess-From: slave-observer(1)@10.0.0.9:5050\r\n"+
			"Connection: Keep-Alive\r\nHost: 10.0.0.1:5051\r\nContent-Length: 2\r\n\r\n\x08\x01", string(b))
	})
	t.Run("one without content has no length", func(t *testing.T) {
		b, err := request(agent, PID{Name: "master", Addr: self}, &wire.PongSlaveMessage{})
		require.NoError(t, err)
		assert.NotContains(t, string(b), "Content-Length")
	})
	t.Run("a name cannot break out of its path", func(t *testing.T) {
		assert.Equal(t, "a%20b%0D%0A%2F%25(1)", escaped("a b\r\n/%(1)"))
	})
}

func TestSender(t *testing.T) {
	t.Run("messages go over one connection, in order", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, n *network) {
			for _, text := range []string{"a", "b", "c"} {
				s.Post(agent, "master", self, shutdown(text))
			}
			r := bufio.NewReader(<-n.accepted)
			for _, text := range []string{"a", "b", "c"} {
				request, err := http.ReadRequest(r)
				require.NoError(t, err)
				e, _, err := Decode(request)
				require.NoError(t, err)
				m, err := Unmarshal(e)
				require.NoError(t, err)
				assert.Equal(t, text, m.(*wire.ShutdownMessage).GetMessage())
				assert.Equal(t, PID{Name: "master", Addr: self}, e.From)
			}
			assert.Empty(t, n.accepted)
		})
	})
	t.Run("a peer that never reads loses its own messages", func(t *testing.T) {
		simulated(t, 2, func(t *testing.T, s *Sender, n *network) {
			exits := 0
			s.Link(agent, func() { exits++ })
			synctest.Wait()
			s.Post(agent, "master", self, ping)
			synctest.Wait() // it is being written now
			for range 5 {
				s.Post(agent, "master", self, ping)
			}
			assert.EqualValues(t, 3, s.Dropped())
			time.Sleep(writeTimeout)
			synctest.Wait()
			assert.Equal(t, 1, exits)
			assert.EqualValues(t, 6, s.Dropped())
		})
	})
	t.Run("a message that lacks a field is dropped, not sent", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, n *network) {
			s.Post(agent, "master", self, &wire.UnregisterSlaveMessage{})
			assert.EqualValues(t, 1, s.Dropped())
			assert.Empty(t, n.accepted)
		})
	})
	t.Run("an idle connection is closed, and what comes later opens another", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, n *network) {
			s.Post(agent, "master", self, ping)
			first := <-n.accepted
			_, err := io.ReadAll(first)
			require.NoError(t, err)
			s.mu.Lock()
			assert.Empty(t, s.peers)
			s.mu.Unlock()
			s.Post(agent, "master", self, ping)
			synctest.Wait()
			assert.Len(t, n.accepted, 1)
		})
	})
	t.Run("where nobody watches, a closed connection costs no message", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, n *network) {
			s.Post(agent, "master", self, ping)
			c := <-n.accepted
			_, err := http.ReadRequest(bufio.NewReader(c))
			require.NoError(t, err)
			require.NoError(t, c.Close())
			synctest.Wait()
			s.Post(agent, "master", self, ping)
			_, err = http.ReadRequest(bufio.NewReader(<-n.accepted))
			require.NoError(t, err)
			assert.Zero(t, s.Dropped())
		})
	})
	t.Run("Close ends what is being written and drops the rest", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, _ *network) {
			s.Link(agent, func() { t.Error("exited after Close") })
			s.Post(agent, "master", self, ping)
			synctest.Wait()
			s.Close()
			s.Close()
			s.Post(agent, "master", self, ping)
			s.Link(agent, func() { t.Error("exited after Close") })
			s.Unlink(agent)
			assert.Positive(t, s.Dropped())
		})
	})
	t.Run("an address that is none is reported and keeps nothing", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, _ *network) {
			exited := make(chan struct{})
			s.Post(PID{}, "master", self, ping)
			s.Link(PID{}, func() { close(exited) })
			<-exited
			assert.EqualValues(t, 1, s.Dropped())
		})
	})
}

func TestLink(t *testing.T) {
	t.Run("a break is told once to each who watches, in order", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, n *network) {
			other := PID{Name: "other", Addr: agent.Addr}
			var told []string
			s.Link(agent, func() { told = append(told, "replaced") })
			s.Link(other, func() { told = append(told, "other") })
			s.Link(agent, func() { told = append(told, "agent") })
			require.NoError(t, (<-n.accepted).Close())
			synctest.Wait()
			assert.Equal(t, []string{"other", "agent"}, told)
			s.Link(agent, func() { told = append(told, "again") })
			require.NoError(t, (<-n.accepted).Close())
			synctest.Wait()
			assert.Equal(t, []string{"other", "agent", "again"}, told)
		})
	})
	t.Run("a peer that cannot be reached breaks the link", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, n *network) {
			n.refuse = true
			exits := 0
			s.Post(agent, "master", self, ping)
			s.Link(agent, func() { exits++ })
			synctest.Wait()
			assert.Equal(t, 1, exits)
			assert.EqualValues(t, 1, s.Dropped())
		})
	})
	t.Run("a watched connection is kept, an unlinked one is not", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, n *network) {
			s.Link(agent, func() { t.Error("exited") })
			c := <-n.accepted
			time.Sleep(10 * idleTimeout)
			assert.Empty(t, n.accepted)
			s.Unlink(agent)
			_, err := io.ReadAll(c) // ends after idleTimeout
			require.NoError(t, err)
		})
	})
	t.Run("what a peer answers is read and thrown away", func(t *testing.T) {
		simulated(t, 0, func(t *testing.T, s *Sender, n *network) {
			s.Link(agent, func() {})
			c := <-n.accepted
			for range 100 {
				_, err := c.Write(make([]byte, 1<<16))
				require.NoError(t, err)
			}
		})
	})
}

func TestSockets(t *testing.T) {
	t.Run("a sender and a receiver understand each other, over one connection", func(t *testing.T) {
		got := make(chan Envelope, 100)
		server := httptest.NewServer(Receiver(func(e Envelope) bool { got <- e; return true }, http.NotFoundHandler()))
		s := New(Options{})
		to := PID{Name: "slave(1)", Addr: addr(server.Listener.Addr().String())}
		exited := make(chan struct{})
		s.Link(to, func() { close(exited) })
		id := &mesosv1.AgentID{Value: proto.String("S1")}
		for range 50 {
			s.Post(to, "master", self, &wire.UnregisterSlaveMessage{SlaveId: id})
			s.Post(to, "slave-observer(1)", self, &wire.PongSlaveMessage{})
		}
		for range 50 {
			e := <-got
			m, err := Unmarshal(e)
			require.NoError(t, err)
			assert.Equal(t, "S1", m.(*wire.UnregisterSlaveMessage).GetSlaveId().GetValue())
			assert.Equal(t, Envelope{From: PID{Name: "slave-observer(1)", Addr: self}, To: "slave(1)",
				Name: "mesos.internal.PongSlaveMessage", Body: []byte{}}, <-got)
		}
		server.CloseClientConnections()
		<-exited
		s.Close()
		server.Close()
		assert.Zero(t, s.Dropped())
	})
}
