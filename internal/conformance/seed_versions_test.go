package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/modules/testmodule/example"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// compiledAgainst is a real library, compiled with the version constants of another
// release of the headers.
func compiledAgainst(mesos string, defines ...string) recipe {
	return inC("manifest", "manifest.c", append([]string{`-DMESOS_VERSION="` + mesos + `"`}, defines...)...)
}

// openFrom is a config of a daemon of another release, whose roles have not changed
// since an older one.
func daemonOf(mesos, role string) manager.Config {
	return manager.Config{MesosVersion: mesos, Roles: since(role)}
}

func handshakeBothWays(t *testing.T) {
	libs := built(t, inC("manifest", "manifest.c"), inC("manifest", "manifest.c", `-DMESOS_MODULE_API_VERSION="2"`), inC("plain", "plain.c"))
	current, later, plain := libs[0], libs[1], libs[2]
	for _, c := range []struct {
		about, library string
		accepts        []string
		says           string
	}{
		{"equal versions", current, []string{"1"}, ""},
		{"an older MMS determines that a dynlib relies on a later one", later, []string{"1"}, "later than what this daemon accepts (1)"},
		{"a future MMS uses a pre-existing dynlib", current, []string{"1", "2"}, ""},
		{"a future MMS refuses a pre-existing dynlib", current, []string{"2", "3"}, `version 1 of the module management system, which this daemon does not accept (it accepts 2, 3)`},
	} {
		t.Run(c.about, func(t *testing.T) {
			err := run(t, manager.Config{MMSVersions: c.accepts}).verified(library(c.library, testModule))
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			requireRefused(t, err, finding.MMSVersion, c.says, c.library)
		})
	}
	t.Run("with an arbitrary dynlib there is none", func(t *testing.T) {
		requireRefused(t, run(t, manager.Config{}).verified(library(plain, testModule)), finding.Handshake, "no module", "MESOS_MODULE_LIBRARY()")
	})
	t.Run("what is compiled in shakes hands too", func(t *testing.T) {
		cfg := manager.Config{Builtin: inGoWith(func(l *facade.Library) { l.MMSVersion = 2 })}
		requireRefused(t, run(t, cfg).verified(builtins(testModule)), finding.MMSVersion, "later than")
	})
}

func bakedVersion(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{build(t, inC("manifest", "manifest.c")), facade.MesosVersion},
		{build(t, compiledAgainst("0.18.0")), "0.18.0"},
		{build(t, inGo("plugin")), facade.MesosVersion},
	} {
		r := run(t, daemonOf(facade.MesosVersion, "0.1.0"))
		require.NoError(t, r.verified(library(c.path, testModule)))
		assert.Equal(t, c.want, r.Libraries()[0].Description.MesosVersion)
	}
}

func minimumVersion(t *testing.T) {
	asks := func(min string) string {
		return build(t, compiledAgainst("0.21.0", `-DMESOS_MODULE_MIN_MESOS="`+min+`"`))
	}
	t.Run("an older daemon refuses", func(t *testing.T) {
		requireRefused(t, run(t, daemonOf("0.29.0", "0.18.0")).verified(library(asks("0.30.0"), testModule)), finding.MinMesos, "works with Mesos 0.30.0 and later", "0.29.0")
	})
	t.Run("a later daemon does not", func(t *testing.T) {
		require.NoError(t, run(t, daemonOf("0.30.0", "0.18.0")).verified(library(asks("0.30.0"), testModule)))
	})
	t.Run("one below the version built for is without effect, and this is told", func(t *testing.T) {
		path := asks("0.18.0")
		requireRefused(t, run(t, daemonOf("0.20.0", "0.18.0")).verified(library(path, testModule)), finding.LibraryVersion)
		r := run(t, daemonOf("0.21.0", "0.18.0"))
		require.NoError(t, r.verified(library(path, testModule)))
		assert.Contains(t, fmt.Sprint(r.Result().Notices), "the minimum Mesos version 0.18.0 has no effect")
	})
	t.Run("what is compiled in may say it too", func(t *testing.T) {
		cfg := manager.Config{Builtin: inGoWith(func(l *facade.Library) { l.MinMesos = "1.13.0" })}
		requireRefused(t, run(t, cfg).verified(builtins(testModule)), finding.MinMesos, "1.13.0")
	})
}

