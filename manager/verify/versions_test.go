package verify_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
)

// The six rows of the version table of both design documents.
func TestVersionTable(t *testing.T) {
	for _, r := range []struct {
		name                 string
		mesos, role, library string
		loadable             bool
		rule                 finding.Rule
		reason               string
	}{
		{"row 1: 0.18.0 | 0.18.0 | 0.18.0 | YES", "0.18.0", "0.18.0", "0.18.0", true, "", ""},
		{"row 2: 0.29.0 | 0.18.0 | 0.18.0 | YES", "0.29.0", "0.18.0", "0.18.0", true, "", ""},
		{"row 3: 0.29.0 | 0.18.0 | 0.21.0 | YES", "0.29.0", "0.18.0", "0.21.0", true, "", ""},
		{"row 4: 0.18.0 | 0.18.0 | 0.29.0 | NO, library compiled against a newer Mesos release", "0.18.0", "0.18.0", "0.29.0", false,
			finding.LibraryVersion, "compiled against a newer Mesos release"},
		{"row 5: 0.29.0 | 0.21.0 | 0.18.0 | NO, older than the role version supported by Mesos", "0.29.0", "0.21.0", "0.18.0", false,
			finding.RoleVersion, "older than the role version 0.21.0 supported"},
		{"row 6: 0.29.0 | 0.29.0 | 0.18.0 | NO, older than the role version supported by Mesos", "0.29.0", "0.29.0", "0.18.0", false,
			finding.RoleVersion, "older than the role version 0.29.0 supported"},
	} {
		for _, own := range []bool{false, true} {
			where := "stated by the library"
			if own {
				where = "stated by the module"
			}
			t.Run(r.name+", "+where, func(t *testing.T) {
				in := master()
				in.MesosVersion = r.mesos
				setRole(&in, "Calculator", r.role)
				calculator(&in).Compatible = true
				in.Libraries[0].Description.MesosVersion = r.library
				if own {
					in.Libraries[0].Description.MesosVersion = "0.1.0" // the module's statement wins
					calculator(&in).MesosVersion = r.library
				}
				result := verify.Check(in)
				if r.loadable {
					requireNone(t, result)
					return
				}
				f := requireOne(t, result)
				assert.Equal(t, r.rule, f.Rule)
				assert.Contains(t, f.Problem, r.reason)
				assert.Equal(t, "/opt/libcalc.so", f.Library)
				assert.Equal(t, "--calculator", f.Path[0])
			})
		}
	}
}

