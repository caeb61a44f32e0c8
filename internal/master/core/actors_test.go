package core

import (
	"fmt"
	"net/netip"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/wire"
)

func pid(n int) libprocess.PID {
	return libprocess.PID{Name: "slave(1)", Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 5051)}
}

func res(text string) []*mesosv1.Resource { return parsed(text).Messages() }

func parsed(text string) resources.Resources {
	r, err := resources.Parse(text, "*")
	if err != nil {
		panic(err)
	}
	return r
}

var modern = []*mesosv1.AgentInfo_Capability{
	{Type: mesosv1.AgentInfo_Capability_MULTI_ROLE.Enum()},
	{Type: mesosv1.AgentInfo_Capability_HIERARCHICAL_ROLE.Enum()},
	{Type: mesosv1.AgentInfo_Capability_RESERVATION_REFINEMENT.Enum()},
}

func agentInfo(n int) *mesosv1.AgentInfo {
	return &mesosv1.AgentInfo{
		Hostname: proto.String(fmt.Sprintf("host%d", n)), Port: proto.Int32(5051),
		Resources: res("cpus:4;mem:1024;ports:[31000-31009]"),
	}
}

// register brings agent n in and returns its id.
func (w *world) register(n int) string {
	w.Helper()
	w.do(AgentMessage{From: pid(n), To: "master", Message: &wire.RegisterSlaveMessage{
		Slave: agentInfo(n), Version: proto.String("1.12.0"), AgentCapabilities: modern,
		ResourceVersionUuid: &mesosv1.UUID{Value: []byte("0123456789abcdef")},
	}})
	a := w.core.agentAt[pid(n)]
	require.NotNil(w, a, "agent %d is not registered: %v", n, w.log)
	return a.id
}

// reregister brings agent n back with an id and what it runs.
func (w *world) reregister(n int, id string, change ...func(*wire.ReregisterSlaveMessage)) {
	w.Helper()
	info := agentInfo(n)
	info.Id = &mesosv1.AgentID{Value: &id}
	m := &wire.ReregisterSlaveMessage{Slave: info, Version: proto.String("1.12.0"), AgentCapabilities: modern,
		ResourceVersionUuid: &mesosv1.UUID{Value: []byte("0123456789abcdef")}}
	for _, c := range change {
		c(m)
	}
	w.do(AgentMessage{From: pid(n), To: "master", Message: m})
}

func frameworkInfo(change ...func(*mesosv1.FrameworkInfo)) *mesosv1.FrameworkInfo {
	info := &mesosv1.FrameworkInfo{User: proto.String("me"), Name: proto.String("test"), Role: proto.String("web"),
		FailoverTimeout: proto.Float64(60), Checkpoint: proto.Bool(true)}
	for _, c := range change {
		c(info)
	}
	return info
}

func with(capabilities ...mesosv1.FrameworkInfo_Capability_Type) func(*mesosv1.FrameworkInfo) {
	return func(info *mesosv1.FrameworkInfo) {
		for _, c := range capabilities {
			info.Capabilities = append(info.Capabilities, &mesosv1.FrameworkInfo_Capability{Type: c.Enum()})
			if c == mesosv1.FrameworkInfo_Capability_MULTI_ROLE {
				info.Roles, info.Role = []string{info.GetRole()}, nil
			}
		}
	}
}

// subscribe brings a framework in by a stream and returns its id.
func (w *world) subscribe(stream StreamID, change ...func(*mesosv1.FrameworkInfo)) string {
	w.Helper()
	w.trySubscribe(stream, change...)
	s := w.core.streams[stream]
	require.True(w, s != nil && s.framework != nil, "not subscribed: %v", w.log)
	return s.framework.id
}

func (w *world) trySubscribe(stream StreamID, change ...func(*mesosv1.FrameworkInfo)) RequestID {
	w.Helper()
	info := frameworkInfo(change...)
	return w.call(stream, &scheduler.Call{
		Type: scheduler.Call_SUBSCRIBE.Enum(), FrameworkId: info.Id,
		Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info},
	})
}

func id(framework string) func(*mesosv1.FrameworkInfo) {
	return func(info *mesosv1.FrameworkInfo) { info.Id = &mesosv1.FrameworkID{Value: &framework} }
}

func (w *world) call(stream StreamID, call *scheduler.Call) RequestID {
	w.Helper()
	return w.callAs(nil, stream, call)
}

func (w *world) callAs(principal *Principal, stream StreamID, call *scheduler.Call) RequestID {
	w.Helper()
	if call.FrameworkId == nil {
		if s := w.core.streams[stream]; s != nil && s.framework != nil {
			call.FrameworkId = s.framework.info.GetId()
		}
	}
	w.requests++
	w.do(SchedulerCall{Request: w.requests, Stream: stream, Principal: principal, Call: call})
	return w.requests
}

func (w *world) operator(call *master.Call) RequestID {
	w.Helper()
	w.requests++
	w.do(OperatorCall{Request: w.requests, Call: call})
	return w.requests
}

// offer offers part of an agent to a framework and returns the id of the offer.
func (w *world) offer(framework, agent, role, part string) *mesosv1.OfferID {
	w.Helper()
	before := w.core.offerCount
	share := w.books.share(agent, framework, role, parsed(part))
	w.do(Offered{Shares: []*allocation.Share{share}})
	require.Equal(w, before+1, w.core.offerCount, "no offer: %v", w.log)
	return &mesosv1.OfferID{Value: proto.String(fmt.Sprintf("M-O%d", before))}
}
