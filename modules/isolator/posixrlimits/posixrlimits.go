// Package posixrlimits is the isolator posix/rlimits: containers get the resource limits
// that their frameworks ask for.
package posixrlimits

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_PosixRLimitsIsolator"
	Word = "posix/rlimits"
)

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Sets the resource limits of processes (setrlimit) that containers ask for.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (isolator.Isolator, error) {
			return limiter{}, nil
		},
	},
}}

// limiter keeps nothing of any container.
type limiter struct{ isolator.Unimplemented }

var _ isolator.Isolator = limiter{}

// SupportsNesting is true: a nested container has limits of its own.
func (limiter) SupportsNesting(context.Context) (bool, error) { return true, nil }

// SupportsStandalone is true as well.
func (limiter) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Prepare hands the limits on to whoever makes the process. All that is wrong with them
// comes in one error.
func (limiter) Prepare(_ context.Context, _ *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	info := config.GetContainerInfo()
	if info.GetRlimitInfo() == nil {
		return nil, nil
	}
	if info.GetType() != mesosv1.ContainerInfo_MESOS {
		return nil, fmt.Errorf("resource limits are for containers of the type MESOS, and this one is of the type %v", info.GetType())
	}
	if err := check(info.GetRlimitInfo().GetRlimits()); err != nil {
		return nil, err
	}
	return &slave.ContainerLaunchInfo{Rlimits: info.GetRlimitInfo()}, nil
}

// check refuses what setrlimit would not take, and what leaves open which limit is meant.
func check(limits []*mesosv1.RLimitInfo_RLimit) error {
	var errs []error
	seen := map[mesosv1.RLimitInfo_RLimit_Type]bool{}
	for _, l := range limits {
		kind := l.GetType()
		refuse := func(why string) { errs = append(errs, fmt.Errorf("resource limit %v: %s", kind, why)) }
		if _, known := mesosv1.RLimitInfo_RLimit_Type_name[int32(kind)]; !known || kind == mesosv1.RLimitInfo_RLimit_UNKNOWN {
			refuse("there is none of this type")
		}
		if seen[kind] {
			refuse("it is given twice")
		}
		seen[kind] = true
		switch {
		case (l.Soft == nil) != (l.Hard == nil):
			refuse("soft and hard are given together, or neither, which is no limit")
		case l.GetSoft() > l.GetHard():
			refuse(fmt.Sprintf("the soft limit %d is above the hard limit %d", l.GetSoft(), l.GetHard()))
		}
	}
	return errors.Join(errs...)
}

// Cleanup has nothing to undo.
func (limiter) Cleanup(context.Context, *mesosv1.ContainerID) error { return nil }
