package faults

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

const name = "org_example_faulty"

// A fault is what is wrong, and what has to come of it: a finding, or an error of a
// later phase.
type fault struct {
	what    string
	library func(*testing.T) string // its path
	rule    finding.Rule            // of the finding; empty for an error of a step
	says    []string
}

// hanging are the limits of faults that hang. The others have time.
var hanging = map[string]manifest.Limits{
	"initialiser that loops": {Open: 150 * time.Millisecond},
	"constructor that hangs": {Create: time.Millisecond},
	"close that hangs":       {Close: time.Millisecond},
}

func TestLibraryFaults(t *testing.T) {
	for _, f := range libraryFaults() {
		t.Run(f.what, func(t *testing.T) { f.run(t, manifestOf) })
	}
}

// libraryFaults are those of a library that is opened, and of its module.
func libraryFaults() []fault {
	return []fault{
		{"not an ELF", file("libfaulty.so", "just some text\n"), finding.LibraryFormat, []string{"text"}},
		{"empty", file("libfaulty.so", ""), finding.LibraryFile, []string{"empty"}},
		{"truncated ELF", truncated, finding.LibraryFormat, []string{"truncated"}},
		{"other architecture", otherMachine, finding.LibraryFormat, []string{"aarch64"}},
		{"plain library without modules", with("NO_LIBRARY", "NO_MODULE"), finding.Handshake, []string{"no module"}},
		{"Go c-shared", cShared, finding.LibraryFormat, []string{"c-shared"}},
		{"module symbol missing", with("NAME=org_example_faulti"), finding.ModulePresent, []string{name, "org_example_faulti"}},
		{"null role", with(`FIELDS=.magic=MESOS_MODULE_MAGIC,.size=sizeof(mesos_module),.mms_version="1",.mesos_version=MESOS_VERSION,.create=create,.destroy=destroy`),
			finding.Metadata, []string{"role"}},
		{"null create", with(`FIELDS=MESOS_MODULE_HEAD("Calculator"),.destroy=destroy`), finding.Metadata, []string{"create"}},
		{"absurd length", with(`FIELDS=MESOS_MODULE_HEAD("Calculator"),.create=create,.destroy=destroy,.requirements=(const mesos_requirement*)&object,.requirement_count=4000000000u`),
			finding.Metadata, []string{"4000000000"}},
		{"text that is not UTF-8", with(`FIELDS=MESOS_MODULE_HEAD("Calculator"),.description="\377\376",.create=create,.destroy=destroy`), finding.Metadata, []string{"UTF-8"}},
		{"unparsable version", with(`FIELDS=MESOS_MODULE_HEAD("Calculator"),.version="1.x",.create=create,.destroy=destroy`), finding.Metadata, []string{"1.x"}},
		{"unknown role", with(`FIELDS=MESOS_MODULE_HEAD("Calculater"),.create=create,.destroy=destroy`), finding.RoleKnown, []string{"Calculater", "Calculator"}},
		{"directory as library", func(t *testing.T) string { return t.TempDir() }, finding.LibraryFile, []string{"directory"}},
		{"no such file", func(t *testing.T) string { return filepath.Join(t.TempDir(), "libnone.so") }, finding.LibraryFile, []string{"libnone.so"}},
		{"unreadable library", mode(0o000), finding.LibraryFile, []string{"read"}},
		{"world-writable library", mode(0o777), finding.LibraryFile, []string{"writ", "allow_world_writable"}},
		{"self-requirement", requiring(name, ""), finding.Cycle, []string{name}},
		{"requirement that is not there", requiring("org_example_base", ">=1"), finding.Requirement, []string{"org_example_base", "--calculator"}},
		{"undefined symbol", with("INIT=extern int nowhere(void);nowhere()"), finding.LibraryBuild, []string{"nowhere"}},
		{"initialiser that exits", with("INIT=exit(3)"), finding.LibraryOpens, []string{"exit"}},
		{"initialiser that exits with 0", with("INIT=exit(0)"), finding.LibraryOpens, []string{"exit"}},
		{"initialiser that aborts", with("INIT=abort()"), finding.LibraryOpens, []string{"SIGABRT"}},
		{"initialiser that dereferences null", with("INIT=*(volatile int*)0=1"), finding.LibraryOpens, []string{"SIGSEGV"}},
		{"initialiser that loops", with("INIT=for(;;)"), finding.LibraryOpens, []string{"150ms"}},
		{"constructor that returns null", with("CREATE=return NULL"), "", []string{"module " + name, "no reason"}},
		{"constructor that returns an error", with(`CREATE=mesos_fail(error,"no licence");return NULL`), "", []string{"module " + name, "no licence"}},
		{"constructor that throws", throws, "", []string{"module " + name, "no licence"}},
		{"constructor that hangs", with("CREATE=hang()"), "", []string{"module " + name, "abandoned"}},
		{"object with another role's table", with(`HEAD={MESOS_ROLE_MAGIC,sizeof(mesos_calculator_table),0,"TestModule"}`), "", []string{"module " + name, "Calculator", "TestModule"}},
		{"object without a table", with("CREATE=static const void* none;return &none"), "", []string{"module " + name, "table"}},
	}
}

