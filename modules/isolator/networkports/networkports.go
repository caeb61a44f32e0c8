// Package networkports is the isolator network/ports: it looks at which ports the
// processes of containers listen, and ends containers that listen at others than they
// were given.
package networkports

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_NetworkPortsIsolator"
	Word = "network/ports"
)

// parameters are upstream's flags of the same names, but for agent_ports.
type parameters struct {
	Interval  time.Duration `mms:"container_ports_watch_interval" default:"30secs" doc:"how long after a look at the ports the next one comes"`
	Enforce   bool          `mms:"enforce_container_ports" default:"false" doc:"end containers that listen at ports they were not given; else it is only logged"`
	Isolated  string        `mms:"container_ports_isolated_range" doc:"the ports that are watched, as [begin-end]; without it, all"`
	AgentOnly bool          `mms:"check_agent_port_range_only" default:"false" doc:"watch only the ports that the agent offers"`
	Agent     string        `mms:"agent_ports" doc:"the ports that the agent offers, as [begin-end,begin-end]"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Watches the ports at which containers listen.",
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

func create(_ context.Context, host facade.Host, given facade.Parameters) (isolator.Isolator, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	watched, err := p.watched()
	if err != nil {
		return nil, err
	}
	m := host.Metrics()
	return newWatcher(config{
		interval: p.Interval, enforce: p.Enforce, watched: watched, listeners: listeners, owned: owned, tree: tree, network: network, log: host.Logger(),
		rounds:     m.Counter("rounds", "Looks at the ports of all containers."),
		failed:     m.Counter("failures", "Looks that failed."),
		violations: m.Counter("violations", "Containers that were found listening at ports they were not given."),
	}), nil
}

// watched are the ports that count.
func (p parameters) watched() (ports, error) {
	if p.Interval <= 0 {
		return nil, fmt.Errorf("parameter container_ports_watch_interval: %v would keep the processor busy all the time", p.Interval)
	}
	isolated, err := parse(p.Isolated)
	if err != nil {
		return nil, fmt.Errorf("parameter container_ports_isolated_range: %w", err)
	}
	agent, err := parse(p.Agent)
	if err != nil {
		return nil, fmt.Errorf("parameter agent_ports: %w", err)
	}
	switch {
	case p.AgentOnly && p.Isolated != "":
		return nil, errors.New("check_agent_port_range_only and container_ports_isolated_range are not given together: both say which ports are watched")
	case p.AgentOnly && p.Agent == "":
		return nil, errors.New("check_agent_port_range_only needs agent_ports, which the agent tells")
	case p.AgentOnly:
		return agent, nil
	case p.Isolated != "":
		return isolated, nil
	default:
		return ports{{0, 65535}}, nil
	}
}
