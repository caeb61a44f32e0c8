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

func requires(name, version string) facade.Requirement {
	return facade.Requirement{Module: name, Version: version}
}

// brief is rule and module of each finding.
func brief(r verify.Result) []string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, string(f.Rule)+" "+f.Module)
	}
	return all
}

func TestMetadata(t *testing.T) {
	const name = "org_example_calculator"
	for _, r := range []row{
		{name: "a flaw of the declaration is repeated on one line", change: func(in *verify.Input) {
			calculator(in).Flaws = []string{"author is null\nfake line"}
		}, rule: finding.Metadata, module: name, problem: "author is null fake line", mend: "correct the declaration"},
		{name: "a library that names no Mesos release", change: func(in *verify.Input) { in.Libraries[0].Description.MesosVersion = "" },
			rule: finding.Metadata, problem: "does not say which Mesos release"},
		{name: "an unparsable Mesos version of a library", change: func(in *verify.Input) { in.Libraries[0].Description.MesosVersion = "1.12" },
			rule: finding.Metadata, problem: "1.12, is no strict semantic version", mend: "major.minor.patch"},
		{name: "an unparsable Mesos version of a module", change: func(in *verify.Input) { calculator(in).MesosVersion = "latest" },
			rule: finding.Metadata, module: name, problem: "latest, is no strict"},
		{name: "an unparsable minimum version", change: func(in *verify.Input) { in.Libraries[0].Description.MinMesos = "v1" },
			rule: finding.Metadata, problem: "minimum Mesos version, v1,"},
		{name: "an unparsable module version is said once, not by the graph too", change: func(in *verify.Input) {
			calculator(in).Version = "1.x"
			add(in, library("/opt/b.so", module("org_example_b", "Calculator")))
			in.Libraries[1].Description.Modules[0].Requires = []facade.Requirement{requires(name, ">=1")}
		}, rule: finding.Metadata, module: name, problem: "the module's version, 1.x,"},
		{name: "a module may have no version", change: func(in *verify.Input) { calculator(in).Version = "" }},
		{name: "a requirement of nothing", change: func(in *verify.Input) { calculator(in).Requires = []facade.Requirement{{}} },
			rule: finding.Metadata, module: name, problem: "requirement 1 has to name either"},
		{name: "a requirement of both", change: func(in *verify.Input) {
			calculator(in).Requires = []facade.Requirement{{Module: "a", Role: "Calculator"}}
		}, rule: finding.Metadata, module: name, problem: "requirement 1 has to name either"},
		{name: "a conflict with nothing", change: func(in *verify.Input) { calculator(in).Conflicts = []facade.Conflict{{}} },
			rule: finding.Metadata, module: name, problem: "conflict 1 names no module"},
		{name: "a constraint that is none", change: func(in *verify.Input) {
			add(in, library("/opt/b.so", module("org_example_b", "Calculator")))
			calculator(in).Requires = []facade.Requirement{requires("org_example_b", "about 1")}
		}, rule: finding.Metadata, module: name, problem: "about 1"},
		{name: "a parameter declared twice", change: schema(facade.ParameterSpec{Key: "a", Type: "int"}, facade.ParameterSpec{Key: "a", Type: "int"}),
			rule: finding.Metadata, module: name, problem: "parameter a is declared twice"},
		{name: "a parameter without key", change: schema(facade.ParameterSpec{Type: "int"}),
			rule: finding.Metadata, module: name, problem: "declared parameter 1 has no key"},
		{name: "a default of another type", change: schema(facade.ParameterSpec{Key: "a", Type: "int", Default: "few"}),
			rule: finding.Metadata, module: name, problem: `"few" is no int`},
		{name: "a type that there is not", change: schema(facade.ParameterSpec{Key: "a", Type: "colour", Default: "red"}),
			rule: finding.Metadata, module: name, problem: "colour"},
	} {
		r.run(t)
	}
	t.Run("a cherry-picked library's other modules are not verified", func(t *testing.T) {
		in := master()
		in.Libraries[0].Description.Modules = append(in.Libraries[0].Description.Modules,
			vehicle.Module{Name: "left", Role: "Nothing", Version: "?", Flaws: []string{"broken"}, Requires: []facade.Requirement{requires("gone", "")}})
		plan := requireNone(t, verify.Check(in))
		assert.Len(t, plan.Modules, 1)
	})
}

// schema gives master's calculator parameters.
func schema(specs ...facade.ParameterSpec) func(*verify.Input) {
	return func(in *verify.Input) { calculator(in).HasSchema, calculator(in).Parameters = true, specs }
}

