// Package cgroupspids is the isolator cgroups/pids: it counts the processes and threads of
// containers and keeps them from making too many.
package cgroupspids

import (
	"context"
	"fmt"
	"time"

	lib "github.com/opencontainers/cgroups"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/cgroups"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_CgroupsPidsIsolator"
	Word = "cgroups/pids"
)

// parameters: upstream has none, and no limit.
type parameters struct {
	Limit int64 `mms:"limit" doc:"how many processes and threads a container may have together, the agent's own for it included; 0: as many as the machine"`
	Kill  bool  `mms:"kill" doc:"end a container that meets the limit, instead of letting it find that it can make no more"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Counts and bounds processes and threads by control groups.",
		Requires:    cgroups.Requires(),
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

// least is what the agent's own programs in a container need to run at all.
const least = 32

func create(_ context.Context, host facade.Host, given facade.Parameters) (isolator.Isolator, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	if p.Limit != 0 && p.Limit < least {
		return nil, fmt.Errorf("parameter limit: %d are too few for what the agent itself runs in a container; give at least %d, or 0 for no limit", p.Limit, least)
	}
	if p.Kill && p.Limit == 0 {
		return nil, fmt.Errorf("parameter kill: without limit nothing is met")
	}
	root, err := facade.RequiredExport[cgroups.Root](host, cgroups.RootModule)
	if err != nil {
		return nil, err
	}
	if err := root.Provide(pids); err != nil {
		return nil, err
	}
	return cgroups.New(Word, root, host.Logger(), &controller{p}, pids), nil
}

const pids = "pids"

// look is how often the events of a group are looked at: from Linux 6.11 on, the kernel
// tells nobody that those of version 1 have changed.
const look = time.Second

type controller struct{ parameters }

var _ cgroups.Controller = (*controller)(nil)

// Limit implements cgroups.Controller. It is the same for all containers.
func (c *controller) Limit(g *cgroups.Group, _ []*mesosv1.Resource, _ map[string]*mesosv1.Value_Scalar) error {
	if c.parameters.Limit == 0 || g.Limited {
		return nil
	}
	return g.Set(&lib.Resources{PidsLimit: &c.parameters.Limit})
}

// Usage implements cgroups.Controller.
func (c *controller) Usage(g *cgroups.Group, out *mesosv1.ResourceStatistics) error {
	return g.Tasks(pids, out)
}

// Watch implements cgroups.Controller.
func (c *controller) Watch(g *cgroups.Group, sink func(*slave.ContainerLimitation)) (*cgroups.Watch, error) {
	if !c.Kill {
		return nil, nil
	}
	return cgroups.WatchEvents(g.Folder(pids), "pids.events", "max", look, func(e cgroups.Event) {
		message := fmt.Sprintf("Process limit exceeded: no process or thread could be made beyond the %d that the container may have", c.parameters.Limit)
		if e.Err != nil {
			message = fmt.Sprintf("The control group cannot be watched any more: %v", e.Err)
		}
		sink(&slave.ContainerLimitation{
			Reason: mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION.Enum(), Message: proto.String(message),
		})
	})
}
