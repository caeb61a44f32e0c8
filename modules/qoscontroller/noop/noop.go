// Package noop is the QoS controller of an agent that lends nothing out: it never
// wants anything ended.
package noop

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/qoscontroller"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_NoopQoSController"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[qoscontroller.QoSController]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Corrects nothing.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (qoscontroller.QoSController, error) {
			return controller{}, nil
		},
	},
}}

type controller struct{ qoscontroller.Unimplemented }

// Corrections waits until nobody wants an answer any more: there will be none.
func (controller) Corrections(ctx context.Context, _ *mesosv1.ResourceUsage) ([]*slave.QoSCorrection, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
