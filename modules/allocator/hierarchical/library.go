package hierarchical

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical/sorter"
	"github.com/mesos-modules/mms/roles/allocator"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_HierarchicalAllocator"

// parameters are upstream's flags of the same names, and the seed.
type parameters struct {
	RoleSorter      string `mms:"role_sorter" default:"drf" doc:"who of the roles is served first: drf (the smallest dominant share) or random (by lot, with the weights)"`
	FrameworkSorter string `mms:"framework_sorter" default:"drf" doc:"the same for the frameworks of a role; it has to be the one for roles"`
	Seed            uint64 `mms:"seed" default:"0" doc:"makes chance repeatable: the same calls with the same seed give the same offers; 0 is a seed nobody knows"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[allocator.Allocator]{
		Name: Name, Version: "1.12.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Offers resources by hierarchical dominant resource fairness, within quota.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, host facade.Host, given facade.Parameters) (allocator.Allocator, error) {
			p, err := facade.Decode[parameters](given)
			if err != nil {
				return nil, err
			}
			if err := p.check(); err != nil {
				return nil, err
			}
			return newAllocator(host.Lifetime(), host.Logger(), p, inOrder{}), nil
		},
	},
}}

const (
	drf    = "drf"
	random = "random"
)

func (p parameters) check() error {
	if p.RoleSorter != drf && p.RoleSorter != random {
		return fmt.Errorf("parameter role_sorter: there is no sorter %q; there are %s and %s", p.RoleSorter, drf, random)
	}
	if p.FrameworkSorter != p.RoleSorter {
		return fmt.Errorf("parameter framework_sorter is %q and role_sorter is %q: they have to be the same", p.FrameworkSorter, p.RoleSorter)
	}
	return nil
}

// chance is the source of all chance in one allocator.
func (p parameters) chance() *rand.Rand {
	if p.Seed == 0 {
		return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return rand.New(rand.NewPCG(p.Seed, 0))
}

// newSorter makes the sorter of the roles, or the flat one of a role's frameworks.
func newSorter[T any](p parameters, totals *sorter.Totals, chance *rand.Rand, flat bool) sorter.Sorter[T] {
	if p.RoleSorter == random {
		return sorter.NewRandom[T](totals, chance, flat)
	}
	return sorter.NewDRF[T](totals, flat)
}
