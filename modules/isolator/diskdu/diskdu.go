// Package diskdu is the isolator disk/du: it measures what sandboxes and persistent
// volumes take of the disk, and ends containers that take more than they were given.
package diskdu

import (
	"context"
	"fmt"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word and OldWord are upstream's words for it.
const (
	Name    = "org_apache_mesos_DiskDuIsolator"
	Word    = "disk/du"
	OldWord = "posix/disk"
)

// parameters are upstream's flags of the same names.
type parameters struct {
	Interval time.Duration `mms:"container_disk_watch_interval" default:"15secs" doc:"how long after a measurement the next one of the same folder comes"`
	Enforce  bool          `mms:"enforce_container_disk_quota" default:"false" doc:"end containers that take more than they were given; else it is only reported"`
	WorkDir  string        `mms:"work_dir" doc:"the agent's work folder, which holds persistent volumes; without it they are not measured"`
	Workers  int           `mms:"workers" default:"2" doc:"how many folders are measured at once"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Measures the disk that containers take, and enforces their quota.",
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

func create(_ context.Context, host facade.Host, given facade.Parameters) (isolator.Isolator, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	if p.Interval <= 0 {
		return nil, fmt.Errorf("parameter container_disk_watch_interval: %v would keep the disk busy all the time", p.Interval)
	}
	if p.Workers < 1 {
		return nil, fmt.Errorf("parameter workers: with %d nothing is measured", p.Workers)
	}
	m := host.Metrics()
	return newIsolator(config{
		interval: p.Interval, enforce: p.Enforce, workDir: p.WorkDir, workers: p.Workers, measure: measure, log: host.Logger(),
		measured: m.Counter("measurements", "Folders that were measured."),
		failed:   m.Counter("failures", "Folders that could not be measured."),
		exceeded: m.Counter("exceeded", "Containers that were ended because they took more disk than they were given."),
	}), nil
}
