// Package catalog lists the modules that ship with Mesos, whatever carries them:
// those that the daemons are built with, and those that are Go modules of their own,
// with what they need, and come as plugins.
package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/modules"
	forClients "github.com/mesos-modules/mms/modules/httpauthenticatee/basic"
	forTests "github.com/mesos-modules/mms/modules/testmodule/example"
	"github.com/mesos-modules/mms/roles"
)

// Module is one that ships.
type Module struct {
	Name        string   `json:"name"`
	Role        string   `json:"role"`
	Version     string   `json:"version,omitempty"`
	Words       []string `json:"words,omitempty"` // that flags take for it alone
	Daemons     []string `json:"daemons"`         // in which it can be loaded
	Vehicles    []string `json:"vehicles"`        // as which it ships
	Description string   `json:"description,omitempty"`
}

// Modules returns all of them, by role and name. The slice is the caller's.
func Modules() []Module {
	all := apart()
	seen := map[string]bool{}
	add := func(libraries []facade.Library, vehicles ...string) {
		for _, lib := range libraries {
			for _, m := range lib.Modules {
				if d := m.Declare(); !seen[d.Name] {
					seen[d.Name] = true
					all = append(all, moduleOf(d, vehicles))
				}
			}
		}
	}
	add(modules.Master(), vehicle.Builtin, vehicle.GoPlugin)
	add(modules.Slave(), vehicle.Builtin, vehicle.GoPlugin)
	add([]facade.Library{forClients.Library}, vehicle.Builtin)
	add([]facade.Library{forTests.Library}, vehicle.GoPlugin)
	for i := range all {
		all[i].complete()
	}
	slices.SortFunc(all, func(a, b Module) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(a.Name, b.Name))
	})
	return all
}

// OfRole returns those that fulfil a role.
func OfRole(role string) []Module {
	return slices.DeleteFunc(Modules(), func(m Module) bool { return m.Role != role })
}

func moduleOf(d facade.Declaration, vehicles []string) Module {
	m := Module{Name: d.Name, Version: d.Version, Description: d.Description, Vehicles: slices.Clone(vehicles)}
	for _, r := range roles.Table() {
		if r.Type == d.Role {
			m.Role = r.Name
		}
	}
	return m
}

// complete adds what the table of roles says, and whether there is a native one.
func (m *Module) complete() {
	r, _ := roles.ByName(m.Role)
	m.Words, m.Daemons = words(r, m.Name), daemons(r.On)
	if slices.Contains(native, m.Name) {
		m.Vehicles = append(m.Vehicles, vehicle.Native)
	}
}

// words are those of the role's flags that stand for this module alone.
func words(r roles.Role, module string) (all []string) {
	for _, s := range r.Sites {
		for _, w := range s.Words {
			if slices.Equal(w.Modules, []string{module}) && !slices.Contains(all, w.Name) {
				all = append(all, w.Name)
			}
		}
	}
	return all
}

func daemons(set roles.Daemon) []string {
	all := []string{}
	for _, d := range []roles.Daemon{roles.Master, roles.Slave} {
		if set&d != 0 {
			all = append(all, d.String())
		}
	}
	return all
}

// Libraries are those that can be looked at here: what the daemons are built with, and
// what clients and tests use.
func Libraries() []facade.Library {
	return slices.Concat(modules.Master(), modules.Slave(), []facade.Library{forClients.Library, forTests.Library})
}