func versionTable(t *testing.T) {
	const newer, older = "compiled against a newer Mesos release", "older than the role version"
	for _, row := range []struct {
		mesos, role, library string
		rule                 finding.Rule
		reason               string
	}{
		{"0.18.0", "0.18.0", "0.18.0", "", ""},
		{"0.29.0", "0.18.0", "0.18.0", "", ""},
		{"0.29.0", "0.18.0", "0.21.0", "", ""},
		{"0.18.0", "0.18.0", "0.29.0", finding.LibraryVersion, newer},
		{"0.29.0", "0.21.0", "0.18.0", finding.RoleVersion, older},
		{"0.29.0", "0.29.0", "0.18.0", finding.RoleVersion, older},
	} {
		compiledIn := daemonOf(row.mesos, row.role)
		compiledIn.Builtin = inGoWith(func(l *facade.Library) { l.MesosVersion = row.library })
		native := library(build(t, compiledAgainst(row.library)), testModule)
		for _, c := range []struct {
			on  string
			err error
		}{
			{"a real library", run(t, daemonOf(row.mesos, row.role)).verified(native)},
			{"a compiled-in library", run(t, compiledIn).verified(builtins(testModule))},
		} {
			t.Run(fmt.Sprintf("Mesos %s, role %s, library %s: %s", row.mesos, row.role, row.library, c.on), func(t *testing.T) {
				if row.rule == "" {
					require.NoError(t, c.err)
					return
				}
				requireRefused(t, c.err, row.rule, row.reason, row.library)
			})
		}
	}
	t.Run("what may be loaded works", func(t *testing.T) {
		r := run(t, daemonOf("0.29.0", "0.18.0"))
		require.NoError(t, r.verified(library(build(t, compiledAgainst("0.21.0")), testModule)))
		m, _, err := manager.LoadModule[testmodule.TestModule](t.Context(), r.Manager, testModule)
		require.NoError(t, err)
		foo, err := m.Foo(t.Context(), 'A', 1024)
		require.NoError(t, err)
		assert.EqualValues(t, 1089, foo)
	})
}

// versionRule takes every combination of three releases.
func versionRule(t *testing.T) {
	releases := []string{"0.18.0", "0.21.0", "0.29.0"}
	for lib, libraryRelease := range releases {
		path := build(t, compiledAgainst(libraryRelease))
		for role, roleRelease := range releases {
			for mesos, mesosRelease := range releases {
				err := run(t, daemonOf(mesosRelease, roleRelease)).verified(library(path, testModule))
				assert.Equal(t, role <= lib && lib <= mesos, err == nil, "role %s, library %s, Mesos %s: %v", roleRelease, libraryRelease, mesosRelease, err)
			}
		}
	}
}

func exactByDefault(t *testing.T) {
	path := build(t, compiledAgainst("0.21.0", "-DCHECK=NULL"))
	for mesos, rule := range map[string]finding.Rule{"0.21.0": "", "0.21.1": finding.EqualVersion, "0.29.0": finding.EqualVersion, "0.20.9": finding.LibraryVersion} {
		err := run(t, daemonOf(mesos, "0.18.0")).verified(library(path, testModule))
		if rule == "" {
			require.NoError(t, err)
			continue
		}
		requireRefused(t, err, rule, "0.21.0", mesos)
	}
	cfg := daemonOf("0.29.0", "0.18.0")
	cfg.Builtin = declares(func(m *facade.Module[testmodule.TestModule]) { m.Compatible = nil })
	cfg.Builtin[0].MesosVersion = "0.21.0"
	requireRefused(t, run(t, cfg).verified(builtins(testModule)), finding.EqualVersion, "declare a compatibility check")
}

