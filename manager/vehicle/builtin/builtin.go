// Package builtin is the vehicle of the libraries that are compiled into the
// binary. There is no file to recognise and nothing to open: whoever builds a
// daemon hands its libraries over as values.
package builtin

import (
	"fmt"

	"github.com/Masterminds/semver/v3"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
)

// Library is a set of compiled-in libraries under one name. It is open from the
// start, and is safe for concurrent use.
type Library struct {
	*golib.Library
	name        string
	description vehicle.Description
}

var _ vehicle.Library = (*Library)(nil)

// New puts libraries together under a name, which stands in reports where other
// libraries have a path. Where the libraries state different versions, each
// module states its own. The strictest minimum Mesos version holds for all.
func New(name string, libraries ...facade.Library) *Library {
	return &Library{Library: golib.Open(libraries...), name: name, description: describe(libraries)}
}

// Name returns the name given to New.
func (l *Library) Name() string { return l.name }

// Description returns what the libraries say of themselves. Its slices are
// shared and not to be written.
func (l *Library) Description() vehicle.Description { return l.description }

func describe(libraries []facade.Library) vehicle.Description {
	all := golib.Describe(vehicle.Builtin, facade.Library{})
	total := 0
	for _, l := range libraries {
		total += len(l.Modules)
	}
	all.Modules = make([]vehicle.Module, 0, total)
	seen := make(map[string]bool, total)
	for i, l := range libraries {
		d := golib.Describe(vehicle.Builtin, l)
		if i == 0 {
			all.MMSVersion, all.MesosVersion = d.MMSVersion, d.MesosVersion
		}
		all.MinMesos = stricter(all.MinMesos, d.MinMesos)
		for _, m := range d.Modules {
			if d.MMSVersion != all.MMSVersion {
				m.MMSVersion = d.MMSVersion
			}
			if d.MesosVersion != all.MesosVersion {
				m.MesosVersion = d.MesosVersion
			}
			if seen[m.Name] {
				m.Flaws = append(m.Flaws, fmt.Sprintf("another library in the binary declares the name %q as well", m.Name))
			}
			all.Modules = append(all.Modules, m)
		}
		for _, m := range d.Modules {
			seen[m.Name] = true
		}
	}
	return all
}

// stricter returns the later of two minimum versions. One that is no version
// wins, so that verification reports it.
func stricter(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	va, err := semver.StrictNewVersion(a)
	if err != nil {
		return a
	}
	vb, err := semver.StrictNewVersion(b)
	if err != nil || vb.GreaterThan(va) {
		return b
	}
	return a
}
