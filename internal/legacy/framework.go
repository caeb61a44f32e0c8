package legacy

import (
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/validate"
)

// FrameworkRoles writes the role, or roles, whichever the framework speaks of.
func (d *Document) FrameworkRoles(info *mesosv1.FrameworkInfo) {
	for _, c := range info.GetCapabilities() {
		if c.GetType() == mesosv1.FrameworkInfo_Capability_MULTI_ROLE {
			d.List("roles", func() {
				for _, role := range validate.FrameworkRoles(info) {
					d.String(role)
				}
			})
			return
		}
	}
	d.Text("role", info.GetRole())
}

// Domain writes a domain that is there only if it is set.
func (d *Document) Domain(domain *mesosv1.DomainInfo) {
	if domain != nil {
		d.Key("domain")
		d.Message(domain)
	}
}
