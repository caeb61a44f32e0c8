package verify_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

func TestInstances(t *testing.T) {
	two := func(role, flag string, daemon roles.Daemon) func(*verify.Input) {
		return func(in *verify.Input) {
			in.Daemon = daemon
			in.Libraries = []verify.Library{library("/opt/libtwo.so", module("org_example_a", role), module("org_example_b", role))}
			in.Bindings = []verify.Binding{bind(flag, "org_example_a", "org_example_b")}
		}
	}
	for _, r := range []row{
		{name: "upstream's authenticators: multiple not supported", change: two("Authenticator", "authenticators", roles.Master),
			rule: finding.Instances, problem: "--authenticators names 2 modules (org_example_a, org_example_b), and multiple instances of Authenticator are not supported",
			mend: "name one", path: []string{"--authenticators"}},
		{name: "a site with an instance per use takes one module", change: two("Authenticatee", "authenticatee", roles.Slave),
			rule: finding.Instances, problem: "not supported"},
		{name: "a list takes any number", change: two("Calculator", "calculator", roles.Master)},
		{name: "the other daemon's site is counted too", change: two("Allocator", "allocator", roles.Slave), rule: finding.Instances, problem: "--allocator names 2"},
	} {
		r.run(t)
	}
}

func TestBinding(t *testing.T) {
	const name = "org_example_calculator"
	flags := func(all ...verify.Binding) func(*verify.Input) {
		return func(in *verify.Input) { in.Bindings = all }
	}
	for _, r := range []row{
		{name: "upstream 12, ModuleKindMismatch: both roles are named", change: flags(bind("test_module", name)),
			rule: finding.Binding, module: name, problem: "--test_module takes modules of role TestModule, and org_example_calculator has the role Calculator",
			mend: "load a module of role TestModule", path: []string{"--test_module", name}},
		{name: "loaded modules of the right role are listed, the nearest first", change: func(in *verify.Input) {
			add(in, library("/opt/libtest.so", module("org_example_calculator_test", "TestModule"), module("org_example_other", "TestModule")))
			flags(bind("test_module", name))(in)
			calculator(in).Role = "Allocator"
		}, rule: finding.Binding, module: name, problem: "has the role Allocator",
			mend: "oaded modules of role TestModule: org_example_calculator_test, org_example_other"},
		{name: "upstream 19, UnknownModuleInstantiationTest: a flag names nothing that is loaded", change: flags(bind("calculator", "unknown")),
			rule: finding.Binding, module: "unknown", problem: "--calculator names unknown, and no such module is loaded",
			mend: "loaded modules of role Calculator: org_example_calculator"},
		{name: "the nearest name is proposed", change: flags(bind("calculator", "org_example_calculater")),
			rule: finding.Binding, module: "org_example_calculater", mend: "did you mean org_example_calculator? Loaded modules"},
		{name: "a module of the daemon itself is proposed without a manifest", change: func(in *verify.Input) {
			l := library("mesos-master", module("org_apache_mesos_Calculator", "Calculator"))
			l.Identity, l.ShipsWithMesos, l.Named, l.Description.Vehicle = vehicle.Identity{}, true, nil, vehicle.Builtin
			in.Libraries = []verify.Library{l}
			flags(bind("calculator", "org_apache_mesos_Calculatr"))(in)
		}, rule: finding.Binding, module: "org_apache_mesos_Calculatr",
			mend: "did you mean org_apache_mesos_Calculator? Loaded modules of role Calculator: org_apache_mesos_Calculator"},
		{name: "a module of its library that the manifest does not name", change: func(in *verify.Input) {
			in.Libraries[0].Description.Modules = append(in.Libraries[0].Description.Modules, module("org_example_extra", "Calculator"))
			flags(bind("calculator", "org_example_extra"))(in)
		}, rule: finding.Binding, module: "org_example_extra", mend: "name it in the manifest too: it is in /opt/libcalc.so"},
		{name: "a module of the configured folders that the manifest does not name", change: func(in *verify.Input) {
			in.Candidates = []depgraph.Module{{Name: "org_example_extra", Role: "Calculator"}}
			flags(bind("calculator", "org_example_extra"))(in)
		}, rule: finding.Binding, module: "org_example_extra", mend: "a library in the configured folders has it"},
		{name: "a default that is not there", change: flags(verify.Binding{Flag: "allocator", FromDefault: true, Refs: []verify.Ref{{Name: "hierarchical"}}}),
			rule: finding.Binding, module: "hierarchical", problem: "the default of --allocator names hierarchical"},
		{name: "a name twice, as upstream's hooks and isolators refuse it", change: flags(bind("calculator", name, name)),
			rule: finding.Binding, module: name, problem: "names org_example_calculator more than once"},
		{name: "an empty name", change: flags(bind("calculator", name, "")), rule: finding.Binding, problem: "empty name at place 2", mend: "comma"},
		{name: "an empty flag leaves the site unbound", change: flags(bind("calculator"))},
		{name: "a flag that no daemon has", change: flags(bind("calculater", name)), rule: finding.Binding,
			problem: "no daemon has a binding site with the flag --calculater", mend: "did you mean --calculator?"},
		{name: "a flag and its alias that agree", change: func(in *verify.Input) {
			calculator(in).Role = "Authenticator"
			flags(bind("auth", name), bind("authenticators", name))(in)
		}},
		{name: "a flag and its alias that differ", change: func(in *verify.Input) {
			in.Libraries[0] = library("/opt/libtwo.so", module(name, "Authenticator"), module("org_example_b", "Authenticator"))
			flags(bind("auth", name), bind("authenticators", "org_example_b"))(in)
		}, rule: finding.Binding, problem: "--auth and --authenticators are one binding site (Authenticator) and name different modules", mend: "one of the two"},
		{name: "a module of a role that there is not has its finding already", change: func(in *verify.Input) { calculator(in).Role = "Nothing" },
			rule: finding.RoleKnown, module: name, problem: "Nothing"},
	} {
		r.run(t)
	}
	t.Run("--auth is the authenticators of a master and the authenticatee of a slave", func(t *testing.T) {
		for daemon, want := range map[roles.Daemon]verify.Site{
			roles.Master: {Role: "Authenticator", Flag: "authenticators", Takes: "one", Modules: []string{"org_example_m"}},
			roles.Slave:  {Role: "Authenticatee", Flag: "authenticatee", Takes: "each", Modules: []string{"org_example_m"}},
		} {
			in := master()
			in.Daemon = daemon
			in.Libraries = []verify.Library{library("/opt/m.so", module("org_example_m", want.Role))}
			in.Bindings = []verify.Binding{bind("auth", "org_example_m")}
			assert.Contains(t, requireNone(t, verify.Check(in)).Sites, want)
		}
	})
}

