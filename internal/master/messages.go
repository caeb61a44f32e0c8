package master

import (
	"net/http"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// observerName is how the processes are called that ping agents.
const observerName = "slave-observer("

// receive takes messages out of the requests.
func (m *Master) receive(next http.Handler) http.Handler {
	return libprocess.Receiver(m.deliver, next)
}

// deliver takes a message and reports whether there is a process of that name. One
// that is not known is for somebody who is not here, as the drivers of Mesos are.
func (m *Master) deliver(e libprocess.Envelope) bool {
	session := strings.HasPrefix(e.To, sessionName)
	if e.To != process && !session && !strings.HasPrefix(e.To, observerName) {
		return false
	}
	message, err := libprocess.Unmarshal(e)
	if err != nil {
		m.c.Log.Debug("a message was dropped", "error", err)
		return true
	}
	if session {
		return m.sessions.deliver(e.To, message)
	}
	if a, ok := message.(*wire.AuthenticateMessage); ok && e.To == process {
		m.authenticate(e.From, a)
		return true
	}
	return m.toCore(e.From, e.To, message)
}

// authenticate begins a handshake; who does not lead has none.
func (m *Master) authenticate(from libprocess.PID, a *wire.AuthenticateMessage) {
	if s := m.state.Load(); !s.elected || !s.recovered {
		m.dropped.Add(1)
		return
	}
	m.sessions.begin(from, a)
}

func (m *Master) toCore(from libprocess.PID, to string, message proto.Message) bool {
	return m.queue.enter(m.ctx, core.AgentMessage{From: from, To: to, Message: message}) == nil
}
