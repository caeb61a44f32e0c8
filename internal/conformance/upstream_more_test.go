package conformance_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// moreCases are what upstream does without a test, what other tests of upstream do
// with modules, and where upstream is weak and this is better.
func moreCases() []upstreamCase {
	all := nullFields()
	for _, more := range [][]upstreamCase{compatibility(), manifestFaults(), folders(), instances(), hooksAndAnonymous(), stronger()} {
		all = append(all, more...)
	}
	return all
}

// nullFields are one case for each field of a native manifest. Go has no null
// texts: what can be missing there is the name, the role and the constructor.
func nullFields() []upstreamCase {
	var all []upstreamCase
	for _, c := range []struct{ field, says string }{
		{".mms_version", "mms_version is null"}, {".mesos_version", "mesos_version is null"}, {".role", "role is null"},
		{".create", "create is null"}, {".destroy", "destroy is null"},
	} {
		rule := finding.Metadata
		all = append(all, upstreamCase{name: "NullField" + c.field, setUp: "the field is null", expected: "refused; the field is named",
			on: []string{vehicle.Native}, library: subject{native: wrong(c.field + " = NULL")}, phase: lifecycle.Verify, refused: rule, says: []string{c.says}})
	}
	for _, field := range []string{".author", ".email", ".description"} {
		all = append(all, upstreamCase{name: "NullField" + field, setUp: "the field is null", expected: "refused",
			better: "loaded, and shown as empty: these three are for people, and nothing depends on them", on: []string{vehicle.Native},
			library: subject{native: wrong(field + " = NULL")}, phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				m, ok := s.Module(testModule)
				require.True(t, ok)
				assert.Contains(t, []string{m.Declared.Author, m.Declared.Email, m.Declared.Description}, "")
			}})
	}
	return append(all,
		upstreamCase{name: "NullField.name", setUp: "the field is null", expected: "not upstream's: there the symbol is the name, as here", on: []string{vehicle.Native},
			library: subject{native: wrong(".name = NULL")}, phase: lifecycle.Verify, then: func(t *testing.T, s stage) { s.create(t, nil) }},
		upstreamCase{name: "NullField.New", setUp: "the constructor is nil", expected: "refused", better: "in verify, not when it is used", on: []string{vehicle.Builtin},
			library: subject{builtin: declares(func(m *facade.Module[testmodule.TestModule]) { m.New = nil })}, phase: lifecycle.Verify,
			refused: finding.Metadata, says: []string{"no constructor"}},
		upstreamCase{name: "NullModule", setUp: "an entry of Modules is nil", expected: "refused", on: []string{vehicle.Builtin},
			library:   subject{builtin: inGoWith(func(l *facade.Library) { l.Modules = append(l.Modules, nil) })},
			manifests: []string{of(entry(testModule), entry(""))}, phase: lifecycle.Load, refused: finding.Manifest, says: []string{"empty"}},
	)
}