func TestModulePresent(t *testing.T) {
	named := func(names ...string) func(*verify.Input) {
		return func(in *verify.Input) {
			for _, name := range names {
				in.Libraries[0].Named = append(in.Libraries[0].Named, verify.Named{Name: name, At: "--modules:1:7"})
			}
		}
	}
	for _, r := range []row{
		{name: "upstream 18, UnknownModuleTest", change: named("unknown"), rule: finding.ModulePresent, module: "unknown",
			problem: "the library has no module unknown", mend: "name one of the modules that it has: org_example_calculator", path: []string{"--modules:1:7", "unknown"}},
		{name: "the nearest name is proposed", change: named("org_example_calculater"), rule: finding.ModulePresent, module: "org_example_calculater",
			problem: "no module", mend: "did you mean org_example_calculator?"},
		{name: "upstream 16, EmptyModuleName", change: named(""), rule: finding.ModulePresent, module: "", problem: `no module ""`},
		{name: "a library without modules", change: func(in *verify.Input) {
			l := library("/opt/libnone.so")
			l.Named = []verify.Named{{Name: "org_example_x"}}
			add(in, l)
		}, rule: finding.ModulePresent, module: "org_example_x", mend: "it has no modules at all"},
		{name: "whoever requires or binds it is not told again", change: func(in *verify.Input) {
			named("org_example_gone")(in)
			calculator(in).Requires = []facade.Requirement{requires("org_example_gone", ">=1")}
			in.Bindings = append(in.Bindings, bind("test_module", "org_example_gone"))
		}, rule: finding.ModulePresent, module: "org_example_gone", problem: "no module"},
	} {
		r.run(t)
	}
	t.Run("modules of libraries that did not load are not said to be missing", func(t *testing.T) {
		in := master()
		in.NotLoaded = []string{"org_example_gone"}
		calculator(&in).Requires = []facade.Requirement{requires("org_example_gone", ">=1")}
		in.Bindings = append(in.Bindings, bind("test_module", "org_example_gone"))
		assert.Empty(t, verify.Check(in).Findings)
	})
}

func TestRoles(t *testing.T) {
	const name = "org_example_calculator"
	role := func(role string) func(*verify.Input) {
		return func(in *verify.Input) {
			calculator(in).Role = role
			in.Bindings = nil
		}
	}
	for _, r := range []row{
		{name: "upstream 11, InvalidModuleKind: NotTestModule", change: role("NotTestModule"), rule: finding.RoleKnown, module: name,
			problem: "NotTestModule, is none of the pre-declared roles", mend: "did you mean TestModule? The roles are: Allocator, "},
		{name: "a Go type that is no role", change: role("example.com/x.Thing"), rule: finding.RoleKnown, module: name, problem: "example.com/x.Thing"},
		{name: "no role at all", change: role(""), rule: finding.RoleKnown, module: name, problem: `""`},
		{name: "a null role is the declaration's flaw", change: func(in *verify.Input) {
			role("")(in)
			calculator(in).Flaws = []string{"kind is null"}
		}, rule: finding.Metadata, module: name, problem: "kind is null"},
		{name: "a role without a caller in this release", change: func(in *verify.Input) {
			in.Daemon = roles.Slave
			role("Containerizer")(in)
		}, rule: finding.RoleKnown, module: name, problem: "no caller for it yet", mend: "mesos-module roles"},
		{name: "a role that C libraries cannot fulfil", change: func(in *verify.Input) {
			native(in)
			role("Allocator")(in)
		}, rule: finding.RoleKnown, module: name, problem: "no native interface", mend: "write the module in Go"},
		{name: "a role that C libraries can fulfil", change: native},
		{name: "a required role that is none", change: func(in *verify.Input) {
			calculator(in).Requires = []facade.Requirement{{Role: "Calculater"}}
		}, rule: finding.RoleKnown, module: name, problem: "a role that the module requires, Calculater,", mend: "did you mean Calculator?"},
		{name: "an isolator in a master", change: role("Isolator"), rule: finding.RoleDaemon, module: name,
			problem: "mesos-master has no use for the role Isolator", mend: "--isolation", path: []string{"--modules: /opt/libcalc.so", name}},
		{name: "an allocator in a slave", change: func(in *verify.Input) {
			in.Daemon = roles.Slave
			role("Allocator")(in)
		}, rule: finding.RoleDaemon, module: name, problem: "mesos-slave has no use for the role Allocator"},
		{name: "a role that no daemon uses", change: role("HttpAuthenticatee"), rule: finding.RoleDaemon, module: name, mend: "no daemon uses the role"},
	} {
		r.run(t)
	}
}

