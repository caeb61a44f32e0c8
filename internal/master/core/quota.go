package core

import (
	"fmt"
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/resources"
)

// updateQuota sets guarantees and limits of roles, all or none.
func (c *Core) updateQuota(e OperatorCall, call *master.Call_UpdateQuota) {
	configs := call.GetQuotaConfigs()
	if err := validate.QuotaConfigs(configs); err != nil {
		c.answer(e.Request, http.StatusBadRequest, err.Error())
		return
	}
	var requests []*authorization.Request
	for _, q := range configs {
		if !c.allowsRole(q.GetRole()) {
			c.answer(e.Request, http.StatusBadRequest, "Role '"+q.GetRole()+"' is not in the master's --roles")
			return
		}
		requests = append(requests, &authorization.Request{
			Action: authorization.Action_UPDATE_QUOTA_WITH_CONFIG.Enum(),
			Object: &authorization.Object{Value: proto.String(q.GetRole())},
		})
	}
	c.permitted(e, requests, func() {
		if err := c.quotaFits(configs); err != nil && !call.GetForce() {
			c.answer(e.Request, http.StatusBadRequest, err.Error())
			return
		}
		c.store(UpdateQuota{configs}, func(refused error) {
			if c.refused(e, refused) {
				return
			}
			c.enterQuotas(configs)
			c.answer(e.Request, http.StatusOK, "")
		})
	})
}

// setQuota is the older form: the guarantee is the limit too, and there must be none
// yet.
func (c *Core) setQuota(e OperatorCall, request *quota.QuotaRequest) {
	config, err := quotaOf(request)
	if err == nil {
		err = validate.QuotaConfigs([]*quota.QuotaConfig{config})
	}
	switch {
	case err != nil:
	case !c.allowsRole(config.GetRole()):
		err = fmt.Errorf("Role '%s' is not in the master's --roles", config.GetRole())
	case c.quotas.has(config.GetRole()):
		err = fmt.Errorf("Failed to set quota: role '%s' has a quota already", config.GetRole())
	}
	if err != nil {
		c.answer(e.Request, http.StatusBadRequest, err.Error())
		return
	}
	info := &quota.QuotaInfo{Role: request.Role, Guarantee: request.GetGuarantee()}
	c.permitted(e, quotaRequests(info), func() {
		switch err := c.guaranteesFit([]*quota.QuotaConfig{config}); {
		case c.quotas.has(config.GetRole()):
			c.answer(e.Request, http.StatusBadRequest, "Failed to set quota: role '"+config.GetRole()+"' has a quota already")
			return
		case err != nil && !request.GetForce():
			c.answer(e.Request, http.StatusConflict, err.Error())
			return
		}
		configs := []*quota.QuotaConfig{config}
		c.store(UpdateQuota{configs}, func(refused error) {
			if c.refused(e, refused) {
				return
			}
			c.enterQuotas(configs)
			c.answer(e.Request, http.StatusOK, "")
		})
	})
}

func quotaRequests(info *quota.QuotaInfo) []*authorization.Request {
	return []*authorization.Request{{
		Action: authorization.Action_UPDATE_QUOTA.Enum(),
		Object: &authorization.Object{Value: info.Role, QuotaInfo: info},
	}}
}

// quotaOf is a request of the older form as a config.
func quotaOf(request *quota.QuotaRequest) (*quota.QuotaConfig, error) {
	if len(request.GetGuarantee()) == 0 {
		return nil, fmt.Errorf("Failed to set quota: 'guarantee' must not be empty")
	}
	r, err := resources.New(request.GetGuarantee())
	if err != nil {
		return nil, fmt.Errorf("Failed to set quota: %w", err)
	}
	seen := make(map[string]bool)
	for each := range r.All() {
		if !each.IsScalar() || each.IsReserved() || each.IsRevocable() || each.IsShared() || seen[each.Name()] {
			return nil, fmt.Errorf("Failed to set quota: 'guarantee' must hold one plain scalar of each name, not %s", each)
		}
		seen[each.Name()] = true
	}
	amounts := r.ScalarQuantities().Message()
	return &quota.QuotaConfig{Role: proto.String(request.GetRole()), Guarantees: amounts, Limits: amounts}, nil
}

