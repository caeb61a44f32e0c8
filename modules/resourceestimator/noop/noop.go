// Package noop is the resource estimator of an agent that lends nothing out.
package noop

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/resourceestimator"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_NoopResourceEstimator"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[resourceestimator.ResourceEstimator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Has nothing to lend.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (resourceestimator.ResourceEstimator, error) {
			return estimator{}, nil
		},
	},
}}

type estimator struct {
	resourceestimator.Unimplemented
}

func (estimator) Oversubscribable(context.Context, *mesosv1.ResourceUsage) ([]*mesosv1.Resource, error) {
	return nil, nil
}
