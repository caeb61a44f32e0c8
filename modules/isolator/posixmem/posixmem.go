// Package posixmem is the isolator posix/mem: it measures the memory of containers and
// limits nothing.
package posixmem

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
	Name = "org_apache_mesos_PosixMemIsolator"
	Word = "posix/mem"
)

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Measures the memory of containers.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (isolator.Isolator, error) {
			return processes.NewMeter(fill), nil
		},
	},
}}

func fill(out *mesosv1.ResourceStatistics, use processes.Use) {
	out.MemRssBytes = proto.Uint64(use.Resident)
}