func TestUniqueName(t *testing.T) {
	const name = "org_example_calculator"
	again := func(change func(*verify.Library)) func(*verify.Input) {
		return func(in *verify.Input) {
			l := library("/opt/libcalc.so", module(name, "Calculator"))
			l.Named[0].At = "--modules:2:1"
			change(&l)
			add(in, l)
		}
	}
	named := func(p facade.Parameters) func(*verify.Library) {
		return func(l *verify.Library) { l.Named[0].Parameters = p }
	}
	for _, r := range []row{
		{name: "upstream 21, LoadSameModuleTwice", change: again(func(*verify.Library) {})},
		{name: "upstream 2, identical duplicates: a file is known by identity, not by spelling", change: again(func(l *verify.Library) { l.Path = "/opt/./libcalc.so" })},
		{name: "upstream 22, DuplicateModulesWithDifferentParameters", change: again(named(parameters("operation", "X"))),
			rule: finding.UniqueName, module: name, problem: "the parameters differ, there are 0 and 1 of them"},
		{name: "upstream 23, DuplicateModuleInDifferentLibraries: both are named", change: again(func(l *verify.Library) {
			l.Path, l.Identity.Inode = "/opt/libcalc-1.12.0.so", 7
		}), rule: finding.UniqueName, module: name, problem: "in /opt/libcalc.so (\"--modules: /opt/libcalc.so\") and in /opt/libcalc-1.12.0.so (--modules:2:1): these are different files"},
		{name: "the same path and another file is another library", change: again(func(l *verify.Library) { l.Identity.Inode = 7 }),
			rule: finding.UniqueName, module: name, problem: "different files"},
		{name: "the same parameters in another order", change: func(in *verify.Input) {
			in.Libraries[0].Named[0].Parameters = parameters("a", "1", "b", "2")
			again(named(parameters("b", "2", "a", "1")))(in)
		}, rule: finding.UniqueName, module: name, problem: "the parameters differ in their order"},
		{name: "another value, which is not shown", change: func(in *verify.Input) {
			in.Libraries[0].Named[0].Parameters = parameters("a", "1", "token", "hush")
			again(named(parameters("a", "1", "token", "whisper")))(in)
		}, rule: finding.UniqueName, module: name, problem: "the parameters differ, first at token"},
		{name: "twice in one entry", change: func(in *verify.Input) {
			in.Libraries[0].Named = append(in.Libraries[0].Named, in.Libraries[0].Named[0])
		}},
	} {
		r.run(t)
	}
	t.Run("a library of another name for a file that failed is one finding", func(t *testing.T) {
		in := master()
		again(func(l *verify.Library) { l.Path = "/opt/./libcalc.so" })(&in)
		in.Libraries[0].Description.MMSVersion, in.Libraries[1].Description.MMSVersion = "", ""
		requireOne(t, verify.Check(in))
	})
}

func TestParameters(t *testing.T) {
	const name = "org_example_calculator"
	specs := []facade.ParameterSpec{{Key: "operation", Type: "string"}, {Key: "count", Type: "int"}, {Key: "pin", Type: "int"},
		{Key: "seal", Type: "int", Secret: true}}
	given := func(p facade.Parameters) func(*verify.Input) {
		return func(in *verify.Input) {
			schema(specs...)(in)
			in.Libraries[0].Named[0].Parameters = p
		}
	}
	for _, r := range []row{
		{name: "what fits passes", change: given(parameters("operation", "sum", "count", "3"))},
		{name: "without a schema every key passes", change: func(in *verify.Input) {
			in.Libraries[0].Named[0].Parameters = parameters("anything", "goes", "", "")
		}},
		{name: "an unknown key, and the one that was meant", change: given(parameters("operaton", "sum")),
			rule: finding.Parameters, module: name, problem: "no parameter operaton", mend: "did you mean operation? The module knows: operation, count"},
		{name: "a module that takes none", change: func(in *verify.Input) {
			schema()(in)
			in.Libraries[0].Named[0].Parameters = parameters("a", "1")
		}, rule: finding.Parameters, module: name, mend: "takes none"},
		{name: "a value of another type", change: given(parameters("count", "many")),
			rule: finding.Parameters, module: name, problem: `"many" is no int`, mend: "--modules: /opt/libcalc.so"},
		{name: "a required one that is missing", change: schema(facade.ParameterSpec{Key: "a", Type: "int", Required: true}),
			rule: finding.Parameters, module: name, problem: `"a" is required`},
	} {
		r.run(t)
	}
	t.Run("secret values are in no text", func(t *testing.T) {
		in := master()
		given(parameters("seal", "hush", "pin", "whisper", "tokem", "quiet"))(&in)
		result := verify.Check(in)
		assert.Len(t, result.Findings, 3)
		for _, f := range result.Findings {
			assert.NotContains(t, f.String(), "hush")
			assert.NotContains(t, f.String(), "whisper")
			assert.NotContains(t, f.String(), "quiet")
		}
	})
}

