package hierarchical

import (
	"errors"
	"fmt"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// options are those of the master, read.
type options struct {
	interval        time.Duration
	excluded        []string
	filterGPUs      bool
	region          string // of the master
	minimum         []resources.Quantities
	recoveryTimeout time.Duration
	recoveryFactor  float64
}

func readOptions(m *allocation.Options) (options, error) {
	o := options{
		interval:        time.Duration(m.GetAllocationInterval().GetNanoseconds()),
		excluded:        m.GetFairnessExcludeResourceNames(),
		filterGPUs:      m.GetFilterGpuResources(),
		region:          regionOf(m.GetDomain()),
		recoveryTimeout: time.Duration(m.GetRecoveryTimeout().GetNanoseconds()),
		recoveryFactor:  m.GetAgentRecoveryFactor(),
	}
	var problems []error
	if o.interval <= 0 {
		problems = append(problems, fmt.Errorf("the allocation interval is %v and has to be above 0", o.interval))
	}
	if o.recoveryFactor < 0 || o.recoveryFactor > 1 {
		problems = append(problems, fmt.Errorf("the agent recovery factor is %v and has to be from 0 to 1", o.recoveryFactor))
	}
	minimum, err := readMinimum(m.GetMinAllocatableResources())
	if err != nil {
		problems = append(problems, err)
	}
	o.minimum = minimum
	return o, errors.Join(problems...)
}

// regionOf is the name of a region; none is empty.
func regionOf(d *mesosv1.DomainInfo) string { return d.GetFaultDomain().GetRegion().GetName() }

func readMinimum(all []*mesosv1.OfferFilters_ResourceQuantities) ([]resources.Quantities, error) {
	var minimum []resources.Quantities
	for _, each := range all {
		q, err := resources.NewQuantities(each.GetQuantities())
		if err != nil {
			return nil, fmt.Errorf("minimal allocatable resources: %w", err)
		}
		minimum = append(minimum, q)
	}
	return minimum, nil
}

// worth says whether resources are worth an offer: any minimum is enough, and without
// one everything is.
func worth(r resources.Resources, minimum []resources.Quantities) bool {
	if len(minimum) == 0 {
		return !r.Empty()
	}
	for _, q := range minimum {
		if r.ContainsQuantities(q) && !r.Empty() {
			return true
		}
	}
	return false
}
