package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

func named(principal string) *Principal { return &Principal{Value: &principal} }

func subscribeCall(info *mesosv1.FrameworkInfo) *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), FrameworkId: info.Id,
		Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info}}
}

func TestSubscribe(t *testing.T) {
	t.Run("a stream begins with SUBSCRIBED and a heartbeat, and goes on with one every 15 seconds", func(t *testing.T) {
		w := newWorld(t)
		w.subscribe("s")
		require.Equal(t, []string{"SUBSCRIBED", "HEARTBEAT"}, w.types("s"))
		said := w.events("s")[0].GetSubscribed()
		assert.Equal(t, "M-0000", said.GetFrameworkId().GetValue())
		assert.InDelta(t, 15.0, said.GetHeartbeatIntervalSeconds(), 0)
		assert.Len(t, said.GetMasterInfo().GetCapabilities(), 3)
		w.look()
		w.wait(45 * time.Second)
		require.Equal(t, []string{"HEARTBEAT", "HEARTBEAT", "HEARTBEAT"}, w.types("s"))
	})

	t.Run("ids count up", func(t *testing.T) {
		w := newWorld(t)
		assert.Equal(t, "M-0000", w.subscribe("a"))
		assert.Equal(t, "M-0001", w.subscribe("b"))
	})

	t.Run("an id that this master does not know is accepted", func(t *testing.T) {
		w := newWorld(t)
		assert.Equal(t, "former-0007", w.subscribe("s", id("former-0007")))
		assert.Equal(t, []string{"SUBSCRIBED", "HEARTBEAT"}, w.types("s"))
	})

	t.Run("what is wrong is said on the stream, which then ends", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			config func(*Config)
			info   func(*mesosv1.FrameworkInfo)
			says   string
		}{
			{"a role that cannot be", nil, func(i *mesosv1.FrameworkInfo) { i.Role = proto.String("-x") }, "-x"},
			{"a role that is not on the list", func(c *Config) { c.Roles = []string{"other"} }, nil, "'web'"},
			{"root", func(c *Config) { c.RootSubmissions = false },
				func(i *mesosv1.FrameworkInfo) { i.User = proto.String("root") }, "root_submissions"},
			{"a timeout that is not finite", nil,
				func(i *mesosv1.FrameworkInfo) { i.FailoverTimeout = proto.Float64(-1) }, "failover_timeout"},
		} {
			t.Run(c.name, func(t *testing.T) {
				change := func(*Config) {}
				if c.config != nil {
					change = c.config
				}
				w := newWorld(t, change)
				info := func(*mesosv1.FrameworkInfo) {}
				if c.info != nil {
					info = c.info
				}
				w.trySubscribe("s", info)
				require.Equal(t, []string{"ERROR"}, w.types("s"))
				assert.Contains(t, w.events("s")[0].GetError().GetMessage(), c.says)
				lines := w.look()
				assert.Equal(t, "open s for 1", lines[0])
				assert.Equal(t, "close s", lines[len(lines)-1])
				assert.Zero(t, w.core.frameworks.len())
				assert.Empty(t, w.core.streams)
			})
		}
	})

	t.Run("suppressed roles and constraints that are not of its roles are said on the stream", func(t *testing.T) {
		w := newWorld(t)
		call := subscribeCall(frameworkInfo())
		call.Subscribe.SuppressedRoles = []string{"other"}
		w.call("s", call)
		require.Equal(t, []string{"ERROR"}, w.types("s"))
		call = subscribeCall(frameworkInfo())
		call.Subscribe.OfferConstraints = &scheduler.OfferConstraints{
			RoleConstraints: map[string]*scheduler.OfferConstraints_RoleConstraints{"other": {}}}
		w.call("t", call)
		require.Equal(t, []string{"ERROR"}, w.types("t"))
	})

	t.Run("a framework that was removed does not come back", func(t *testing.T) {
		w := newWorld(t)
		f := w.subscribe("s")
		w.call("s", &scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
		w.trySubscribe("t", id(f))
		require.Equal(t, []string{"ERROR"}, w.types("t"))
		assert.Equal(t, "Framework has been removed", w.events("t")[0].GetError().GetMessage())
	})

	t.Run("a principal other than the authenticated one is 400", func(t *testing.T) {
		w := newWorld(t)
		call := subscribeCall(frameworkInfo(func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("you") }))
		a := w.answered(w.callAs(named("me"), "s", call))
		assert.Equal(t, 400, a.Status)
		assert.Equal(t, "Authenticated principal 'me' does not match principal 'you' set in `FrameworkInfo`", a.Text)
	})

	t.Run("a principal that is not said is the authenticated one", func(t *testing.T) {
		w := newWorld(t)
		w.callAs(named("me"), "s", subscribeCall(frameworkInfo()))
		f := w.core.streams["s"].framework
		assert.Equal(t, "me", f.info.GetPrincipal())
		w.look()
		assert.Equal(t, 202, w.answered(w.callAs(named("me"), "s", &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})).Status)
	})

	t.Run("a principal without a value is 403", func(t *testing.T) {
		w := newWorld(t)
		assert.Equal(t, 403, w.answered(w.callAs(&Principal{}, "s", subscribeCall(frameworkInfo()))).Status)
	})
}

