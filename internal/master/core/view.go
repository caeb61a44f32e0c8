package core

import (
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/resources"
)

// View is the master as it was at one moment. Taking one costs time in proportion to
// the number of tasks, but copies none: slices are the view's own, what they point to
// is shared and does not change. It may be read from any number of goroutines.
type View struct {
	Taken, Started, Elected time.Time // Elected is zero for who does not lead
	Info                    *mesosv1.MasterInfo
	Leader                  *mesosv1.MasterInfo // nil: nobody
	Recovering              bool                // leading, and the registry is not read yet

	// Frameworks are the registered ones in the order in which they came, completed
	// ones in the order in which they went.
	Frameworks, Completed []*FrameworkView

	// Agents are the registered ones in the order of registration; Recovered are
	// those of the registry that have not come back yet.
	Agents      []*AgentView
	Recovered   []*mesosv1.AgentInfo
	Unreachable []*UnreachableAgent
	Gone        []*mesosv1.AgentID

	// Roles are those that are known: by a framework, weight, quota or reservation,
	// ancestors included; sorted by name.
	Roles []*RoleView
}

// FrameworkView is one framework. Times are zero if the thing has not happened.
type FrameworkView struct {
	Info                                   *mesosv1.FrameworkInfo
	Active, Connected, Recovered           bool
	Registered, Reregistered, Unregistered time.Time
	Suppressed                             []string
	Constraints                            *scheduler.OfferConstraints

	// Pending are accepted and not sent to their agent yet. Tasks are in the
	// master's books, in order of launch, terminal ones that are not acknowledged
	// included.
	Pending                       []*mesosv1.TaskInfo
	Tasks, Unreachable, Completed []*mesosv1.Task
	Executors                     []ExecutorView
	Offers                        []*mesosv1.Offer
	InverseOffers                 []*mesosv1.InverseOffer

	Used, Offered resources.Resources // allocated to roles
}

// ExecutorView is an executor and where it runs.
type ExecutorView struct {
	Agent *mesosv1.AgentID
	Info  *mesosv1.ExecutorInfo
}

// AgentView is one registered agent.
type AgentView struct {
	Info                     *mesosv1.AgentInfo
	PID                      libprocess.PID
	Version                  string
	Capabilities             []*mesosv1.AgentInfo_Capability
	Active, Connected        bool
	Deactivated              bool // by an operator
	Registered, Reregistered time.Time
	Drain                    *mesosv1.DrainInfo
	DrainStarted             time.Time

	Total, Used, Offered resources.Resources
	Providers            []*mesosv1.ResourceProviderInfo
}

// UnreachableAgent is one that the master has given up on for now.
type UnreachableAgent struct {
	ID    *mesosv1.AgentID
	Since *mesosv1.TimeInfo
}

// RoleView is what is known of a role.
type RoleView struct {
	Name       string
	Weight     float64 // 1 if none is set
	Quota      *quota.QuotaConfig
	Frameworks []*mesosv1.FrameworkID // subscribed to the role

	Allocated, Offered, Reserved resources.Resources
}