func (c *Core) removeQuota(e OperatorCall, role string) {
	if !c.quotas.has(role) {
		c.answer(e.Request, http.StatusBadRequest, "Failed to remove quota: role '"+role+"' has no quota")
		return
	}
	c.permitted(e, quotaRequests(&quota.QuotaInfo{Role: proto.String(role)}), func() {
		c.store(RemoveQuota{role}, func(refused error) {
			if c.refused(e, refused) {
				return
			}
			c.quotas.delete(role)
			c.allocatorUpdateQuota(&quota.QuotaConfig{Role: proto.String(role)})
			c.answer(e.Request, http.StatusOK, "")
		})
	})
}

// enterQuotas takes quotas over and takes offers back that stand against them: those
// to the roles, and all if a role is to be served first.
func (c *Core) enterQuotas(configs []*quota.QuotaConfig) {
	guaranteed := false
	for _, q := range configs {
		if len(q.GetGuarantees()) == 0 && len(q.GetLimits()) == 0 {
			c.quotas.delete(q.GetRole())
		} else {
			c.quotas.put(q.GetRole(), q)
		}
		guaranteed = guaranteed || len(q.GetGuarantees()) > 0
		c.allocatorUpdateQuota(q)
	}
	c.rescindWhere(func(o *offer) bool {
		for _, q := range configs {
			if guaranteed || o.role() == q.GetRole() || resources.IsStrictSubrole(o.role(), q.GetRole()) {
				return true
			}
		}
		return false
	})
}

// quotaFits says why quotas do not fit the cluster as it is.
func (c *Core) quotaFits(configs []*quota.QuotaConfig) error {
	for _, q := range configs {
		limits, err := resources.NewLimits(q.GetLimits())
		if err != nil {
			return err
		}
		if consumed := c.consumed(q.GetRole()); !limits.Allows(consumed) {
			return fmt.Errorf("Invalid 'QuotaConfig': the limits %s of role '%s' are below what it consumes now: %s",
				limits, q.GetRole(), consumed)
		}
	}
	return c.guaranteesFit(configs)
}

// guaranteesFit says whether the cluster has what would be guaranteed altogether.
func (c *Core) guaranteesFit(configs []*quota.QuotaConfig) error {
	var sum, total resources.Quantities
	changed := make(map[string]bool, len(configs))
	add := func(guarantees map[string]*mesosv1.Value_Scalar) error {
		q, err := resources.NewQuantities(guarantees)
		sum = sum.Add(q)
		return err
	}
	for _, q := range configs {
		changed[q.GetRole()] = true
		if err := add(q.GetGuarantees()); err != nil {
			return err
		}
	}
	for q := range c.quotas.values() {
		if changed[q.GetRole()] {
			continue
		}
		if err := add(q.GetGuarantees()); err != nil {
			return err
		}
	}
	for a := range c.agents.values() {
		total = total.Add(a.base.NonRevocable().ScalarQuantities())
	}
	if !total.Contains(sum) {
		return fmt.Errorf("Not enough available cluster capacity to reasonably satisfy quota request: the guarantees %s "+
			"of all roles are more than the cluster's %s", sum, total)
	}
	return nil
}

// consumed is what counts against the limits of a role: what is allocated to it and to
// roles below it, and what is reserved for them, used or not.
func (c *Core) consumed(role string) resources.Quantities {
	var sum resources.Quantities
	for f := range c.frameworks.values() {
		used := f.used.AllocatedBelow(role).Unreserved().NonRevocable()
		sum = sum.Add(used.ScalarQuantities())
	}
	for a := range c.agents.values() {
		sum = sum.Add(a.base.ReservedBelow(role).ScalarQuantities())
	}
	return sum
}
