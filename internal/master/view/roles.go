package view

import (
	"io"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/resources"
)

// WriteRoles writes /roles.
func WriteRoles(w io.Writer, v *core.View, o Options) error {
	return write(w, o, func(d *document) {
		d.List("roles", func() {
			for _, r := range visibleRoles(v, o.Approve) {
				d.Element(func() { d.role(r) })
			}
		})
	})
}

func (d *document) role(r *core.RoleView) {
	d.Text("name", r.Name)
	d.Number("weight", r.Weight)
	d.Object("quota", func() {
		d.Text("role", r.Name)
		d.quantitiesOf("guarantee", r.Quota.GetGuarantees())
		d.quantitiesOf("limit", r.Quota.GetLimits())
		d.Quantities("consumed", consumed(r))
	})
	d.Present("resources", r.Allocated.Add(r.Offered))
	d.Present("allocated", r.Allocated)
	d.Present("offered", r.Offered)
	d.Present("reserved", r.Reserved)
	d.List("frameworks", func() {
		for _, id := range r.Frameworks {
			d.String(id.GetValue())
		}
	})
}

// consumed is what counts against a quota: reservations, used or not, and what is
// allocated besides.
func consumed(r *core.RoleView) resources.Quantities {
	allocated := r.Allocated.NonRevocable().Unreserved().ScalarQuantities()
	return r.Reserved.ScalarQuantities().Add(allocated)
}

func (d *document) quantitiesOf(key string, amounts map[string]*mesosv1.Value_Scalar) {
	q, err := resources.NewQuantities(amounts)
	if err != nil { // the core takes valid ones only
		q = resources.Quantities{}
	}
	d.Quantities(key, q)
}

// visibleRoles are the roles that the reader may see, in order of their names.
func visibleRoles(v *core.View, approve Approve) []*core.RoleView {
	var all []*core.RoleView
	for _, r := range v.Roles {
		if approve.role(r.Name) {
			all = append(all, r)
		}
	}
	return all
}

// WriteWeights writes /weights: the roles whose weight is not that of all others.
func WriteWeights(w io.Writer, v *core.View, o Options) error {
	return writeArray(w, o, func(d *document) {
		for _, r := range visibleRoles(v, o.Approve) {
			if r.Weight != defaultWeight {
				d.Element(func() {
					d.Text("role", r.Name)
					d.Number("weight", r.Weight)
				})
			}
		}
	})
}

const defaultWeight = 1

// WriteQuota writes /quota.
func WriteQuota(w io.Writer, v *core.View, o Options) error {
	status := quotaStatus(v, o.Approve)
	return write(w, o, func(d *document) {
		d.List("infos", func() {
			for _, info := range status.GetInfos() {
				d.Message(info)
			}
		})
		d.List("configs", func() {
			for _, config := range status.GetConfigs() {
				d.Message(config)
			}
		})
	})
}

// quotaStatus says quotas in today's form, and guarantees in the former one too.
func quotaStatus(v *core.View, approve Approve) *quota.QuotaStatus {
	status := &quota.QuotaStatus{}
	for _, r := range visibleRoles(v, approve) {
		if r.Quota == nil {
			continue
		}
		status.Configs = append(status.Configs, r.Quota)
		if len(r.Quota.GetGuarantees()) > 0 {
			status.Infos = append(status.Infos, quotaInfo(r.Quota))
		}
	}
	return status
}

func quotaInfo(c *quota.QuotaConfig) *quota.QuotaInfo {
	info := &quota.QuotaInfo{Role: c.Role}
	q, err := resources.NewQuantities(c.GetGuarantees())
	if err != nil { // the core takes valid ones only
		return info
	}
	for name, amount := range q.All() {
		value := amount.Float()
		info.Guarantee = append(info.Guarantee, &mesosv1.Resource{
			Name:   &name,
			Type:   mesosv1.Value_SCALAR.Enum(),
			Scalar: &mesosv1.Value_Scalar{Value: &value},
		})
	}
	return info
}