func compatibility() []upstreamCase {
	refuses := func(m *facade.Module[testmodule.TestModule]) {
		m.Compatible = func(context.Context, facade.View) error { return errors.New("not on Sundays") }
	}
	none := func(m *facade.Module[testmodule.TestModule]) { m.Compatible = nil }
	old := func(change func(*facade.Module[testmodule.TestModule])) []facade.Library {
		l := declares(change)
		l[0].MesosVersion = "1.11.0"
		return l
	}
	const older, noCheck = `-DMESOS_VERSION="1.11.0"`, "-DCHECK=NULL"
	return []upstreamCase{
		{name: "CompatibleReturnsFalse", setUp: "the module's own check refuses", expected: "refused", better: "with the module's reason",
			library: subject{native: wrong(`.version = "1.0.0"`, "-DCHECK=refuses"), builtin: declares(refuses)},
			phase:   lifecycle.Verify, refused: finding.OwnCheck, says: []string{"not on Sundays", testModule}},
		{name: "NullCompatibleEqualVersion", setUp: "no check, and equal versions", expected: "loaded",
			library: subject{native: wrong(`.version = "1.0.0"`, noCheck), builtin: declares(none)}, phase: lifecycle.Verify},
		{name: "NullCompatibleOlderVersion", setUp: "no check, and an older version that the role's would allow", expected: "refused",
			library: subject{native: wrong(`.version = "1.0.0"`, noCheck, older), builtin: old(none)}, roles: since("1.10.0"),
			phase: lifecycle.Verify, refused: finding.EqualVersion, says: []string{"1.11.0", "no compatibility check"}},
		{name: "CompatibleOlderVersion", setUp: "a check that admits, and an older version that the role's allows", expected: "loaded",
			better:  "upstream pins every kind to its own release, so that this never comes true there",
			library: subject{native: wrong(`.version = "1.0.0"`, older), builtin: old(func(*facade.Module[testmodule.TestModule]) {})},
			roles:   since("1.10.0"), phase: lifecycle.Verify, then: func(t *testing.T, s stage) { s.create(t, nil) }},
		{name: "UnparsableVersion", setUp: "the Mesos version is no version", expected: "refused; it is named",
			library: subject{native: wrong(`.mesos_version = "one"`), builtin: inGoWith(func(l *facade.Library) { l.MesosVersion = "one" })},
			phase:   lifecycle.Verify, refused: finding.Metadata, says: []string{`one`, "strict semantic version"}},
		{name: "LenientVersion", setUp: "the Mesos version is 1.12", expected: "upstream reads it as 1.12.0", better: "refused: what libraries declare is strict",
			library: subject{native: wrong(`.mesos_version = "1.12"`), builtin: inGoWith(func(l *facade.Library) { l.MesosVersion = "1.12" })},
			phase:   lifecycle.Verify, refused: finding.Metadata, says: []string{"1.12", "strict semantic version"}},
		{name: "PrereleaseVersion", setUp: "the Mesos version is 1.12.0-rc.1", expected: "the tag is dropped before versions are compared",
			library: subject{native: wrong(`.mesos_version = "1.12.0-rc.1"`, noCheck), builtin: func() []facade.Library {
				l := declares(none)
				l[0].MesosVersion = "1.12.0-rc.1"
				return l
			}()}, phase: lifecycle.Verify},
	}
}