// One flag file serves both daemons.
func TestOtherDaemon(t *testing.T) {
	both := func(daemon roles.Daemon) verify.Input {
		in := master()
		in.Daemon = daemon
		in.Libraries = []verify.Library{
			library("/root/path1", module("org_example_allocator", "Allocator")),
			library("path2", module("org_example_isolator", "Isolator"), module("org_example_helper", "Isolator")),
		}
		in.Libraries[1].Description.Modules[0].Requires = []facade.Requirement{requires("org_example_helper", "")}
		in.Bindings = []verify.Binding{bind("allocator", "org_example_allocator"), bind("isolation", "org_example_isolator")}
		return in
	}
	t.Run("a master takes the slave's modules, with what they require, and says that it does not use them", func(t *testing.T) {
		result := verify.Check(both(roles.Master))
		plan := requireNone(t, result)
		assert.Equal(t, []string{"org_example_allocator"}, plan.Needed)
		assert.Equal(t, []string{"org_example_helper", "org_example_isolator"}, plan.Unused)
		assert.Equal(t, []verify.Notice{
			{ID: verify.NotUsedHere, Module: "org_example_helper", Library: "path2", Text: "verified and not used here: --isolation leads to it, a flag of mesos-slave"},
			{ID: verify.NotUsedHere, Module: "org_example_isolator", Library: "path2", Text: "verified and not used here: --isolation leads to it, a flag of mesos-slave"},
		}, result.Notices)
	})
	t.Run("a slave takes the master's", func(t *testing.T) {
		result := verify.Check(both(roles.Slave))
		plan := requireNone(t, result)
		assert.Equal(t, []string{"org_example_helper", "org_example_isolator"}, plan.Needed)
		assert.Equal(t, []string{"org_example_allocator"}, plan.Unused)
	})
	t.Run("the module is held to every rule", func(t *testing.T) {
		in := both(roles.Slave)
		in.Libraries[0].Description.MesosVersion = "0.1.0"
		f := requireOne(t, verify.Check(in))
		assert.Equal(t, finding.RoleVersion, f.Rule)
		assert.Equal(t, []string{"--allocator", "org_example_allocator"}, f.Path)
	})
	t.Run("so is its version constraint", func(t *testing.T) {
		in := both(roles.Slave)
		in.Bindings[0].Refs[0].Constraint = ">=2"
		assert.Equal(t, []string{"version-clash org_example_allocator"}, brief(verify.Check(in)))
	})
	t.Run("so is its role", func(t *testing.T) {
		in := both(roles.Slave)
		in.Bindings[0].Refs[0].Name = "org_example_isolator"
		assert.Contains(t, brief(verify.Check(in)), "binding org_example_isolator")
	})
	t.Run("a module that this daemon's flags lead to as well is not excused", func(t *testing.T) {
		in := both(roles.Master)
		in.Libraries[0].Description.Modules[0].Requires = []facade.Requirement{requires("org_example_helper", "")}
		f := requireOne(t, verify.Check(in))
		assert.Equal(t, finding.RoleDaemon, f.Rule)
		assert.Equal(t, []string{"--allocator", "org_example_allocator", "org_example_helper"}, f.Path)
	})
	t.Run("a name that is not loaded may be built into the other daemon", func(t *testing.T) {
		in := master()
		in.Bindings = append(in.Bindings, bind("isolation", "posix/cpu"))
		result := verify.Check(in)
		requireNone(t, result)
		assert.Equal(t, []verify.Notice{{ID: verify.NotUsedHere, Module: "posix/cpu",
			Text: "not verified and not used here: --isolation names it, a flag of mesos-slave, and it is not loaded here; it may be built in there"}}, result.Notices)
	})
}

