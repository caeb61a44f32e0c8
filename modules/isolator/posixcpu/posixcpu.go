// Package posixcpu is the isolator posix/cpu: it measures the processor time of
// containers and limits nothing.
package posixcpu

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/processes"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_PosixCpuIsolator"
	Word = "posix/cpu"
)

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Measures processor time, processes and threads of containers.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (isolator.Isolator, error) {
			return processes.NewMeter(fill), nil
		},
	},
}}

func fill(out *mesosv1.ResourceStatistics, use processes.Use) {
	out.Processes = proto.Uint32(uint32(use.Processes))
	out.Threads = proto.Uint32(uint32(use.Threads))
	out.CpusUserTimeSecs = proto.Float64(use.User.Seconds())
	out.CpusSystemTimeSecs = proto.Float64(use.System.Seconds())
}
