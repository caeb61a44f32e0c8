package manager

import (
	"slices"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/manifest"
)

func parametersOf(w manifest.Module) facade.Parameters {
	p := make(facade.Parameters, len(w.Parameters))
	for i, x := range w.Parameters {
		p[i] = facade.Parameter(x)
	}
	return p
}

// withDefaults adds the parameters whose key is not there.
func withDefaults(p, defaults facade.Parameters) facade.Parameters {
	if len(defaults) == 0 {
		return p
	}
	given := slices.Clone(p)
	for _, d := range defaults {
		if !slices.ContainsFunc(p, func(x facade.Parameter) bool { return x.Key == d.Key }) {
			given = append(given, d)
		}
	}
	return given
}

// knows are those of the daemon's parameters that a module takes: all, if it is the one
// that the daemon is built with or does not say what it takes.
func (mod *module) knows(parameters facade.Parameters) facade.Parameters {
	if mod.library.ships {
		return parameters
	}
	return mod.takes(parameters)
}

// takes are those of the parameters that a module declares, or all if it declares none.
func (mod *module) takes(parameters facade.Parameters) facade.Parameters {
	if !mod.declared.HasSchema {
		return parameters
	}
	return slices.DeleteFunc(slices.Clone(parameters), func(p facade.Parameter) bool {
		return !slices.ContainsFunc(mod.declared.Parameters, func(s facade.ParameterSpec) bool { return s.Key == p.Key })
	})
}

// atSite are the parameters of an instance that a site makes with some of its own. What
// the manifest says comes first, then the site, then the daemon's flags. A module takes
// what it declares.
func (mod *module) atSite(p facade.Parameters) facade.Parameters {
	return withDefaults(withDefaults(mod.own, mod.takes(p)), mod.parameters)
}