func manifestFaults() []upstreamCase {
	return []upstreamCase{
		{name: "NeitherFileNorName", setUp: "a library without file and name", expected: "refused", manifests: []string{`{"libraries": [{"modules": []}]}`},
			phase: lifecycle.Load, refused: finding.Manifest, says: []string{`neither "file" nor "name"`}},
		{name: "ModuleWithoutName", setUp: "a module without a name", expected: "refused", manifests: []string{of(`{"parameters": []}`)},
			phase: lifecycle.Load, refused: finding.Manifest, says: []string{`a module without "name"`}},
		{name: "UnknownKey", setUp: "a mistyped key", expected: "dropped silently", better: "refused, with line, column and the key that was meant",
			manifests: []string{of(`{"name": "org_apache_mesos_TestModule", "paramters": []}`)}, phase: lifecycle.Load,
			refused: finding.Manifest, says: []string{"--modules:1:", `did you mean "parameters"?`}},
		{name: "ParameterLacksKey", setUp: "a parameter without a key", expected: "create fails",
			better: "absent is empty, as it is in every other place of a manifest; the module sees the key \"\"", on: everywhere(),
			manifests: []string{of(`{"name": "org_apache_mesos_TestModule", "parameters": [{"value": "sum"}]}`)}, phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) { assert.Equal(t, []string{"=sum"}, shown(t, s.create(t, nil))) }},
		{name: "ParameterLacksValue", setUp: "the operation without a value", expected: "create fails", on: everywhere(),
			manifests: []string{of(`{"name": "org_apache_mesos_TestModule", "parameters": [{"key": "operation"}]}`)}, phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) { s.createFails(t, "operation") }},
		{name: "ParametersInAnotherOrder", setUp: "loaded; then the same parameters in another order", expected: "refused",
			manifests: append(with("a=1", "b=2"), with("b=2", "a=1")...), phase: lifecycle.Load, refused: finding.UniqueName, says: []string{"different parameters"}},
		{name: "RepeatedParameters", setUp: "a key twice, once without a value", expected: "an ordered multimap",
			manifests: with("a=rotate 9", "a=", "b=10MB"), phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) {
				assert.Equal(t, []string{"a=rotate 9", "a=", "b=10MB"}, shown(t, s.create(t, nil)))
			}},
		{name: "PartialLoad", setUp: "a good module, then an unknown library", expected: "the good module stays loaded", better: "nothing stays", on: filesOnly(),
			manifests: []string{`{"libraries": [{LIBRARY, "modules": [{"name": "org_apache_mesos_TestModule"}]}, {"file": "/nowhere/libx.so", "modules": [{"name": "x"}]}]}`},
			phase:     lifecycle.Load, refused: finding.LibraryFile, says: []string{"/nowhere/libx.so"}, then: func(t *testing.T, s stage) {
				nothingStays(t, s)
				require.Len(t, s.Libraries(), 1)
				assert.Contains(t, s.Libraries()[0].Ended.String(), closedOrStays(s))
				require.NoError(t, s.load(with()[0]), "and it can be loaded again")
				require.NoError(t, s.through(lifecycle.Verify))
				s.create(t, nil)
			}},
		{name: "PartialLoadOfAnOpenLibrary", setUp: "loaded; then another module of the library, and an unknown library", expected: "the other module stays loaded",
			better: "only the first load stands", on: everywhere(), library: withSecond(), manifests: []string{with()[0],
				`{"libraries": [{LIBRARY, "modules": [` + entry("org_apache_mesos_TestHook", "a=1") + `]}, {"file": "/nowhere/libx.so", "modules": [{"name": "x"}]}]}`},
			phase: lifecycle.Load, refused: finding.LibraryFile, says: []string{"/nowhere/libx.so"}, then: func(t *testing.T, s stage) {
				contains[testmodule.TestModule](t, s, testModule, true)
				second, loaded := s.Module("org_apache_mesos_TestHook")
				assert.Equal(t, s.vehicle == vehicle.Builtin, loaded)
				assert.Empty(t, second.At, "the manifest that failed names it")
				assert.Empty(t, second.Parameters)
				require.NoError(t, s.through(lifecycle.Verify))
			}},
		{name: "EmptyManifest", setUp: "{}", expected: "nothing to load", manifests: []string{"{}"}, phase: lifecycle.Verify, on: filesOnly(),
			then: func(t *testing.T, s stage) { assert.Empty(t, s.Modules()) }},
		{name: "BothModulesAndModulesDir", setUp: "both flags", expected: "the daemon ends", phase: lifecycle.Load, manifests: []string{"{}"},
			then: func(t *testing.T, _ stage) {
				_, _, err := manifest.Load("{}", t.TempDir(), manifest.Options{})
				require.ErrorContains(t, err, "--modules and --modules_dir exclude each other")
			}},
	}
}

