package conformance_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/modules/testmodule/example"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/isolator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// upstreamCases are the 26 of upstream's module_tests.cpp under upstream's names,
// then what upstream does without a test.
func upstreamCases() []upstreamCase { return append(module26(), moreCases()...) }

func module26() []upstreamCase {
	plain := inC("plain", "plain.c")
	nolibrary := inGo("nolibrary")
	return []upstreamCase{
		{name: "ExampleModuleLoadTest", setUp: "the default manifest", expected: "loaded, contained, created; foo, bar and baz answer",
			on: everywhere(), phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				contains[testmodule.TestModule](t, s, testModule, true)
				m := s.create(t, nil)
				foo, err := m.Foo(t.Context(), 'A', 1024)
				require.NoError(t, err)
				bar, err := m.Bar(t.Context(), 0.5, 10.8)
				require.NoError(t, err)
				baz, err := m.Baz(t.Context(), 5, 10)
				require.NoError(t, err)
				assert.Equal(t, []int32{1089, 5, -1}, []int32{foo, bar, baz})
			}},
		{name: "ModulesDirTest", setUp: "a folder with a manifest, the same again, and another module", expected: "identical duplicates are accepted; both modules are there",
			on: everywhere(), phase: lifecycle.Verify, library: withSecond(), dir: map[string]string{
				"default_module.json": with()[0], "dup_default_module.json": with()[0], "extra_module.json": of(entry("org_apache_mesos_TestHook"))},
			then: func(t *testing.T, s stage) {
				contains[testmodule.TestModule](t, s, testModule, true)
				// The role Hook has no native bridge, so that the second module is a
				// Calculator there.
				contains[hook.Hook](t, s, "org_apache_mesos_TestHook", s.vehicle != vehicle.Native)
				contains[calculator.Calculator](t, s, "org_apache_mesos_TestHook", s.vehicle == vehicle.Native)
			}},
		{name: "ParameterWithoutValue", setUp: "operation without a value", expected: "loaded; create fails", better: "create says why",
			on: everywhere(), manifests: with("operation="), phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) { s.createFails(t, `operation`, `""`) }},
		{name: "ParameterWithInvalidValue", setUp: "operation is X", expected: "loaded; create fails", better: "create says why",
			on: everywhere(), manifests: with("operation=X"), phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) { s.createFails(t, `operation`, `"X"`) }},
		{name: "ParameterWithoutKey", setUp: "an empty key", expected: "created; baz is -1",
			manifests: with("=sum"), phase: lifecycle.Verify, then: baz(-1)},
		{name: "ParameterWithInvalidKey", setUp: "the key X", expected: "created; baz is -1",
			manifests: with("X=sum"), phase: lifecycle.Verify, then: baz(-1)},
		{name: "ValidParameters", setUp: "operation is sum", expected: "baz adds",
			on: everywhere(), manifests: with("operation=sum"), phase: lifecycle.Verify, then: baz(15)},
		{name: "OverrideJson", setUp: "loaded with operation=sum, created with foo=foovalue", expected: "the override replaces the whole list",
			on: everywhere(), manifests: with("operation=sum"), phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				assert.Equal(t, []string{"foo=foovalue"}, shown(t, s.create(t, parameters("foo=foovalue"))))
				assert.Empty(t, shown(t, s.create(t, parameters())), "an empty list overrides too")
				assert.Equal(t, []string{"operation=sum"}, shown(t, s.create(t, nil)))
			}},
		{name: "JsonParseTest", setUp: "the manifest as JSON, white space before colons, single objects for arrays of one", expected: "baz adds",
			manifests: []string{`{"libraries" : {LIBRARY, "modules" : {"name" : "org_apache_mesos_TestModule",
				"parameters" : {"key" : "operation", "value" : "sum"}}}}`}, phase: lifecycle.Verify, then: baz(15)},
		{name: "ExampleModuleUnloadTest", setUp: "loaded", expected: "unload succeeds once; of what is not loaded it is an error",
			better: "the library is closed with its last module, and can be loaded again",
			on:     everywhere(), phase: lifecycle.Load, then: func(t *testing.T, s stage) {
				require.NoError(t, s.Unload(t.Context(), testModule))
				contains[testmodule.TestModule](t, s, testModule, false)
				require.ErrorContains(t, s.Unload(t.Context(), testModule), "no such module is loaded")
				require.ErrorContains(t, s.Unload(t.Context(), "unknown"), "unknown")
				if s.vehicle != vehicle.Builtin {
					assert.Contains(t, s.Libraries()[0].Ended.String(), closedOrStays(s))
					require.NoError(t, s.load(with()[0]))
					contains[testmodule.TestModule](t, s, testModule, true)
				}
			}},
		{name: "InvalidModuleKind", setUp: "the role is NotTestModule", expected: "refused; the role is named", better: "the nearest role is proposed",
			library: subject{native: wrong(`.role = "NotTestModule"`), builtin: []facade.Library{{Modules: []facade.Declared{
				facade.Module[notTestModule]{Name: testModule, New: newNotTestModule}}}}},
			phase: lifecycle.Verify, refused: finding.RoleKnown, says: []string{"otTestModule", "The roles are: "}},
		{name: "ModuleKindMismatch", setUp: "loaded", expected: "it is a TestModule and no Isolator; the error names both",
			on: everywhere(), phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				contains[testmodule.TestModule](t, s, testModule, true)
				contains[isolator.Isolator](t, s, testModule, false)
				s.create(t, nil)
				_, _, err := manager.LoadModule[isolator.Isolator](t.Context(), s.Manager, testModule)
				require.ErrorContains(t, err, "TestModule")
				require.ErrorContains(t, err, "isolator.Isolator")
			}},
		{name: "AuthorInfoTest", setUp: "loaded", expected: "author, e-mail and description are the constants",
			on: everywhere(), phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				m, ok := s.Module(testModule)
				require.True(t, ok)
				assert.Equal(t, []string{"Apache Mesos", "modules@mesos.apache.org", "This is a test module."},
					[]string{m.Declared.Author, m.Declared.Email, m.Declared.Description})
			}},
		{name: "LibraryNameWithoutExtension", setUp: "a bare name and a file", expected: "loaded: the file wins", on: filesOnly(),
			manifests: []string{`{"libraries": [{"name": "no_such_library", "file": "PATH", "modules": [{"name": "org_apache_mesos_TestModule"}]}]}`},
			phase:     lifecycle.Verify, then: baz(-1)},
		{name: "EmptyLibraryFilename", setUp: "an empty library name", expected: "refused", better: "in the manifest, with line and column",
			manifests: []string{`{"libraries": [{"name": "", "modules": [{"name": "org_apache_mesos_TestModule"}]}]}`},
			phase:     lifecycle.Load, refused: finding.Manifest, says: []string{"--modules:1:25", `"calc" stands for libcalc.so`}},
		{name: "EmptyModuleName", setUp: "an empty module name", expected: "refused", better: "in the manifest, with line and column",
			manifests: []string{of(`{"name": ""}`)}, phase: lifecycle.Load, refused: finding.Manifest,
			says: []string{"libraries[0].modules[0].name: empty"}, then: nothingStays},
		{name: "UnknownLibraryTest", setUp: "the library is unknown", expected: "refused; the path is named",
			manifests: []string{`{"libraries": [{"file": "/nowhere/libunknown.so", "modules": [{"name": "org_apache_mesos_TestModule"}]}]}`},
			phase:     lifecycle.Load, refused: finding.LibraryFile, says: []string{"/nowhere/libunknown.so", "no such file"}, then: nothingStays},
		{name: "UnknownModuleTest", setUp: "the library has no module of this name", expected: "refused", better: "the modules it has are named",
			on: everywhere(), manifests: []string{of(entry("unknown"))}, phase: lifecycle.Verify, builtinPhase: lifecycle.Load,
			refused: finding.ModulePresent, says: []string{"unknown"}},
		{name: "UnknownModuleInstantiationTest", setUp: "loaded", expected: "create of another name fails",
			phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				_, _, err := manager.LoadModule[testmodule.TestModule](t.Context(), s.Manager, "unknown")
				require.EqualError(t, err, "module unknown: no such module is loaded")
			}},
		{name: "NonModuleLibrary", setUp: "a library that has no modules", expected: "refused", better: "before it is opened", on: []string{vehicle.Native},
			library: subject{native: &plain}, phase: lifecycle.Load, refused: finding.Handshake, says: []string{"plain shared library"}, then: nothingStays},
		{name: "NonModuleLibrary", setUp: "a Go plugin without a Library", expected: "refused", better: "before it is opened", on: []string{vehicle.GoPlugin},
			library: subject{plugin: &nolibrary}, phase: lifecycle.Load, refused: finding.Handshake, says: []string{"no exported variable Library"}, then: nothingStays},
		{name: "LoadSameModuleTwice", setUp: "the same manifest twice", expected: "both loaded",
			on: everywhere(), manifests: append(with(), with()...), phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				assert.Equal(t, []string{testModule}, manager.Find[testmodule.TestModule](s.Manager))
			}},
		{name: "DuplicateModulesWithDifferentParameters", setUp: "loaded; then the same module with operation=X", expected: "refused",
			better: "and no value is shown", on: everywhere(), manifests: append(with(), with("operation=X")...),
			phase: lifecycle.Load, refused: finding.UniqueName, says: []string{"named twice with different parameters", testModule},
			builtinPhase: lifecycle.Load, then: func(t *testing.T, s stage) {
				contains[testmodule.TestModule](t, s, testModule, true) // of the first load
			}},
		{name: "DuplicateModuleInDifferentLibraries", setUp: "loaded; then the same name from a copy of the library", expected: "refused; both are named",
			on: []string{vehicle.Native}, manifests: append(with(), of(entry(testModule))), phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) {
				other := copied(t, s.path, filepath.Join(t.TempDir(), "libcopy.so"))
				again := run(t, manager.Config{})
				require.NoError(t, again.Load(t.Context(), library(s.path, testModule)))
				err := again.Load(t.Context(), library(other, testModule))
				requireRefused(t, err, finding.UniqueName, s.path, other)
				assert.Empty(t, again.Libraries()[0].Ended.String(), "the first one goes on")
				assert.Equal(t, "closed", again.Libraries()[1].Ended.String())
			}},
		{name: "DuplicateModuleInDifferentLibraries", setUp: "two libraries in the binary have the name", expected: "refused", on: []string{vehicle.Builtin},
			library: subject{builtin: []facade.Library{example.Library, example.Library}}, phase: lifecycle.Verify,
			refused: finding.Metadata, says: []string{"another library in the binary declares the name"}},
		{name: "DuplicateModuleInDifferentLibraries", setUp: "loaded; then a copy of the Go plugin", expected: "refused",
			better: "Go cannot open two copies of one plugin in a process, and the finding says so", on: []string{vehicle.GoPlugin}, phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) {
				other := copied(t, s.path, filepath.Join(t.TempDir(), "libcopy.so"))
				again := run(t, manager.Config{})
				require.NoError(t, again.Load(t.Context(), library(s.path, testModule)))
				err := again.Load(t.Context(), library(other, testModule))
				requireRefused(t, err, finding.LibraryOpens, other, "another build or copy of this Go plugin is loaded")
			}},
		{name: "DifferentApiVersion 0", setUp: "the MMS version is 0", expected: "refused; both versions are named", on: []string{vehicle.Native},
			library: subject{native: wrong(`.mms_version = "0"`)}, phase: lifecycle.Verify, refused: finding.MMSVersion, says: []string{"version 0", "accepts 1"}},
		{name: "DifferentApiVersion 1000", setUp: "the MMS version is 1000", expected: "refused; both versions are named",
			library: subject{native: wrong(`.mms_version = "1000"`), builtin: inGoWith(func(l *facade.Library) { l.MMSVersion = 1000 })},
			phase:   lifecycle.Verify, refused: finding.MMSVersion, says: []string{"version 1000", "(1)"}},
		{name: "DifferentApiVersion ThisIsNotAnAPIVersion!", setUp: "the MMS version is no number", expected: "refused; it is named", on: []string{vehicle.Native},
			library: subject{native: wrong(`.mms_version = "ThisIsNotAnAPIVersion!"`)}, phase: lifecycle.Verify,
			refused: finding.MMSVersion, says: []string{"ThisIsNotAnAPIVersion!", "accepts 1"}},
		{name: "NewerModuleLibrary", setUp: "built for Mesos 100.1.0", expected: "refused; both versions are named",
			library: subject{native: wrong(`.mesos_version = "100.1.0"`), builtin: inGoWith(func(l *facade.Library) { l.MesosVersion = "100.1.0" })},
			phase:   lifecycle.Verify, refused: finding.LibraryVersion, says: []string{"100.1.0", facade.MesosVersion}},
		{name: "OlderModuleLibrary", setUp: "built for Mesos 0.1.0", expected: "refused; it and the role's version are named",
			library: subject{native: wrong(`.mesos_version = "0.1.0"`), builtin: inGoWith(func(l *facade.Library) { l.MesosVersion = "0.1.0" })},
			phase:   lifecycle.Verify, refused: finding.RoleVersion, says: []string{"0.1.0", "role version 1.12.0"}},
	}
}

// withSecond has a second module, of the name that upstream's test hook has.
func withSecond() subject {
	native := inCpp("second", "c++17", "testmodule.cpp", "-include", "calculator.hpp", "-DSECOND=org_apache_mesos_TestHook")
	return subject{native: &native, builtin: []facade.Library{example.Library, {Modules: []facade.Declared{
		facade.Module[hook.Hook]{Name: "org_apache_mesos_TestHook", New: newHook}}}}}
}