func TestVersions(t *testing.T) {
	oldLibrary := func(version string) func(*verify.Input) {
		return func(in *verify.Input) {
			in.Libraries[0].Description.MesosVersion = version
			setRole(in, "Calculator", "1.0.0")
		}
	}
	for _, r := range []row{
		{name: "by default library and daemon have to be exactly equal", change: oldLibrary("1.11.0"),
			rule: finding.EqualVersion, module: "org_example_calculator", problem: "1.11.0 and this daemon is 1.12.0",
			mend: "declare a compatibility check", path: []string{"--calculator", "org_example_calculator"}},
		{name: "a declared check opens older libraries", change: func(in *verify.Input) {
			oldLibrary("1.11.0")(in)
			calculator(in).Compatible = true
		}},
		{name: "upstream 25, NewerModuleLibrary: 100.1.0", change: oldLibrary("100.1.0"),
			rule: finding.LibraryVersion, problem: "newer Mesos release: 100.1.0, and this daemon is 1.12.0", mend: "Mesos 100.1.0 or later"},
		{name: "upstream 25 in the object form, which states its own", change: func(in *verify.Input) { calculator(in).MesosVersion = "100.1.0" },
			rule: finding.LibraryVersion, module: "org_example_calculator", problem: "newer Mesos release: 100.1.0"},
		{name: "a check does not open newer libraries", change: func(in *verify.Input) {
			oldLibrary("1.13.0")(in)
			calculator(in).Compatible = true
		}, rule: finding.LibraryVersion, problem: "newer"},
		{name: "upstream 26, OlderModuleLibrary: 0.1.0", change: func(in *verify.Input) { in.Libraries[0].Description.MesosVersion = "0.1.0" },
			rule: finding.RoleVersion, module: "org_example_calculator", problem: "built for Mesos 0.1.0, older than the role version 1.12.0",
			mend: "rebuild it against Mesos 1.12.0"},
		{name: "a pre-release tag is dropped: equal", change: oldLibrary("1.12.0-rc.1")},
		{name: "a pre-release tag is dropped: newer all the same", change: oldLibrary("1.13.0-rc.1"), rule: finding.LibraryVersion, problem: "1.13.0-rc.1"},
		{name: "a daemon's pre-release tag is dropped", change: func(in *verify.Input) { in.MesosVersion = "1.12.0-rc.1" }},
		{name: "build metadata counts for nothing", change: oldLibrary("1.12.0+g1234")},
		{name: "versions are compared as numbers", change: func(in *verify.Input) {
			oldLibrary("1.9.0")(in)
			calculator(in).Compatible = true
		}},
		{name: "a minimum version above the daemon's refuses", change: func(in *verify.Input) { in.Libraries[0].Description.MinMesos = "1.12.1" },
			rule: finding.MinMesos, problem: "works with Mesos 1.12.1 and later, and this daemon is 1.12.0", mend: "Mesos 1.12.1 or later"},
		{name: "a minimum version equal to the daemon's admits", change: func(in *verify.Input) { in.Libraries[0].Description.MinMesos = "1.12.0" }},
		{name: "a library too new is said once, though its minimum is too new as well", change: func(in *verify.Input) {
			oldLibrary("1.13.0")(in)
			in.Libraries[0].Description.MinMesos = "1.13.0"
		}, rule: finding.LibraryVersion, problem: "1.13.0"},
		{name: "the library speaks only for modules that state nothing themselves", change: func(in *verify.Input) {
			in.Libraries[0].Description.MesosVersion = ""
			in.Libraries[0].Description.MMSVersion = ""
			calculator(in).MesosVersion, calculator(in).MMSVersion = "1.12.0", "1"
		}},
		{name: "a library that is picked nothing from is judged all the same", change: func(in *verify.Input) {
			l := library("/opt/libspare.so")
			l.Description.MesosVersion = "2.0.0"
			add(in, l)
		}, rule: finding.LibraryVersion, problem: "2.0.0"},
	} {
		r.run(t)
	}
	t.Run("a minimum version below the one built for is without effect", func(t *testing.T) {
		in := master()
		in.Libraries[0].Description.MinMesos = "1.0.0"
		result := verify.Check(in)
		requireNone(t, result)
		assert.Equal(t, []verify.Notice{{ID: verify.NoEffect, Library: "/opt/libcalc.so",
			Text: "the minimum Mesos version 1.0.0 has no effect: the library was built for 1.12.0, and older daemons refuse it for that"}}, result.Notices)
	})
	t.Run("a library too new with two modules is one finding", func(t *testing.T) {
		in := master()
		in.Libraries[0] = library("/opt/libtwo.so", module("org_example_calculator", "Calculator"), module("org_example_other", "Calculator"))
		in.Libraries[0].Description.MesosVersion = "1.13.0"
		f := requireOne(t, verify.Check(in))
		assert.Empty(t, f.Module)
		assert.Equal(t, []string{"--calculator", "org_example_calculator", "/opt/libtwo.so"}, f.Path)
	})
}