func TestSubscribeAgain(t *testing.T) {
	t.Run("the old instance is told and closed, its offers go back without a word", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		f := w.subscribe("old")
		w.offer(f, agent, "web", "cpus:1")
		w.look()
		w.subscribe("new", id(f))
		assert.Equal(t, []string{"ERROR"}, w.types("old"))
		assert.Equal(t, "Framework failed over", w.events("old")[0].GetError().GetMessage())
		assert.Equal(t, []string{"SUBSCRIBED", "HEARTBEAT"}, w.types("new"))
		assert.Contains(t, w.log, "close old")
		assert.Zero(t, w.core.offers.len())
		assert.Len(t, messages[*wire.UpdateFrameworkMessage](w, pid(1)), 1)
		w.sound()
		w.do(StreamGone{Stream: "old"})
		assert.True(t, w.core.streams["new"].framework.connected(), "the end of the old stream is no matter")
	})

	t.Run("user and checkpoint stay as they were", func(t *testing.T) {
		w := newWorld(t)
		f := w.subscribe("old")
		w.subscribe("new", id(f), func(i *mesosv1.FrameworkInfo) {
			i.User, i.Checkpoint, i.Name = proto.String("you"), proto.Bool(false), proto.String("other")
		})
		info := w.core.streams["new"].framework.info
		assert.Equal(t, "me", info.GetUser())
		assert.True(t, info.GetCheckpoint())
		assert.Equal(t, "other", info.GetName())
	})

	t.Run("a changed principal is refused on the stream", func(t *testing.T) {
		w := newWorld(t)
		f := w.subscribe("old")
		w.trySubscribe("new", id(f), func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("you") })
		require.Equal(t, []string{"ERROR"}, w.types("new"))
		assert.True(t, w.core.streams["old"].framework.connected())
	})

	t.Run("in time after a break nothing is lost; too late, all is", func(t *testing.T) {
		for _, late := range []bool{false, true} {
			w := newWorld(t)
			agent := w.register(1)
			f := w.subscribe("a")
			w.launch("a", agent, "t", "cpus:1")
			w.do(StreamGone{Stream: "a"})
			w.wait(59 * time.Second)
			w.look()
			if late {
				w.wait(time.Second)
				assert.Len(t, messages[*wire.ShutdownFrameworkMessage](w, pid(1)), 1)
				assert.Zero(t, w.core.frameworks.len())
				view := w.core.View()
				require.Len(t, view.Completed[0].Completed, 1)
				task := view.Completed[0].Completed[0]
				assert.Equal(t, mesosv1.TaskState_TASK_KILLED, task.GetState())
				assert.Equal(t, mesosv1.TaskStatus_REASON_FRAMEWORK_REMOVED, task.GetStatuses()[0].GetReason())
			} else {
				w.subscribe("b", id(f))
				w.wait(time.Hour)
				assert.True(t, w.core.frameworks.has(f))
			}
			w.sound()
		}
	})

	t.Run("without a failover timeout a break is the end", func(t *testing.T) {
		w := newWorld(t)
		w.subscribe("a", func(i *mesosv1.FrameworkInfo) { i.FailoverTimeout = nil })
		w.do(StreamGone{Stream: "a"})
		require.Equal(t, w.now, w.core.Next())
		w.do(Tick{})
		assert.Zero(t, w.core.frameworks.len())
		w.sound()
	})

	t.Run("a timeout that is longer than any duration is the longest", func(t *testing.T) {
		w := newWorld(t)
		f := w.subscribe("a", func(i *mesosv1.FrameworkInfo) { i.FailoverTimeout = proto.Float64(9e9) })
		w.do(StreamGone{Stream: "a"})
		w.wait(1000 * time.Hour)
		assert.True(t, w.core.frameworks.has(f))
	})
}