func (f fault) run(t *testing.T, of func(library string) manifest.Manifest) {
	release := gate(t)
	if of("").Libraries[0].Isolation == manifest.IsolationProcess {
		release = func() {} // what hangs ends with its process
	}
	library := f.library(t)
	before := holding(t)
	m, events := newManager(t, of(library), hanging[f.what])
	err := m.Start(t.Context())
	require.Error(t, err)
	var found *finding.Error
	if f.rule == "" {
		require.False(t, f.findings(err), "a finding, not the error of a step: %v", err)
	} else {
		require.ErrorAs(t, err, &found)
		require.Len(t, found.Findings, 1, err)
		assert.Equal(t, f.rule, found.Findings[0].Rule, err)
		assert.NotEmpty(t, found.Findings[0].Mend, err)
		assert.NotEmpty(t, found.Findings[0].Library+found.Findings[0].Module, err)
		assert.Empty(t, lifecycle.Of[lifecycle.StepBegan](made(events.Events())), "an instance was made while a finding stands")
	}
	for _, word := range f.says {
		assert.Contains(t, strings.ToLower(err.Error()), strings.ToLower(word))
	}
	_ = m.Close()
	settle(t, events, release)
	assert.Equal(t, lifecycle.Down, m.State())
	if hanging[f.what].Create == 0 { // its code was still running, so its library stays
		requireNothingBehind(t, before, library)
	}
}

func (fault) findings(err error) bool {
	_, is := err.(*finding.Error)
	return is
}

// made are the steps that make instances.
func made(events []lifecycle.Event) (steps []lifecycle.Event) {
	for _, e := range events {
		if b, ok := e.(lifecycle.StepBegan); ok && b.Step == "create" {
			steps = append(steps, e)
		}
	}
	return steps
}

