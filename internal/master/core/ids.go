package core

import (
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Ids are those of Mesos, with the id of the master in front: <master>-0000 for
// frameworks, <master>-S0 for agents, <master>-O0 for offers.

func frameworkID(master string, n int) *mesosv1.FrameworkID {
	return &mesosv1.FrameworkID{Value: proto.String(fmt.Sprintf("%s-%04d", master, n))}
}

func (c *Core) newAgentID() *mesosv1.AgentID {
	id := fmt.Sprintf("%s-S%d", c.config.Info.GetId(), c.agentCount)
	c.agentCount++
	return &mesosv1.AgentID{Value: &id}
}

func (c *Core) newOfferID() *mesosv1.OfferID {
	id := fmt.Sprintf("%s-O%d", c.config.Info.GetId(), c.offerCount)
	c.offerCount++
	return &mesosv1.OfferID{Value: &id}
}

// seconds is a number of seconds as a duration; what is too long for one is the
// longest there is, and less than nothing is nothing.
func seconds(s float64) time.Duration {
	switch d := s * float64(time.Second); {
	case math.IsNaN(d) || d <= 0:
		return 0
	case d >= math.MaxInt64:
		return math.MaxInt64
	default:
		return time.Duration(d)
	}
}
