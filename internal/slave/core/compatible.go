package core

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// additive is the value of --reconfiguration_policy that lets an agent grow.
const additive = "additive"

// compatible says whether the agent may go on as the one that is written down. With
// the policy equal it has to be the same, with additive it may have more.
func (c *Core) compatible(old *mesosv1.AgentInfo) error {
	now, grows := c.cfg.Info, c.cfg.Reconfiguration == additive
	if old.GetHostname() != now.GetHostname() {
		return fmt.Errorf("its host name was %s and is %s", old.GetHostname(), now.GetHostname())
	}
	if old.GetPort() != now.GetPort() {
		return fmt.Errorf("its port was %d and is %d", old.GetPort(), now.GetPort())
	}
	if !proto.Equal(old.GetDomain(), now.GetDomain()) && !(grows && old.GetDomain() == nil) {
		return fmt.Errorf("its domain was %v and is %v", old.GetDomain(), now.GetDomain())
	}
	had, err := resources.New(old.GetResources())
	if err != nil {
		return fmt.Errorf("resources that are written down: %w", err)
	}
	has, err := resources.New(now.GetResources())
	if err != nil {
		return fmt.Errorf("resources: %w", err)
	}
	if !had.Equal(has) && !(grows && has.Contains(had)) {
		return fmt.Errorf("its resources were %v and are %v", had, has)
	}
	if !resources.EqualAttributes(old.GetAttributes(), now.GetAttributes()) && !(grows && attributesContain(now.GetAttributes(), old.GetAttributes())) {
		return fmt.Errorf("its attributes were %v and are %v", old.GetAttributes(), now.GetAttributes())
	}
	return nil
}

// attributesContain says whether each attribute of part is among all.
func attributesContain(all, part []*mesosv1.Attribute) bool {
	for _, p := range part {
		found := false
		for _, a := range all {
			found = found || resources.EqualAttributes([]*mesosv1.Attribute{a}, []*mesosv1.Attribute{p})
		}
		if !found {
			return false
		}
	}
	return true
}