func folders() []upstreamCase {
	files := func(more ...string) map[string]string {
		all := map[string]string{"modules.json": with()[0]}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	return []upstreamCase{
		{name: "ModulesDirMissing", setUp: "no such folder", expected: "refused", phase: lifecycle.Load, manifests: []string{"{}"}, then: func(t *testing.T, _ stage) {
			_, _, err := manifest.ReadDir(filepath.Join(t.TempDir(), "none"), manifest.Options{})
			require.ErrorContains(t, err, "none: folder of manifests: no such file")
		}},
		{name: "ModulesDirWithFolder", setUp: "a folder in it", expected: "refused; it is named", dir: files("sub/x.json", "{}"),
			phase: lifecycle.Load, refused: finding.Manifest, says: []string{"/sub: a folder among the manifests"}},
		{name: "ModulesDirWithBadJSON", setUp: "a file that is no JSON", expected: "refused; the file is named", better: "with line and column, and all files' problems at once",
			dir: files("a.json", "{", "b.json", `{"librarys": []}`), phase: lifecycle.Load, refused: finding.Manifest,
			says: []string{"/a.json:1:", "/b.json:1:2", `did you mean "libraries"?`}},
		{name: "ModulesDirConflict", setUp: "two files with different parameters for one module", expected: "refused", dir: files("other.json", with("a=1")[0]),
			phase: lifecycle.Load, refused: finding.UniqueName, says: []string{"modules.json:1:", "different parameters"}, then: nothingStays},
		{name: "ModulesDirWithBackups", setUp: "an editor's leftovers beside it, which say something else", expected: "picked up, and refused",
			better: "passed over, with a notice", dir: files("modules.json~", with("a=1")[0], ".modules.json.swp", "x", "#modules.json#", "{"), phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) {
				dir := t.TempDir()
				require.NoError(t, os.WriteFile(filepath.Join(dir, "modules.json~"), []byte("{"), 0o600))
				_, notices, err := manifest.ReadDir(dir, manifest.Options{})
				require.NoError(t, err)
				assert.Contains(t, notices[0].String(), "modules.json~: passed over: an editor's backup")
			}},
		{name: "ModulesDirWithoutExtension", setUp: "a file without .json", expected: "read", dir: map[string]string{"modules": with()[0]}, phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) { contains[testmodule.TestModule](t, s, testModule, true) }},
	}
}

func instances() []upstreamCase {
	calculators := inCpp("several", "c++17", "several.cpp")
	noReason := inCpp("testmodule", "c++17", "testmodule.cpp", "-DNO_REASON")
	several := func() []facade.Library {
		a, b := declares(func(m *facade.Module[testmodule.TestModule]) { m.Name = "org_example_b" }), declares(func(m *facade.Module[testmodule.TestModule]) { m.Name = "org_example_a" })
		return append(a, b...)
	}
	return []upstreamCase{
		{name: "FindNone", setUp: "loaded", expected: "find gives nothing for a role that nobody has", phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
			assert.Empty(t, manager.Find[hook.Hook](s.Manager))
			assert.Empty(t, manager.Find[notTestModule](s.Manager), "and for what is no role")
		}},
		{name: "FindOne", setUp: "loaded", expected: "find gives its name", on: everywhere(), phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
			assert.Equal(t, []string{testModule}, manager.Find[testmodule.TestModule](s.Manager))
		}},
		{name: "FindMany", setUp: "two modules of the role", expected: "find gives all, in hash order", better: "sorted", on: []string{vehicle.Builtin},
			library: subject{builtin: several()}, manifests: []string{"{}"}, phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				assert.Equal(t, []string{"org_example_a", "org_example_b"}, manager.Find[testmodule.TestModule](s.Manager))
			}},
		{name: "FindMany", setUp: "three modules of the role", expected: "find gives all, in hash order", better: "sorted", on: []string{vehicle.Native},
			library: subject{native: &calculators}, manifests: []string{of(entry("org_example_third"), entry("org_example_second"), entry("org_example_first"))},
			phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				assert.Equal(t, []string{"org_example_first", "org_example_second", "org_example_third"}, manager.Find[calculator.Calculator](s.Manager))
			}},
		{name: "ManyInstances", setUp: "loaded with operation=sum", expected: "many instances of one module", on: everywhere(), manifests: with("operation=sum"), phase: lifecycle.Verify,
			better: "each can be given back, and teardown closes the rest", then: func(t *testing.T, s stage) {
				first, second := s.create(t, nil), s.create(t, parameters())
				a, err := first.Baz(t.Context(), 5, 10)
				require.NoError(t, err)
				b, err := second.Baz(t.Context(), 5, 10)
				require.NoError(t, err)
				assert.Equal(t, []int32{15, -1}, []int32{a, b})
				require.NoError(t, s.Close())
				_, err = first.Baz(t.Context(), 5, 10)
				require.Error(t, err, "a call after teardown")
			}},
		{name: "FactoryReturnsNull", setUp: "the factory returns null", expected: "create fails", better: "and says what the factory did",
			library: subject{native: &noReason, builtin: declares(func(m *facade.Module[testmodule.TestModule]) {
				m.New = func(context.Context, facade.Host, facade.Parameters) (testmodule.TestModule, error) { return nil, nil }
			})}, phase: lifecycle.Verify, then: func(t *testing.T, s stage) { s.createFails(t, "returned") }},
		{name: "FactoryIsNull", setUp: "there is no factory", expected: "create fails", better: "refused in verify", library: subject{native: wrong(".create = NULL"),
			builtin: declares(func(m *facade.Module[testmodule.TestModule]) { m.New = nil })}, phase: lifecycle.Verify, refused: finding.Metadata},
	}
}