func declaredCompatibility(t *testing.T) {
	macro := inCpp("calculator", "c++17", "calculator.cpp", `-DMESOS_VERSION="0.21.0"`, "-DCOMPATIBLE=true")
	for name, path := range map[string]string{"example": build(t, macro), testModule: build(t, compiledAgainst("0.21.0"))} {
		require.NoError(t, run(t, daemonOf("0.29.0", "0.18.0")).verified(library(path, name)))
	}
	t.Run("as far as the table of roles allows", func(t *testing.T) {
		requireRefused(t, run(t, daemonOf("0.29.0", "0.22.0")).verified(library(build(t, macro), "example")), finding.RoleVersion, "0.22.0")
	})
}

func lastWord(t *testing.T) {
	t.Run("in C", func(t *testing.T) {
		path := build(t, compiledAgainst(facade.MesosVersion, "-DCHECK=refuses"))
		requireRefused(t, run(t, manager.Config{}).verified(library(path, testModule)), finding.OwnCheck, "not on Sundays")
	})
	t.Run("in C++, by returning false", func(t *testing.T) {
		path := build(t, inCpp("calculator", "c++17", "calculator.cpp", "-DCOMPATIBLE=false"))
		requireRefused(t, run(t, manager.Config{}).verified(library(path, "example")), finding.OwnCheck, "module example")
	})
	t.Run("in Go", func(t *testing.T) {
		cfg := manager.Config{Builtin: declares(func(m *facade.Module[testmodule.TestModule]) {
			m.Compatible = func(context.Context, facade.View) error { return errors.New("not on Sundays") }
		})}
		requireRefused(t, run(t, cfg).verified(builtins(testModule)), finding.OwnCheck, "not on Sundays")
	})
	t.Run("and not the first: what rules refuse is not asked", func(t *testing.T) {
		path := build(t, compiledAgainst("100.1.0", "-DCHECK=refuses"))
		requireRefused(t, run(t, manager.Config{}).verified(library(path, testModule)), finding.LibraryVersion)
	})
}

func ownCheckAsks(t *testing.T) {
	base := func(version string) []facade.Library {
		return []facade.Library{testharness.Library(testharness.Calculator{Name: "org_example_base", Version: version}.In(&testharness.Journal{}))}
	}
	native := library(build(t, inCpp("several", "c++17", "several.cpp")), "org_example_asks")
	for _, c := range []struct {
		about   string
		builtin []facade.Library
		says    string
	}{
		{"nobody is there", nil, "org_example_base is not loaded"},
		{"the wrong version is there", base("1.9.0"), "Calculator org_example_base is 1.9.0 of Mesos 1.12.0 in Mesos 1.12.0"},
		{"the right one is there", base("2.0.0"), ""},
	} {
		t.Run("in C++: "+c.about, func(t *testing.T) {
			err := run(t, manager.Config{Builtin: c.builtin}).verified(native)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			requireRefused(t, err, finding.OwnCheck, c.says)
		})
	}
	t.Run("in Go, about libraries on every vehicle", func(t *testing.T) {
		var seen []string
		l := declares(func(m *facade.Module[testmodule.TestModule]) {
			m.Name = "org_example_asking"
			m.Compatible = func(_ context.Context, v facade.View) error {
				for _, lib := range v.Libraries() {
					seen = append(seen, lib.Vehicle+" "+lib.MesosVersion+" "+lib.MMSVersion)
				}
				second, _ := v.Module("org_example_second")
				seen = append(seen, second.Role+" "+second.Version+" "+second.Library.Vehicle)
				return nil
			}
		})
		r := run(t, manager.Config{Builtin: l})
		manifests := builtins("org_example_asking")
		manifests.Libraries = append(manifests.Libraries, library(build(t, inCpp("several", "c++17", "several.cpp")), "org_example_second").Libraries...)
		manifests.Libraries = append(manifests.Libraries, library(build(t, inGo("plugin")), example.Name).Libraries...)
		require.NoError(t, r.verified(manifests))
		assert.ElementsMatch(t, []string{"builtin 1.12.0 1", "native 1.12.0 1", "goplugin 1.12.0 1", "Calculator 2.1.0 native"}, seen)
	})
}