func TestGraph(t *testing.T) {
	const name = "org_example_calculator"
	with := func(edges []facade.Requirement, others ...vehicle.Module) func(*verify.Input) {
		return func(in *verify.Input) {
			calculator(in).Requires = edges
			if len(others) > 0 {
				add(in, library("/opt/libother.so", others...))
			}
		}
	}
	base := func(version string, edges ...facade.Requirement) vehicle.Module {
		return vehicle.Module{Name: "org_example_base", Role: "TestModule", Version: version, Requires: edges}
	}
	for _, r := range []row{
		{name: "a requirement that is there", change: with([]facade.Requirement{requires("org_example_base", ">=1.1 <2")}, base("1.4.0"))},
		{name: "a requirement that is not there", change: with([]facade.Requirement{requires("org_example_base", "")}),
			rule: finding.Requirement, module: name, problem: "requires org_example_base, which is not there", mend: "add org_example_base",
			path: []string{"--calculator", name, "org_example_base"}},
		{name: "a candidate in the folders would mend it", change: func(in *verify.Input) {
			with([]facade.Requirement{requires("org_example_base", ">=2")})(in)
			in.Candidates = []depgraph.Module{{Name: "org_example_base", Version: "2.1.0"}}
		}, rule: finding.Requirement, module: name, mend: "org_example_base 2.1.0, which is at hand"},
		{name: "a module that its library has and nobody picked would mend it", change: func(in *verify.Input) {
			with([]facade.Requirement{requires("org_example_base", ">=2")})(in)
			in.Libraries[0].Description.Modules = append(in.Libraries[0].Description.Modules, base("2.0.0"))
		}, rule: finding.Requirement, module: name, mend: "org_example_base 2.0.0, which is at hand"},
		{name: "a version that does not satisfy", change: with([]facade.Requirement{requires("org_example_base", ">=2")}, base("1.4.0")),
			rule: finding.VersionClash, module: "org_example_base", problem: "org_example_base is 1.4.0", path: []string{"--calculator", name, "org_example_base"}},
		{name: "an absent optional module is not missed", change: with([]facade.Requirement{{Module: "org_example_base", Optional: true}})},
		{name: "a role that somebody fulfils", change: with([]facade.Requirement{{Role: "TestModule"}}, base("1.0.0"))},
		{name: "a role that nobody fulfils", change: with([]facade.Requirement{{Role: "TestModule"}}),
			rule: finding.Requirement, module: name, problem: "requires role TestModule", path: []string{"--calculator", name, "TestModule"}},
		{name: "an absent optional role is not missed", change: with([]facade.Requirement{{Role: "TestModule", Optional: true}})},
		{name: "an optional role that one fulfils oneself is not missed", change: with([]facade.Requirement{{Role: "Calculator", Optional: true}})},
		{name: "a conflict", change: func(in *verify.Input) {
			with(nil, base("1.0.0"))(in)
			calculator(in).Conflicts = []facade.Conflict{{Module: "org_example_base", Version: "<2"}}
		}, rule: finding.Conflict, module: name, problem: "conflicts with org_example_base <2", mend: "leave out"},
		{name: "a conflict with other versions", change: func(in *verify.Input) {
			with(nil, base("2.0.0"))(in)
			calculator(in).Conflicts = []facade.Conflict{{Module: "org_example_base", Version: "<2"}}
		}},
		{name: "a cycle, gone round", change: with([]facade.Requirement{requires("org_example_base", "")}, base("1.0.0", requires(name, ""))),
			rule: finding.Cycle, module: "org_example_base", path: []string{"--calculator", name, "org_example_base", name, "org_example_base"}},
		{name: "a module that requires itself", change: with([]facade.Requirement{requires(name, "")}),
			rule: finding.Cycle, module: name, problem: "names itself"},
		{name: "a path that no flag leads to begins in the manifest", change: func(in *verify.Input) {
			with(nil, base("1.0.0", requires("org_example_gone", "")))(in)
		}, rule: finding.Requirement, module: "org_example_base", path: []string{"--modules: /opt/libother.so", "org_example_base", "org_example_gone"}},
		{name: "a flag's version constraint that is not satisfied", change: func(in *verify.Input) { in.Bindings[0].Refs[0].Constraint = ">=2" },
			rule: finding.VersionClash, module: name, problem: "--calculator", path: []string{"--calculator", name}},
		{name: "a flag's constraint that is none", change: func(in *verify.Input) { in.Bindings[0].Refs[0].Constraint = "soon" },
			rule: finding.Binding, module: name, problem: "soon"},
	} {
		r.run(t)
	}
	t.Run("after orders and asks for nothing", func(t *testing.T) {
		in := master()
		with(nil, base("1.0.0"))(&in)
		calculator(&in).After = []string{"TestModule", "org_example_gone"}
		plan := requireNone(t, verify.Check(in))
		assert.Equal(t, "org_example_base", plan.Modules[0].Name)
		assert.Equal(t, []string{name}, plan.Needed)
	})
}
