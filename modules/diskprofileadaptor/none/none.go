// Package none is the disk profile adaptor of an agent whose operator has declared
// no profiles.
package none

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/diskprofileadaptor"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_NoDiskProfileAdaptor"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[diskprofileadaptor.DiskProfileAdaptor]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Knows no disk profiles.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (diskprofileadaptor.DiskProfileAdaptor, error) {
			return adaptor{}, nil
		},
	},
}}

type adaptor struct {
	diskprofileadaptor.Unimplemented
}

func (adaptor) Translate(_ context.Context, profile string, _ *mesosv1.ResourceProviderInfo) (*slave.DiskProfile, error) {
	return nil, fmt.Errorf("the disk profile %q is not known: no profiles are declared; --disk_profile_adaptor binds a module that knows some", profile)
}

// Watch tells once that there are none, to who thinks otherwise.
func (adaptor) Watch(_ context.Context, known []string, _ *mesosv1.ResourceProviderInfo, sink func([]string)) error {
	if len(known) > 0 {
		sink(nil)
	}
	return nil
}
