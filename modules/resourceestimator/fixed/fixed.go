// Package fixed is a resource estimator that lends out what the operator says, whatever
// is used, as the module of Apache Mesos does.
package fixed

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/roles/resourceestimator"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_FixedResourceEstimator"

type parameters struct {
	Resources string `mms:"resources,required" doc:"what is lent out, as --resources has it: cpus:14;mem:1024"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[resourceestimator.ResourceEstimator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Lends out a fixed amount of resources.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) (resourceestimator.ResourceEstimator, error) {
			c, err := facade.Decode[parameters](p)
			if err != nil {
				return nil, err
			}
			return newEstimator(c.Resources)
		},
	},
}}

// estimator does not change.
type estimator struct {
	resourceestimator.Unimplemented
	total resources.Resources
}

func newEstimator(text string) (*estimator, error) {
	given, err := resources.Parse(text, "*")
	if err != nil {
		return nil, fmt.Errorf("parameter resources: %w", err)
	}
	if given.Empty() {
		return nil, errors.New("parameter resources: there are none; cpus:2;mem:512 are some")
	}
	if reserved := given.Reserved(); !reserved.Empty() {
		return nil, fmt.Errorf("parameter resources: %v is reserved, and what is lent out cannot be", reserved)
	}
	messages := given.Messages()
	for _, m := range messages {
		m.Revocable = &mesosv1.Resource_RevocableInfo{}
	}
	total, err := resources.New(messages)
	if err != nil {
		return nil, fmt.Errorf("parameter resources: %w", err)
	}
	return &estimator{total: total}, nil
}

// Oversubscribable is what is left of the total, without the revocable resources that
// executors have.
func (e *estimator) Oversubscribable(_ context.Context, usage *mesosv1.ResourceUsage) ([]*mesosv1.Resource, error) {
	left := e.total
	for _, x := range usage.GetExecutors() {
		allocated, err := resources.New(x.GetAllocated())
		if err != nil {
			return nil, fmt.Errorf("the resources of executor %s: %w", x.GetExecutorInfo().GetExecutorId().GetValue(), err)
		}
		left = left.Sub(allocated.Revocable().Unallocate())
	}
	return left.Messages(), nil
}