func TestHandshake(t *testing.T) {
	const object = " in the object form"
	states := func(version string) func(*verify.Input) {
		return func(in *verify.Input) { in.Libraries[0].Description.MMSVersion = version }
	}
	moduleStates := func(version string) func(*verify.Input) {
		return func(in *verify.Input) { calculator(in).MMSVersion = version }
	}
	for _, r := range []row{
		{name: "a library that states no version is no module library", change: states(""),
			rule: finding.Handshake, problem: "does not say for which version", mend: "MESOS_MODULE_LIBRARY()",
			path: []string{"--calculator", "org_example_calculator", "/opt/libcalc.so"}},
		{name: "without a handshake nothing else is asked", change: func(in *verify.Input) {
			states("")(in)
			in.Libraries[0].Description.MesosVersion = "x"
			calculator(in).Role = "Nothing"
		}, rule: finding.Handshake, problem: "does not say"},
		{name: "an older daemon refuses a later library", change: states("2"),
			rule: finding.MMSVersion, problem: "version 2 of the module management system, later than what this daemon accepts (1)", mend: "use a newer daemon"},
		{name: "a later daemon accepts the versions that it lists", change: func(in *verify.Input) {
			in.MMSVersions = []string{"1", "2", "3"}
		}},
		{name: "a later daemon refuses a version that it has dropped", change: func(in *verify.Input) { in.MMSVersions = []string{"2", "3"} },
			rule: finding.MMSVersion, problem: "version 1 of the module management system, which this daemon does not accept (it accepts 2, 3)", mend: "rebuild"},
		{name: "upstream 24, DifferentApiVersion: 0", change: states("0"), rule: finding.MMSVersion, problem: "does not accept (it accepts 1)"},
		{name: "upstream 24, DifferentApiVersion: 1000", change: states("1000"), rule: finding.MMSVersion, problem: "version 1000"},
		{name: "upstream 24, DifferentApiVersion: ThisIsNotAnAPIVersion!", change: states("ThisIsNotAnAPIVersion!"),
			rule: finding.MMSVersion, problem: "ThisIsNotAnAPIVersion!"},
		{name: "upstream 24: 0" + object, change: moduleStates("0"), rule: finding.MMSVersion, module: "org_example_calculator", problem: "the module was built for version 0"},
		{name: "upstream 24: 1000" + object, change: moduleStates("1000"), rule: finding.MMSVersion, module: "org_example_calculator", problem: "version 1000"},
		{name: "upstream 24: ThisIsNotAnAPIVersion!" + object, change: moduleStates("ThisIsNotAnAPIVersion!"),
			rule: finding.MMSVersion, module: "org_example_calculator", problem: "no whole number"},
		{name: "the text is compared, not the number", change: states("01"), rule: finding.MMSVersion, problem: "version 01"},
		{name: "who fails the handshake is asked nothing further", change: func(in *verify.Input) {
			l := library("/opt/libbad.so", module("org_example_bad", "Nothing"), module("org_example_worse", "Isolator"))
			l.Description.MMSVersion, l.Description.MesosVersion = "9", "x"
			l.Description.Modules[0].Flaws = []string{"author is null"}
			l.Description.Modules[1].Requires = append(l.Description.Modules[1].Requires, requires("org_example_nowhere", ""))
			l.Named = append(l.Named, verify.Named{Name: "org_example_absent"})
			add(in, l)
			calculator(in).Requires = append(calculator(in).Requires, requires("org_example_bad", ">=7"), requires("org_example_absent", ""))
			in.Bindings = append(in.Bindings, bind("test_module", "org_example_absent"), bind("allocator", "org_example_worse"))
		}, rule: finding.MMSVersion, problem: "version 9"},
	} {
		r.run(t)
	}
	t.Run("one bad module of the object form does not keep its neighbours from being judged", func(t *testing.T) {
		in := master()
		in.Libraries[0] = library("/opt/libtwo.so", module("org_example_calculator", "Calculator"),
			vehicle.Module{Name: "org_example_other", Role: "Nothing", MMSVersion: "7"}, module("org_example_third", "Nothing"))
		result := verify.Check(in)
		assert.Equal(t, []string{"mms-version org_example_other", "role-known org_example_third"}, brief(result))
	})
}
