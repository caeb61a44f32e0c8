// Package cgroupsmem is the isolator cgroups/mem: it bounds the memory of containers, and
// ends those that need more.
package cgroupsmem

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/isolator/cgroups"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_CgroupsMemIsolator"
	Word = "cgroups/mem"
)

// parameters are upstream's flags of the same names.
type parameters struct {
	LimitSwap bool `mms:"cgroups_limit_swap" doc:"bound memory and swap together, not memory alone; of version 1 only"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Bounds memory by control groups, and ends containers that need more.",
		Requires:    cgroups.Requires(),
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

const memory = "memory"

func create(_ context.Context, host facade.Host, given facade.Parameters) (isolator.Isolator, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	root, err := facade.RequiredExport[cgroups.Root](host, cgroups.RootModule)
	if err != nil {
		return nil, err
	}
	if err := root.Provide(memory); err != nil {
		return nil, err
	}
	if p.LimitSwap {
		if err := swapCounted(root); err != nil {
			return nil, fmt.Errorf("parameter cgroups_limit_swap: %w", err)
		}
	}
	return cgroups.New(Word, root, host.Logger(), &controller{parameters: p, log: host.Logger()}, memory), nil
}

func swapCounted(root cgroups.Root) error {
	if root.Unified() {
		return errors.New("there is no limit of memory and swap together in control groups of version 2")
	}
	if _, err := os.Stat(filepath.Join(root.Top(memory), "memory.memsw.limit_in_bytes")); err != nil {
		return fmt.Errorf("the kernel does not count swap (boot it with swapaccount=1): %w", err)
	}
	return nil
}