func TestAuthorizedSubscription(t *testing.T) {
	authorized := func(c *Config) { c.Authorize = true }

	t.Run("nothing but the stream is there until the answer comes", func(t *testing.T) {
		w := newWorld(t, authorized)
		w.trySubscribe("s")
		require.Len(t, w.asked, 1)
		request := w.asked[0].Requests[0]
		assert.Equal(t, authorization.Action_REGISTER_FRAMEWORK, request.GetAction())
		assert.Equal(t, "web", request.GetObject().GetValue())
		assert.Nil(t, w.core.FrameworkOf("s"))
		w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{true}})
		assert.Equal(t, []string{"SUBSCRIBED", "HEARTBEAT"}, w.types("s"))
		assert.Equal(t, "M-0000", w.core.FrameworkOf("s").GetValue())
	})

	t.Run("who is not allowed, or not answered for, is told on the stream", func(t *testing.T) {
		w := newWorld(t, authorized)
		w.trySubscribe("s")
		w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{false}})
		require.Equal(t, []string{"ERROR"}, w.types("s"))
		assert.Equal(t, "Not authorized to use roles 'web'", w.events("s")[0].GetError().GetMessage())
		w.trySubscribe("t")
		w.do(Authorized{Ticket: w.asked[1].Ticket})
		require.Equal(t, []string{"ERROR"}, w.types("t"))
	})

	t.Run("who has left meanwhile is not subscribed, and a second answer changes nothing", func(t *testing.T) {
		w := newWorld(t, authorized)
		w.trySubscribe("s")
		w.do(StreamGone{Stream: "s"})
		w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{true}})
		w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{true}})
		assert.Zero(t, w.core.frameworks.len())
	})

	t.Run("who was removed meanwhile is told so", func(t *testing.T) {
		w := newWorld(t, authorized)
		w.trySubscribe("s")
		w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{true}})
		w.trySubscribe("t", id("M-0000"))
		w.operator(&master.Call{Type: master.Call_TEARDOWN.Enum(),
			Teardown: &master.Call_Teardown{FrameworkId: &mesosv1.FrameworkID{Value: proto.String("M-0000")}}})
		w.do(Authorized{Ticket: w.asked[2].Ticket, Allowed: []bool{true}})
		w.do(Authorized{Ticket: w.asked[1].Ticket, Allowed: []bool{true}})
		require.Equal(t, []string{"ERROR"}, w.types("t"))
	})
}