func hooksAndAnonymous() []upstreamCase {
	hooks := subject{builtin: []facade.Library{{Modules: []facade.Declared{facade.Module[hook.Hook]{Name: "org_apache_mesos_TestHook", New: newHook}}}}}
	native := inCpp("anonymous", "c++17", "anonymous.cpp")
	quiet := subject{native: &native, builtin: []facade.Library{{Modules: []facade.Declared{
		facade.Module[anonymous.Anonymous]{Name: "org_apache_mesos_TestAnonymous", New: newSetter},
		facade.Module[calculator.Calculator]{Name: "org_example_reader", New: newReader}}}}}
	onHooks := []string{vehicle.Builtin, vehicle.GoPlugin} // the role has no native bridge
	testHook := []string{of(entry("org_apache_mesos_TestHook"))}
	return []upstreamCase{
		{name: "HookLoading unknown", setUp: "--hooks names what is not loaded", expected: "refused", on: onHooks, library: hooks, manifests: testHook,
			bindings: []verify.Binding{binds("hooks", "org_example_unknown")}, phase: lifecycle.Verify, refused: finding.Binding, says: []string{"--hooks names org_example_unknown"}},
		{name: "HookLoading twice", setUp: "--hooks names one twice", expected: "refused", on: onHooks, library: hooks, manifests: testHook,
			bindings: []verify.Binding{binds("hooks", "org_apache_mesos_TestHook", "org_apache_mesos_TestHook")}, phase: lifecycle.Verify,
			refused: finding.Binding, says: []string{"more than once"}},
		{name: "HookLoading unload", setUp: "loaded", expected: "unload succeeds once; of an unknown hook it is an error", on: onHooks, library: hooks, manifests: testHook,
			phase: lifecycle.Load, then: func(t *testing.T, s stage) {
				require.Error(t, s.Unload(t.Context(), "org_example_unknown"))
				require.NoError(t, s.Unload(t.Context(), "org_apache_mesos_TestHook"))
				require.Error(t, s.Unload(t.Context(), "org_apache_mesos_TestHook"))
			}},
		{name: "Running", setUp: "an anonymous module is loaded, and no flag names it", expected: "found, created, the variable is 42", library: quiet,
			better:    "created by the daemon's phases, and destroyed by its teardown",
			manifests: []string{of(entry("org_apache_mesos_TestAnonymous"), entry("org_example_reader"))}, phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				assert.Equal(t, []string{"org_apache_mesos_TestAnonymous"}, manager.Find[anonymous.Anonymous](s.Manager))
				require.NoError(t, s.Instantiate(t.Context()))
				require.NoError(t, s.Bind(t.Context()))
				reads, _, err := manager.LoadModule[calculator.Calculator](t.Context(), s.Manager, "org_example_reader")
				require.NoError(t, err)
				n, err := reads.Compute(t.Context(), 0, 0)
				require.NoError(t, err)
				assert.EqualValues(t, 42, n)
				require.NoError(t, s.Close())
				assert.Len(t, stepsOf(s.events, lifecycle.Teardown, "org_apache_mesos_TestAnonymous", "close"), 1)
			}},
	}
}

