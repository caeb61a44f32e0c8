package core

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/master/validate"
)

// subscription is what SUBSCRIBE and UPDATE_FRAMEWORK say.
type subscription struct {
	info        *mesosv1.FrameworkInfo
	suppressed  []string
	constraints *scheduler.OfferConstraints
}

// subscribe opens the stream. Everything that is wrong from then on is said on it.
func (c *Core) subscribe(e SchedulerCall) {
	call := e.Call.GetSubscribe()
	s := subscription{call.GetFrameworkInfo(), call.GetSuppressedRoles(), call.GetOfferConstraints()}
	if e.Principal != nil {
		switch principal := *e.Principal.Value; {
		case s.info.GetPrincipal() == "":
			s.info = clone(s.info)
			s.info.Principal = &principal
		case s.info.GetPrincipal() != principal:
			c.answer(e.Request, http.StatusBadRequest, otherPrincipal(principal, s.info))
			return
		}
	}
	if s.info.GetId().GetValue() == "" {
		c.counts.add("messages_register_framework", 1)
	} else {
		c.counts.add("messages_reregister_framework", 1)
	}
	c.emit(OpenStream{e.Request, e.Stream})
	c.streams[e.Stream] = &stream{}
	if err := c.checkSubscription(s); err != nil {
		c.fail(e.Stream, err.Error())
		return
	}
	c.authorizeFramework(s.info, func(err error) {
		if c.streams[e.Stream] == nil {
			return // the client has left
		}
		if err == nil {
			err = c.checkSubscription(s) // the world went on
		}
		if err != nil {
			c.fail(e.Stream, err.Error())
			return
		}
		c.subscribed(s, e.Stream)
	})
}

// checkSubscription says what keeps a framework from subscribing.
func (c *Core) checkSubscription(s subscription) error {
	if err := c.checkFramework(s); err != nil {
		return err
	}
	id := s.info.GetId().GetValue()
	if id == "" {
		return nil
	}
	if c.completed.has(id) {
		return fmt.Errorf("Framework has been removed")
	}
	if f, ok := c.frameworks.get(id); ok && !f.bare && f.info.GetPrincipal() != s.info.GetPrincipal() {
		return changed("principal", f.info.GetPrincipal(), s.info.GetPrincipal())
	}
	return nil
}

// checkFramework says what is wrong with a framework in itself, or for this master.
func (c *Core) checkFramework(s subscription) error {
	if err := validate.FrameworkInfo(s.info); err != nil {
		return err
	}
	for _, role := range validate.FrameworkRoles(s.info) {
		if c.config.Roles != nil && !slices.Contains(c.config.Roles, role) {
			return fmt.Errorf("Role '%s' is not present in the master's --roles", role)
		}
	}
	if s.info.GetUser() == "root" && !c.config.RootSubmissions {
		return fmt.Errorf("User 'root' is not allowed to run frameworks without --root_submissions set")
	}
	if err := validate.SuppressedRoles(s.info, s.suppressed); err != nil {
		return err
	}
	return validate.OfferConstraints(s.info, s.constraints)
}

func changed(field, from, to string) error {
	return fmt.Errorf("Updating 'FrameworkInfo.%s' is unsupported; attempted to update from '%s' to '%s'",
		field, from, to)
}

// authorizeFramework asks whether a framework may have its roles.
func (c *Core) authorizeFramework(info *mesosv1.FrameworkInfo, then func(error)) {
	object := &authorization.Object{FrameworkInfo: info}
	roles := validate.FrameworkRoles(info)
	if len(roles) == 1 {
		object.Value = &roles[0]
	}
	c.authorize([]*authorization.Request{{
		Subject: subjectOf(info),
		Action:  authorization.Action_REGISTER_FRAMEWORK.Enum(),
		Object:  object,
	}}, func(allowed []bool, err error) {
		switch {
		case err != nil:
			then(fmt.Errorf("Authorization failure: %w", err))
		case !allowed[0]:
			then(fmt.Errorf("Not authorized to use roles '%s'", strings.Join(roles, ", ")))
		default:
			then(nil)
		}
	})
}

