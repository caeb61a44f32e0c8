package moduletest

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

// binding says what of the set a daemon of the kit binds.
type binding int

const (
	bindNone  binding = iota // verification alone
	bindTest                 // one module, and the test is the daemon that calls it
	bindEach                 // the same, with an instance for each use
	bindSites                // all of them, to the sites of a real daemon
)

// config lays out a daemon around the modules of the set.
func (k *Kit) config(set []string, b binding) manager.Config {
	described := make([]vehicle.Module, len(set))
	for i, name := range set {
		described[i] = moduleIn(k.described, name)
		described[i].Name = name
	}
	cfg := manager.Config{
		Daemon: k.daemonFor(described), MesosVersion: k.o.mesosVersion, Roles: roles.Table(),
		Builtin: k.libraries(), Manifests: []manifest.Manifest{k.manifest(set)},
		WorkDir: k.dir, AllowWorldWritable: true, StateDir: k.o.stateDir, Limits: k.o.limits,
		Bus: k.bus, Logger: k.log.logger(), Metrics: k.measures.of,
	}
	for _, v := range k.vehicles {
		cfg.Vehicles = append(cfg.Vehicles, watchedVehicle{v, k})
	}
	if cfg.Launcher = k.launcher(); k.o.inProcess {
		cfg.Isolation = manifest.IsolationProcess
	}
	switch b {
	case bindTest:
		cfg.Roles = withTestSite(cfg.Roles, described[0].Role, cfg.Daemon, roles.One)
	case bindEach:
		cfg.Roles = withTestSite(cfg.Roles, described[0].Role, cfg.Daemon, roles.Each)
	case bindNone, bindSites:
	}
	cfg.Bindings = bindings(cfg.Roles, cfg.Daemon, described, b)
	return cfg
}

// daemonFor is the one asked for, else one in which the first module is used.
func (k *Kit) daemonFor(set []vehicle.Module) roles.Daemon {
	if k.o.daemon != 0 {
		return k.o.daemon
	}
	if len(set) > 0 {
		if role, ok := roles.ByName(set[0].Role); ok && role.On&roles.Slave == 0 && role.On&roles.Master != 0 {
			return roles.Master
		}
	}
	return roles.Slave
}

// libraries are those in the test binary. A Library value under test states its
// release itself, as a built one does; what is compiled into a daemon need not.
func (k *Kit) libraries() []facade.Library {
	all := slices.Clone(k.o.with)
	if k.file != "" {
		return all
	}
	l := k.library
	l.MesosVersion = cmp.Or(l.MesosVersion, facade.MesosVersion)
	l.Modules = nil
	for _, d := range k.library.Modules {
		if d == nil {
			l.Modules = append(l.Modules, nil) // a finding
			continue
		}
		l.Modules = append(l.Modules, watched{d, k})
	}
	return append([]facade.Library{l}, all...)
}

// manifest names the set, and all modules that are there beside it.
func (k *Kit) manifest(set []string) manifest.Manifest {
	var beside []string
	for _, l := range k.o.with {
		for _, d := range l.Modules {
			beside = append(beside, d.Declare().Name)
		}
	}
	if k.file == "" {
		names := append(slices.Clone(set), beside...)
		for _, name := range k.o.named { // others of the library, pulled in by requirement
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return manifest.Manifest{Libraries: []manifest.Library{{Name: vehicle.Builtin, Modules: k.wanted(names)}}}
	}
	m := manifest.Manifest{Libraries: []manifest.Library{{File: string(k.file), Modules: k.wanted(closure(k.described, set))}}}
	if len(beside) > 0 {
		m.Libraries = append(m.Libraries, manifest.Library{Name: vehicle.Builtin, Modules: k.wanted(beside)})
	}
	return m
}

func (k *Kit) wanted(names []string) []manifest.Module {
	all := make([]manifest.Module, len(names))
	for i, name := range names {
		all[i] = manifest.Module{Name: name, Parameters: k.o.parameters[name], At: manifest.Position{Source: "the test"}}
	}
	return all
}

// withTestSite gives a role one site, which takes one module: the test. So every role
// is loaded alike, and Anonymous modules are run by the test.
func withTestSite(table []roles.Role, role string, daemon roles.Daemon, takes roles.Cardinality) []roles.Role {
	for i, r := range table {
		if r.Name == role && r.On == 0 { // a role of clients: the test is one
			r.On, table[i].On = daemon, daemon
		}
		if r.Name != role || r.On&daemon == 0 {
			continue
		}
		flag := strings.ToLower(role)
		if at := slices.IndexFunc(r.Sites, func(s roles.Site) bool { return s.On&daemon != 0 && s.Flag != "" }); at >= 0 {
			flag = r.Sites[at].Flag
		}
		table[i].Sites = []roles.Site{{On: daemon, Flag: flag, Takes: takes}}
	}
	return table
}

// bindings are the flags of the daemon. A module that only the other daemon uses is
// named by that one's flag, as in a flag file that serves both.
func bindings(table []roles.Role, daemon roles.Daemon, set []vehicle.Module, b binding) []verify.Binding {
	var all []verify.Binding
	for _, m := range set {
		i := slices.IndexFunc(table, func(r roles.Role) bool { return r.Name == m.Role })
		if i < 0 {
			continue
		}
		here := slices.IndexFunc(table[i].Sites, func(s roles.Site) bool { return s.On&daemon != 0 })
		at := here
		if here < 0 && len(table[i].Sites) > 0 {
			at = 0
		}
		if at < 0 || table[i].Sites[at].Flag == "" || here >= 0 && b == bindNone {
			continue
		}
		flag, ref := table[i].Sites[at].Flag, verify.Ref{Name: m.Name}
		if same := slices.IndexFunc(all, func(x verify.Binding) bool { return x.Flag == flag }); same >= 0 {
			all[same].Refs = append(all[same].Refs, ref)
			continue
		}
		all = append(all, verify.Binding{Flag: flag, Refs: []verify.Ref{ref}})
	}
	return all
}

// roleOf returns the row of a role's interface.
func roleOf(t reflect.Type) (roles.Role, bool) {
	for _, r := range roles.Table() {
		if r.Type == t {
			return r, true
		}
	}
	return roles.Role{}, false
}
