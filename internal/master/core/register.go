package core

import (
	"errors"
	"fmt"

	"github.com/Masterminds/semver/v3"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/wire"
)

// applicant is an agent that wants in. What is wrong with it is told to the log only:
// Mesos' agents go on trying, and nobody but the operator can mend it.
type applicant struct {
	from         libprocess.PID
	info         *mesosv1.AgentInfo
	version      string
	capabilities []*mesosv1.AgentInfo_Capability
	checkpointed []*mesosv1.Resource
	resourcesID  *mesosv1.UUID

	resources resources.Resources // all it has; known when it is checked
}

// registerAgent admits an agent that has no id yet.
func (c *Core) registerAgent(from libprocess.PID, m *wire.RegisterSlaveMessage) {
	c.counts.add("messages_register_slave", 1)
	p := &applicant{from: from, info: m.GetSlave(), version: m.GetVersion(), capabilities: m.GetAgentCapabilities(),
		checkpointed: m.GetCheckpointedResources(), resourcesID: m.GetResourceVersionUuid()}
	c.apply(p, func() { c.registerApplicant(p) })
}

// apply goes on with an agent that may come in.
func (c *Core) apply(p *applicant, then func()) {
	c.whenAuthenticated(p.from, func(principal *Principal) {
		if err := c.checkApplicant(p); err != nil {
			c.log(Warning, "the registration of the agent at %v (%s) is dropped: %v", p.from, p.info.GetHostname(), err)
			return
		}
		c.authorize(registerRequests(p.info, principal), func(allowed []bool, err error) {
			for _, yes := range allowed {
				if !yes && err == nil {
					err = errors.New("it is not authorized")
				}
			}
			if err != nil {
				c.log(Warning, "the registration of the agent at %v (%s) is dropped: %v", p.from, p.info.GetHostname(),
					err)
				return
			}
			then()
		})
	})
}

func (c *Core) checkApplicant(p *applicant) error {
	if err := validate.AgentInfo(p.info); err != nil {
		return err
	}
	v, err := semver.NewVersion(p.version)
	switch {
	case err != nil:
		return fmt.Errorf("its version %q cannot be read: %w", p.version, err)
	case v.Major() < 1:
		return fmt.Errorf("its version %s is older than 1.0.0", p.version)
	case p.info.Domain != nil && c.config.Info.GetDomain() == nil:
		return errors.New("it has a domain and this master has none")
	case p.info.Domain == nil && c.config.RequireAgentDomain:
		return errors.New("it has no domain, and --require_agent_domain is set")
	}
	p.resources, err = applied(p.info, p.checkpointed)
	return err
}

// registerRequests ask whether an agent may come in, and bring what it has reserved.
func registerRequests(info *mesosv1.AgentInfo, principal *Principal) []*authorization.Request {
	requests := []*authorization.Request{{
		Subject: subject(principal), Action: authorization.Action_REGISTER_AGENT.Enum(),
	}}
	for _, r := range info.GetResources() {
		role := r.GetRole()
		if n := len(r.GetReservations()); n > 0 {
			role = r.GetReservations()[n-1].GetRole()
		}
		if role != resources.AnyRole {
			requests = append(requests, &authorization.Request{
				Subject: subject(principal),
				Action:  authorization.Action_RESERVE_RESOURCES.Enum(),
				Object:  &authorization.Object{Value: proto.String(role), Resource: r},
			})
		}
	}
	return requests
}

func (c *Core) registerApplicant(p *applicant) {
	if old, ok := c.agentAt[p.from]; ok {
		if old.connected {
			c.log(Info, "agent %s at %v is registered already", old.id, p.from)
			c.welcome(old)
			return
		}
		c.removeAgent(old, "a new agent registered at the same address", "slave_removals/reason_registered")
	}
	if c.admitting[p.from] {
		return // its answer is on the way
	}
	c.admitting[p.from] = true
	info := clone(p.info)
	info.Id = c.newAgentID()
	c.store(AdmitAgent{info}, func(refused error) {
		delete(c.admitting, p.from)
		if refused != nil {
			return
		}
		if other := c.agentAt[p.from]; other != nil && other.connected {
			c.log(Warning, "agent %s was admitted, but its address %v is taken meanwhile", info.GetId().GetValue(), p.from)
			c.recovered.put(info.GetId().GetValue(), &recoveredAgent{info: info})
			return
		}
		p.info = info
		a := c.newAgent(p)
		a.registered = c.now
		c.counts.add("slave_registrations", 1)
		c.log(Info, "agent %s at %v (%s) is registered with %s", a.id, a.pid, info.GetHostname(), a.total)
		c.welcome(a)
		c.announceAgent(a)
	})
}

// newAgent enters an applicant that has an id.
func (c *Core) newAgent(p *applicant) *agent {
	a := &agent{
		id: p.info.GetId().GetValue(), info: p.info, pid: p.from, version: p.version, capabilities: p.capabilities,
		base: p.resources, resourcesID: p.resourcesID, killed: make(map[taskKey]bool),
	}
	c.addAgent(a)
	return a
}

func (c *Core) welcome(a *agent) {
	c.toAgent(a.pid, &wire.SlaveRegisteredMessage{SlaveId: a.info.GetId(), Connection: c.connection()})
}

// applied is what an agent has, with the reservations and volumes in it that were made
// since it started.
func applied(info *mesosv1.AgentInfo, checkpointed []*mesosv1.Resource) (resources.Resources, error) {
	total, err := resources.New(info.GetResources())
	if err != nil || len(checkpointed) == 0 {
		return total, err
	}
	made, err := resources.New(checkpointed)
	if err != nil {
		return resources.Resources{}, err
	}
	from, err := unmade(made)
	if err != nil {
		return resources.Resources{}, err
	}
	return total.Convert(from, made)
}

// unmade is what resources were before they were reserved and made volumes.
func unmade(made resources.Resources) (resources.Resources, error) {
	messages := made.Messages()
	for _, m := range messages {
		if m.Disk != nil {
			m.Disk.Persistence, m.Disk.Volume = nil, nil
			if m.Disk.Source == nil {
				m.Disk = nil
			}
		}
		m.Shared = nil
		for n := len(m.Reservations); n > 0; n-- {
			if m.Reservations[n-1].GetType() != mesosv1.Resource_ReservationInfo_DYNAMIC {
				break
			}
			m.Reservations = m.Reservations[:n-1]
		}
	}
	return resources.New(messages)
}