// subscribed connects a framework that is new, known, or known to a former master.
func (c *Core) subscribed(s subscription, id StreamID) {
	f, known := c.frameworks.get(s.info.GetId().GetValue())
	if !known {
		before := s.info.GetId().GetValue() != ""
		if !before {
			s.info = clone(s.info)
			s.info.Id = c.newFrameworkID()
		}
		f = c.addFramework(s.info, id, s.suppressed, s.constraints)
		if before { // it has had another master
			f.reregistered = c.now
		}
		c.streams[id].framework = f
		c.log(Info, "framework %s (%s) subscribed", f.id, f.info.GetName())
		c.greet(f)
		c.watchFrameworkAdded(f)
		return
	}
	wasRecovered := f.recovered
	if f.connected() {
		c.send(f, errorEvent("Framework failed over"))
		c.emit(CloseStream{f.stream})
		delete(c.streams, f.stream)
	}
	c.stop(f.heartbeat)
	c.stop(f.failover)
	f.failover = nil
	s.info = keepFixed(f, s.info)
	f.stream = id
	c.streams[id].framework = f
	f.reregistered = c.now
	if wasRecovered {
		f.recovered = false
		f.registered = c.now
	}
	c.replaceInfo(f, s)
	c.greet(f)
	c.takeBackOffers(f)
	if !f.active {
		f.active = true
		c.allocatorActivateFramework(f)
	}
	c.tellAgents(f)
	c.log(Info, "framework %s (%s) subscribed again", f.id, f.info.GetName())
	if wasRecovered {
		c.watchFrameworkAdded(f)
	} else {
		c.watchFrameworkUpdated(f)
	}
}

// keepFixed is what a framework says of itself now, with what it cannot change as it
// was.
func keepFixed(f *framework, info *mesosv1.FrameworkInfo) *mesosv1.FrameworkInfo {
	if f.bare || info.GetUser() == f.info.GetUser() && info.GetCheckpoint() == f.info.GetCheckpoint() {
		return info
	}
	info = clone(info)
	info.User, info.Checkpoint = f.info.User, f.info.Checkpoint
	return info
}

// replaceInfo takes over what a framework says of itself.
func (c *Core) replaceInfo(f *framework, s subscription) {
	f.info, f.constraints, f.bare = s.info, s.constraints, false
	c.setRoles(f, validate.FrameworkRoles(s.info))
	f.setSuppressed(s.suppressed)
	c.allocatorUpdateFramework(f)
}

// greet says that the framework is subscribed, and begins its heartbeats.
func (c *Core) greet(f *framework) {
	c.send(f, &scheduler.Event{
		Type: scheduler.Event_SUBSCRIBED.Enum(),
		Subscribed: &scheduler.Event_Subscribed{
			FrameworkId:              f.info.GetId(),
			HeartbeatIntervalSeconds: proto.Float64(c.config.HeartbeatInterval.Seconds()),
			MasterInfo:               c.config.Info,
		},
	})
	c.beat(f)
}

// updateFramework changes what is known of a framework that stays connected.
func (c *Core) updateFramework(f *framework, e SchedulerCall) {
	call := e.Call.GetUpdateFramework()
	s := subscription{call.GetFrameworkInfo(), call.GetSuppressedRoles(), call.GetOfferConstraints()}
	if s.info.GetPrincipal() == "" && f.info.GetPrincipal() != "" && e.Principal != nil {
		s.info = clone(s.info)
		s.info.Principal = f.info.Principal
	}
	err := c.checkFramework(s)
	if err == nil {
		err = fixedUnchanged(f.info, s.info)
	}
	if err != nil {
		c.answer(e.Request, http.StatusBadRequest, "'FrameworkInfo' is not valid: "+err.Error())
		return
	}
	c.authorizeFramework(s.info, func(err error) {
		if err != nil {
			c.answer(e.Request, http.StatusForbidden, err.Error())
			return
		}
		if now, ok := c.frameworks.get(f.id); !ok || now != f {
			c.answer(e.Request, http.StatusBadRequest, "Framework has been removed")
			return
		}
		same := proto.Equal(f.info, s.info)
		c.replaceInfo(f, s)
		for _, o := range f.offers.snapshot() {
			if !slices.Contains(f.roles, o.role()) {
				c.rescind(o, nil)
			}
		}
		if !same {
			c.tellAgents(f)
		}
		c.watchFrameworkUpdated(f)
		c.answer(e.Request, http.StatusOK, "")
	})
}

func fixedUnchanged(old, new *mesosv1.FrameworkInfo) error {
	switch {
	case old.GetPrincipal() != new.GetPrincipal():
		return changed("principal", old.GetPrincipal(), new.GetPrincipal())
	case old.GetUser() != new.GetUser():
		return changed("user", old.GetUser(), new.GetUser())
	case old.GetCheckpoint() != new.GetCheckpoint():
		return changed("checkpoint", fmt.Sprint(old.GetCheckpoint()), fmt.Sprint(new.GetCheckpoint()))
	}
	return nil
}
