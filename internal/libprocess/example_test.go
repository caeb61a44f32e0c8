package libprocess_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/wire"
)

func Example() {
	arrived := make(chan libprocess.Envelope)
	agent := httptest.NewServer(libprocess.Receiver(func(e libprocess.Envelope) bool { arrived <- e; return true }, http.NotFoundHandler()))
	defer agent.Close()

	s := libprocess.New(libprocess.Options{})
	defer s.Close()
	to := libprocess.PID{Name: "slave(1)", Addr: netip.MustParseAddrPort(agent.Listener.Addr().String())}
	s.Post(to, "slave-observer(1)", netip.MustParseAddrPort("10.0.0.9:5050"), &wire.PingSlaveMessage{Connected: proto.Bool(true)})

	e := <-arrived
	m, err := libprocess.Unmarshal(e)
	fmt.Println(e.From, e.To, m.(*wire.PingSlaveMessage).GetConnected(), err)
	// Output: slave-observer(1)@10.0.0.9:5050 slave(1) true <nil>
}