// gate makes the pipe at which hang() of a library waits, and returns what opens it.
func gate(t *testing.T) (release func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gate")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	t.Setenv("GATE", path)
	return func() {
		w, err := os.OpenFile(path, os.O_WRONLY, 0) // waits for the library
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
}

// settle lets abandoned steps come back and waits for them, so that the next test
// starts from nothing.
func settle(t *testing.T, events *lifecycle.Recorder, release func()) {
	t.Helper()
	for _, abandoned := range lifecycle.Of[lifecycle.StepAbandoned](events.Events()) {
		release()
		_, err := events.Wait(t.Context(), func(e lifecycle.Event) bool {
			late, ok := e.(lifecycle.StepReturnedLate)
			return ok && late.Module == abandoned.Module && late.Step == abandoned.Step
		})
		require.NoError(t, err)
		if abandoned.Step == "create" { // what was made too late is closed
			_, err := events.Wait(t.Context(), func(e lifecycle.Event) bool {
				ended, ok := e.(lifecycle.StepEnded)
				return ok && ended.Module == abandoned.Module && ended.Step == "close"
			})
			require.NoError(t, err)
		}
	}
}

func newManager(t *testing.T, mf manifest.Manifest, l manifest.Limits) (*manager.Manager, *lifecycle.Recorder) {
	t.Helper()
	bus := lifecycle.NewBus(lifecycle.BusOptions{})
	events := lifecycle.NewRecorder(bus)
	m, err := manager.New(manager.Config{
		Daemon: roles.Slave, Vehicles: vehicles, Bus: bus, WorkDir: t.TempDir(), Manifests: []manifest.Manifest{mf},
		Bindings: []verify.Binding{{Flag: "calculator", Refs: []verify.Ref{{Name: name}}}},
		Limits:   l,
		Launcher: launcher(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return m, events
}

func manifestOf(library string) manifest.Manifest {
	return manifest.Manifest{Libraries: []manifest.Library{{File: library, Modules: []manifest.Module{{Name: name}}}}}
}

func with(replaced ...string) func(*testing.T) string {
	return func(t *testing.T) string { return faulty(t, replaced...) }
}

func requiring(module, constraint string) func(*testing.T) string {
	return with(fmt.Sprintf("REQUIRED=%q,%q", module, constraint))
}

func throws(t *testing.T) string {
	return built(t, "g++", "-std=c++17", "-fPIC", "-shared", headers, "testdata/throws.cpp")
}

func file(name, content string) func(*testing.T) string {
	return func(t *testing.T) string { return written(t, name, []byte(content)) }
}

func mode(m os.FileMode) func(*testing.T) string {
	return func(t *testing.T) string {
		path := faulty(t)
		require.NoError(t, os.Chmod(path, m))
		return path
	}
}

func truncated(t *testing.T) string {
	whole, err := os.ReadFile(faulty(t))
	require.NoError(t, err)
	return written(t, "libfaulty.so", whole[:len(whole)/2])
}

func otherMachine(t *testing.T) string {
	whole, err := os.ReadFile(faulty(t))
	require.NoError(t, err)
	const machine = 18 // of the ELF header
	whole[machine] = byte(elf.EM_AARCH64)
	return written(t, "libfaulty.so", whole)
}

func cShared(t *testing.T) string {
	source := written(t, "main.go", []byte("package main\n\nimport \"C\"\n\n//export Answer\nfunc Answer() int { return 42 }\n\nfunc main() {}\n"))
	shelf := filepath.Join(t.TempDir(), "libfaulty.so")
	out, err := exec.Command("go", "build", "-buildmode=c-shared", "-o", shelf, source).CombinedOutput()
	require.NoError(t, err, string(out))
	return shelf
}

func TestManifestFaults(t *testing.T) {
	for _, c := range []struct{ what, text, says string }{
		{"unknown key", `{"libraries":[{"file":"/l.so","moduels":[]}]}`, `1:31: libraries[0]: unknown key "moduels"; did you mean "modules"?`},
		{"wrong type", `{"libraries":[{"file":7}]}`, `1:23`},
		{"10 MB manifest", `{"libraries":[` + strings.Repeat(" ", 10<<20) + `]}`, "larger than the limit"},
		{"short form of a path with a comma", "/a,b/l.so:m", "JSON"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, _, err := manifest.Parse(c.text, manifest.Options{})
			require.ErrorContains(t, err, c.says)
		})
	}
	t.Run("paths with spaces, colons and commas load by JSON", func(t *testing.T) {
		library := copied(t, faulty(t), "a b:c,d/lib e.so")
		text, err := json.Marshal(map[string]any{"libraries": map[string]any{"file": library, "modules": map[string]any{"name": name}}})
		require.NoError(t, err)
		mf, _, err := manifest.Parse(string(bytes.TrimSpace(text)), manifest.Options{})
		require.NoError(t, err)
		m, _ := newManager(t, mf, manifest.Limits{})
		require.NoError(t, m.Start(t.Context()))
		require.NoError(t, m.Close())
	})
	t.Run("one name in two libraries", func(t *testing.T) {
		a, b := faulty(t), faulty(t)
		mf := manifestOf(a)
		mf.Libraries = append(mf.Libraries, manifestOf(b).Libraries...)
		before := holding(t)
		m, _ := newManager(t, mf, manifest.Limits{})
		err := m.Start(t.Context())
		require.ErrorContains(t, err, a)
		require.ErrorContains(t, err, b)
		require.NoError(t, m.Close())
		requireNothingBehind(t, before, a)
		requireNothingBehind(t, before, b)
	})
}

func TestCloseFaults(t *testing.T) {
	for _, c := range []struct{ what, destroy, says, library string }{
		{"close that errors", `return mesos_fail(error,"still in use")`, "still in use", "closed"},
		{"close that hangs", "hang()", "abandoned", "left open"},
	} {
		t.Run(c.what, func(t *testing.T) {
			release := gate(t)
			m, events := newManager(t, manifestOf(faulty(t, "DESTROY="+c.destroy)), hanging[c.what])
			require.NoError(t, m.Start(t.Context()))
			err := m.Close()
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, name)
			assert.Contains(t, m.Libraries()[0].Ended.String(), c.library)
			settle(t, events, release)
		})
	}
}