// stronger is where upstream is weak by its own account.
func stronger() []upstreamCase {
	identity := func(spell func(t *testing.T, path string) string) func(*testing.T, stage) {
		return func(t *testing.T, s stage) {
			again := run(t, manager.Config{})
			require.NoError(t, again.Load(t.Context(), library(s.path, testModule), library(spell(t, s.path), testModule)))
			require.NoError(t, again.through(lifecycle.Verify))
			assert.Len(t, again.Libraries(), 1)
		}
	}
	link := func(make func(old, new string) error) func(*testing.T, string) string {
		return func(t *testing.T, path string) string {
			other := filepath.Join(t.TempDir(), "libother.so")
			require.NoError(t, make(path, other))
			return other
		}
	}
	const better = "a library is its device and inode, not the spelling of its path"
	return []upstreamCase{
		{name: "IdentityOtherSpelling", setUp: "one file, spelt with dots", expected: "two libraries that conflict", better: better, on: filesOnly(), phase: lifecycle.Verify,
			then: identity(func(_ *testing.T, path string) string { return filepath.Dir(path) + "/.//" + filepath.Base(path) })},
		{name: "IdentitySymbolicLink", setUp: "a file and a symbolic link to it", expected: "two libraries that conflict", better: better, on: filesOnly(),
			phase: lifecycle.Verify, then: identity(link(os.Symlink))},
		{name: "IdentityHardLink", setUp: "two names of one file", expected: "two libraries that conflict", better: better, on: filesOnly(),
			phase: lifecycle.Verify, then: identity(link(os.Link))},
		{name: "LoadSeveralTimesBeforeVerify", setUp: "loaded, unloaded, loaded with other parameters", expected: "only of use in upstream's tests",
			better: "load and unload until verification; then the set stands", on: everywhere(), manifests: with("operation=X"), phase: lifecycle.Load,
			then: func(t *testing.T, s stage) {
				if s.vehicle != vehicle.Builtin { // unloading takes a compiled-in module away for good
					require.NoError(t, s.Unload(t.Context(), testModule))
					require.NoError(t, s.load(with("operation=sum")[0]))
					require.NoError(t, s.through(lifecycle.Verify))
					baz(15)(t, s)
				} else {
					require.NoError(t, s.through(lifecycle.Verify))
				}
				var turn *lifecycle.TransitionError
				require.ErrorAs(t, s.load(with()[0]), &turn)
				require.ErrorContains(t, s.Unload(t.Context(), testModule), "possible until verification")
			}},
		{name: "ManifestIsCopied", setUp: "a library that overwrites its own description", expected: "the daemon believes it",
			better: "what was read from the file stands", on: []string{vehicle.Native}, library: subject{native: wrong(`.version = "1.0.0"`, "-DOVERWRITES")},
			phase: lifecycle.Verify, then: func(t *testing.T, s stage) {
				s.create(t, nil)
				m, ok := s.Module(testModule)
				require.True(t, ok)
				assert.Equal(t, "Apache Mesos", m.Declared.Author)
			}},
		{name: "LibraryClosedAtTheEnd", setUp: "loaded and verified", expected: "handles are never closed", better: "closed, or said why not", on: filesOnly(), phase: lifecycle.Verify,
			then: func(t *testing.T, s stage) {
				s.create(t, nil)
				require.NoError(t, s.Close())
				assert.Contains(t, s.Libraries()[0].Ended.String(), closedOrStays(s))
			}},
	}
}

// stepsOf are the steps of a module that ended.
func stepsOf(r *lifecycle.Recorder, phase lifecycle.Phase, module, step string) (all []lifecycle.StepEnded) {
	for _, e := range lifecycle.Of[lifecycle.StepEnded](r.Events()) {
		if e.Phase == phase && e.Module == module && e.Step == step {
			all = append(all, e)
		}
	}
	return all
}