// The daemon's own library is picked from as flags and requirements ask.
func TestOwnLibrary(t *testing.T) {
	own := func(modules ...vehicle.Module) verify.Library {
		l := library("mesos-master", modules...)
		l.Identity, l.ShipsWithMesos, l.Named, l.Description.Vehicle = vehicle.Identity{}, true, nil, vehicle.Builtin
		return l
	}
	t.Run("what a flag or its default names, and what that requires, is picked", func(t *testing.T) {
		in := master()
		base := vehicle.Module{Name: "drf", Role: "Allocator", Version: "1.0.0"}
		add(&in, own(module("spare", "Allocator"), vehicle.Module{Name: "hierarchical", Role: "Allocator",
			Requires: []facade.Requirement{requires("drf", ">=1"), {Module: "spare", Optional: true}}}, base))
		in.Bindings = append(in.Bindings, verify.Binding{Flag: "allocator", Refs: []verify.Ref{{Name: "hierarchical"}}, FromDefault: true})
		result := verify.Check(in)
		plan := requireNone(t, result)
		assert.Equal(t, []string{"drf", "hierarchical", "org_example_calculator"}, plan.Needed)
		assert.Empty(t, result.Notices, "the naming rule is for others")
		assert.Contains(t, plan.Sites, verify.Site{Role: "Allocator", Flag: "allocator", Takes: "one", Modules: []string{"hierarchical"}, FromDefault: true})
	})
	t.Run("what is named in vain is neither unused nor of a wrong role", func(t *testing.T) {
		in := master()
		l := own(module("spare", "Allocator"), module("posix/cpu", "Isolator"))
		l.Named = []verify.Named{{Name: "spare"}, {Name: "posix/cpu"}}
		add(&in, l)
		result := verify.Check(in)
		plan := requireNone(t, result)
		assert.Empty(t, result.Notices)
		assert.Equal(t, []string{"posix/cpu", "spare"}, plan.Unused)
	})
	t.Run("a module of the same name from elsewhere is another one", func(t *testing.T) {
		in := master()
		l := own(module("org_example_calculator", "Calculator"))
		l.Named = []verify.Named{{Name: "org_example_calculator"}}
		in.Libraries = append([]verify.Library{l}, in.Libraries...)
		f := requireOne(t, verify.Check(in))
		assert.Equal(t, finding.UniqueName, f.Rule)
		assert.Equal(t, "/opt/libcalc.so", f.Library)
	})
	t.Run("several Go libraries in the binary are one file", func(t *testing.T) {
		in := master()
		add(&in, own(module("a", "Allocator")))
		in.Bindings = append(in.Bindings, bind("allocator", "a"))
		requireNone(t, verify.Check(in))
	})
}