func TestUpdateFramework(t *testing.T) {
	update := func(info *mesosv1.FrameworkInfo) *scheduler.Call {
		return &scheduler.Call{Type: scheduler.Call_UPDATE_FRAMEWORK.Enum(), FrameworkId: info.Id,
			UpdateFramework: &scheduler.Call_UpdateFramework{FrameworkInfo: info}}
	}

	t.Run("it is answered when it is done, and all agents are told of what has changed", func(t *testing.T) {
		w := newWorld(t)
		w.register(1)
		f := w.subscribe("s")
		w.look()
		a := w.answered(w.call("s", update(frameworkInfo(id(f)))))
		assert.Equal(t, 200, a.Status)
		assert.Empty(t, messages[*wire.UpdateFrameworkMessage](w, pid(1)), "nothing has changed")
		a = w.answered(w.call("s", update(frameworkInfo(id(f), func(i *mesosv1.FrameworkInfo) { i.Name = proto.String("new") }))))
		assert.Equal(t, 200, a.Status)
		told := messages[*wire.UpdateFrameworkMessage](w, pid(1))
		require.Len(t, told, 1)
		assert.Equal(t, "new", told[0].GetFrameworkInfo().GetName())
		assert.Equal(t, "@0.0.0.0:0", told[0].GetPid())
	})

	t.Run("what cannot change is 400", func(t *testing.T) {
		for name, change := range map[string]func(*mesosv1.FrameworkInfo){
			"user":       func(i *mesosv1.FrameworkInfo) { i.User = proto.String("you") },
			"checkpoint": func(i *mesosv1.FrameworkInfo) { i.Checkpoint = proto.Bool(false) },
			"principal":  func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("you") },
			"role":       func(i *mesosv1.FrameworkInfo) { i.Role = proto.String("a//b") },
		} {
			w := newWorld(t)
			f := w.subscribe("s")
			w.look()
			a := w.answered(w.call("s", update(frameworkInfo(id(f), change))))
			assert.Equal(t, 400, a.Status, name)
			assert.Contains(t, a.Text, name)
		}
	})

	t.Run("who is not authorized gets 403", func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Authorize = true })
		w.trySubscribe("s")
		w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{true}})
		request := w.call("s", update(frameworkInfo(id("M-0000"))))
		w.do(Authorized{Ticket: w.asked[1].Ticket, Allowed: []bool{false}})
		assert.Equal(t, 403, w.answered(request).Status)
	})

	t.Run("offers to a role that it leaves are rescinded", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		multi := with(mesosv1.FrameworkInfo_Capability_MULTI_ROLE)
		f := w.subscribe("s", multi)
		w.offer(f, agent, "web", "cpus:1")
		w.look()
		w.call("s", update(frameworkInfo(id(f), multi, func(i *mesosv1.FrameworkInfo) { i.Roles = []string{"batch"} })))
		assert.Equal(t, []string{"RESCIND"}, w.types("s"))
		w.sound()
	})
}

func TestWhoCalls(t *testing.T) {
	revive := func(f string) *scheduler.Call {
		return &scheduler.Call{Type: scheduler.Call_REVIVE.Enum(), FrameworkId: &mesosv1.FrameworkID{Value: &f}}
	}
	w := newWorld(t)
	f := w.subscribe("s", func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("me") })
	away := w.subscribe("gone")
	w.do(StreamGone{Stream: "gone"})
	for _, c := range []struct {
		name      string
		principal *Principal
		stream    StreamID
		framework string
		status    int
		text      string
	}{
		{"unknown framework comes first", named("you"), "", "nobody", 400, "Framework cannot be found"},
		{"then the principal", named("you"), "", f, 400,
			"Authenticated principal 'you' does not match principal 'me' set in `FrameworkInfo`"},
		{"then the connection, whatever stream is named", nil, "gone", away, 403, "Framework is not subscribed"},
		{"then that a stream is named", named("me"), "", f, 400,
			"All non-subscribe calls should include the 'Mesos-Stream-Id' header"},
		{"then which one", nil, "other", f, 400, "The stream ID 'other' included in this request didn't match the stream ID " +
			"currently associated with framework ID " + f},
		{"all right", named("me"), "s", f, 202, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.T = t
			w.look()
			a := w.answered(w.callAs(c.principal, c.stream, revive(c.framework)))
			assert.Equal(t, c.status, a.Status)
			assert.Equal(t, c.text, a.Text)
		})
	}

	t.Run("a call without a type that is known is 501", func(t *testing.T) {
		w.T = t
		call := revive(f)
		call.Type = scheduler.Call_UNKNOWN.Enum()
		assert.Equal(t, 501, w.answered(w.call("s", call)).Status)
	})

	t.Run("who does not lead answers 503", func(t *testing.T) {
		w := standbyWorld(t)
		assert.Equal(t, 503, w.answered(w.call("s", revive(f))).Status)
		w.do(Elected{})
		assert.Equal(t, 503, w.answered(w.trySubscribe("s")).Status)
		assert.Equal(t, 503, w.answered(w.operator(&master.Call{Type: master.Call_SUBSCRIBE.Enum()})).Status)
	})
}
