package core

import (
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/resources"
)

// updateWeights sets weights of roles. Offers that were made by the old ones are taken
// back if a role is concerned that has frameworks.
func (c *Core) updateWeights(e OperatorCall, weights []*mesosv1.WeightInfo) {
	if err := validate.Weights(weights); err != nil {
		c.answer(e.Request, http.StatusBadRequest, err.Error())
		return
	}
	var requests []*authorization.Request
	for _, w := range weights {
		if !c.allowsRole(w.GetRole()) {
			c.answer(e.Request, http.StatusBadRequest, "Role '"+w.GetRole()+"' is not in the master's --roles")
			return
		}
		requests = append(requests, &authorization.Request{
			Action: authorization.Action_UPDATE_WEIGHT.Enum(),
			Object: &authorization.Object{Value: proto.String(w.GetRole()), WeightInfo: w},
		})
	}
	c.permitted(e, requests, func() {
		c.store(UpdateWeights{weights}, func(refused error) {
			if c.refused(e, refused) {
				return
			}
			for _, w := range weights {
				c.weights.put(w.GetRole(), w.GetWeight())
			}
			c.allocatorUpdateWeights(weights)
			c.rescindForWeights(weights)
			c.answer(e.Request, http.StatusOK, "")
		})
	})
}

func (c *Core) rescindForWeights(weights []*mesosv1.WeightInfo) {
	for _, w := range weights {
		for role := range c.audience {
			if role == w.GetRole() || resources.IsStrictSubrole(role, w.GetRole()) {
				c.rescindWhere(func(*offer) bool { return true })
				return
			}
		}
	}
}

// rescindWhere takes offers back, the oldest first.
func (c *Core) rescindWhere(concerned func(*offer) bool) {
	for _, o := range c.offers.snapshot() {
		if concerned(o) {
			c.rescind(o, nil)
		}
	}
}

func (c *Core) allowsRole(role string) bool {
	if c.config.Roles == nil {
		return true
	}
	for _, r := range c.config.Roles {
		if r == role {
			return true
		}
	}
	return false
}

func (c *Core) weightInfos() []*mesosv1.WeightInfo {
	all := make([]*mesosv1.WeightInfo, 0, c.weights.len())
	for role := range c.weights.keys() {
		w, _ := c.weights.get(role)
		all = append(all, &mesosv1.WeightInfo{Role: proto.String(role), Weight: proto.Float64(w)})
	}
	return all
}
