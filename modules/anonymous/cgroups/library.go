// Package cgroups is the module that the isolators of control groups share. It finds
// out which version the kernel's are of, makes a group for each container, puts
// processes in, and ends what is in a group before it removes it.
//
// Of version 1, a container's groups are CONTROLLER/ROOT/ID below the place where the
// controllers are mounted, those of nested containers CONTROLLER/ROOT/ID/mesos/NESTED. Of
// version 2, a container's group is ROOT/ID, that of a nested one ROOT/ID/NESTED, and
// processes are in the group leaf below it: a group that holds processes hands on no
// controllers.
//
// The module does nothing before an isolator asks it to, so it may be there in an agent
// without control groups. Isolators require it by name and get a [Groups]; they declare
// an interface of their own for it.
package cgroups

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/anonymous"
)

// Name is what manifests and requirements call the module.
const Name = "org_apache_mesos_CgroupsRoot"

// parameters are upstream's flags of the same names.
type parameters struct {
	Hierarchy      string        `mms:"cgroups_hierarchy" default:"/sys/fs/cgroup" doc:"where control groups are mounted"`
	Root           string        `mms:"cgroups_root" default:"mesos" doc:"the group below which containers have theirs; of one agent alone"`
	DestroyTimeout time.Duration `mms:"cgroups_destroy_timeout" default:"1mins" doc:"how long the last processes of a group have to end when it is removed"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[anonymous.Anonymous]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Makes and removes the control groups of containers for the isolators that limit them.",
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

func create(_ context.Context, host facade.Host, given facade.Parameters) (anonymous.Anonymous, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return &module{groups: newGroups(p, host.Logger())}, nil
}

func (p parameters) check() error {
	var errs []error
	if !filepath.IsAbs(p.Hierarchy) {
		errs = append(errs, fmt.Errorf("parameter cgroups_hierarchy: %q is no absolute path", p.Hierarchy))
	}
	for name := range strings.SplitSeq(p.Root, "/") {
		if !isName(name) {
			errs = append(errs, fmt.Errorf("parameter cgroups_root: %q is no name of a group, such as mesos or machine/mesos", p.Root))
			break
		}
	}
	if p.DestroyTimeout <= 0 {
		errs = append(errs, fmt.Errorf("parameter cgroups_destroy_timeout: %v is no time to wait", p.DestroyTimeout))
	}
	return errors.Join(errs...)
}

// isName says whether a folder may be called that.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00\n")
}

// module is the instance; what isolators get is apart from it.
type module struct {
	anonymous.Unimplemented
	groups *Groups
}

var (
	_ facade.Exporter = (*module)(nil)
	_ facade.Closer   = (*module)(nil)
)

// Export hands out the *Groups.
func (m *module) Export() any { return m.groups }

// Close leaves the groups to the next agent.
func (m *module) Close(context.Context) error { return m.groups.close() }
