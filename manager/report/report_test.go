package report_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

var update = flag.Bool("update", false, "write the golden files anew")

// writer is any report.
type writer interface {
	WriteText(io.Writer, report.Style) error
	WriteJSON(io.Writer) error
}

func found() report.Verification {
	return report.Verification{Daemon: "mesos-master", MesosVersion: "1.12.0",
		Findings: []finding.Finding{
			{Rule: finding.LibraryOpens, Library: "/opt/mesos/modules/libcrash.so", Problem: "the library's initialiser ended with signal segmentation fault",
				Mend: "look at its initialisers"},
			{Rule: finding.RoleVersion, Module: "org_example_calculator", Library: "/opt/mesos/modules/libcalculator.so",
				Path:    []string{"--calculator", "org_example_sum", "org_example_calculator"},
				Problem: "the library was built for Mesos 0.18.0, older than the role version 0.21.0 supported by this daemon: Calculator changed incompatibly then",
				Mend:    "rebuild it against Mesos 0.21.0 or later, up to 1.12.0"},
			{Rule: finding.Binding, Path: []string{"--hooks"}, Problem: "--hooks has an empty name at place 2",
				Mend: "remove the comma & name a module, like m@>=1.1 <2"},
		},
		Notices: []verify.Notice{{ID: verify.Naming, Module: "example", Library: "/opt/libe.so", Text: "the name breaks the naming rule"}},
	}
}

func planned() report.Verification {
	result := verify.Check(verify.Input{Daemon: roles.Slave, MesosVersion: "1.12.0", MMSVersions: []string{"1"}, Roles: callable(),
		Libraries: []verify.Library{
			{Description: vehicle.Description{Vehicle: vehicle.Builtin, MMSVersion: "1", MesosVersion: "1.12.0", Complete: true,
				Modules: []vehicle.Module{{Name: "zero", Role: "Calculator", Version: "1.12.0"}}}, ShipsWithMesos: true},
			{Path: "/opt/mesos/modules/libcalculator.so", Identity: vehicle.Identity{Device: 1, Inode: 2},
				Description: vehicle.Description{Vehicle: vehicle.Native, MMSVersion: "1", MesosVersion: "1.12.0", Complete: true, Modules: []vehicle.Module{
					{Name: "org_example_calculator", Role: "Calculator", Version: "1.2.0", Requires: []facade.Requirement{{Module: "zero"}, {Module: "org_example_test"}},
						HasSchema: true, Parameters: []facade.ParameterSpec{{Key: "seal", Type: "secret", Secret: true}}},
					{Name: "org_example_test", Role: "TestModule"}, {Name: "org_example_spare", Role: "TestModule", Version: "0.1.0"}}},
				Named: []verify.Named{{Name: "org_example_calculator", Parameters: facade.Parameters{{Key: "seal", Value: "hush"}, {Key: "seal", Value: "hush"}}[:1]},
					{Name: "org_example_test"}, {Name: "org_example_spare"}}},
		},
		Bindings: []verify.Binding{{Flag: "calculator", Refs: []verify.Ref{{Name: "org_example_calculator"}, {Name: "zero"}}},
			{Flag: "test_module", FromDefault: true, Refs: []verify.Ref{{Name: "org_example_test"}}}},
	})
	return report.Verification{Daemon: "mesos-slave", MesosVersion: "1.12.0", Findings: result.Findings, Notices: result.Notices, Plan: result.Plan}
}

// apart is a plan with libraries in processes of their own.
func apart() report.Verification {
	one := func(path, vehicleName, module string, isolated bool, f manifest.OnFailure, requires ...facade.Requirement) verify.Library {
		return verify.Library{Path: path, Identity: vehicle.Identity{Device: 1, Inode: uint64(len(module))}, Isolated: isolated,
			Description: vehicle.Description{Vehicle: vehicleName, MMSVersion: "1", MesosVersion: "1.12.0", Complete: true,
				Modules: []vehicle.Module{{Name: module, Role: "Calculator", Version: "1.2.0", Requires: requires}}},
			Named: []verify.Named{{Name: module, OnFailure: f}}}
	}
	result := verify.Check(verify.Input{Daemon: roles.Slave, MesosVersion: "1.12.0", MMSVersions: []string{"1"}, Roles: callable(),
		Libraries: []verify.Library{
			one("/opt/calculator", vehicle.Process, "org_example_calculator", true, manifest.OnFailure{Policy: manifest.PolicyFallback, Fallback: "org_example_spare"},
				facade.Requirement{Module: "org_example_base"}),
			one("/opt/libbase.so", vehicle.Native, "org_example_base", true, manifest.OnFailure{Policy: manifest.PolicyOptional}),
			one("/opt/libspare.so", vehicle.Native, "org_example_spare", false, manifest.OnFailure{}),
			one("/opt/libsummer.so", vehicle.GoPlugin, "org_example_summer", false, manifest.OnFailure{}, facade.Requirement{Module: "org_example_base"}),
		},
		Bindings: []verify.Binding{{Flag: "calculator", Refs: []verify.Ref{{Name: "org_example_calculator"}, {Name: "org_example_summer"}}}},
	})
	return report.Verification{Daemon: "mesos-slave", MesosVersion: "1.12.0", Findings: result.Findings, Notices: result.Notices, Plan: result.Plan}
}

func startedApart() report.Started {
	s := started()
	s.Modules[1].Isolation, s.Modules[1].OnFailure = "process", "fallback: zero"
	return s
}

// callable are the rows that a C library can fulfil: they do not change with what else gets an interface.
func callable() []roles.Role {
	var all []roles.Role
	for _, r := range roles.Table() {
		if r.Name == "Anonymous" || r.Name == "Calculator" || r.Name == "TestModule" {
			all = append(all, r)
		}
	}
	return all
}

func started() report.Started {
	return report.Started{Daemon: "mesos-slave", MesosVersion: "1.12.0", Took: 34567890 * time.Nanosecond, Modules: []report.StartedModule{
		{Module: "zero", Role: "Calculator", Version: "1.12.0", Vehicle: "builtin", ShipsWithMesos: true, Phase: "bind", Time: 4321 * time.Nanosecond},
		{Module: "org_example_calculator", Role: "Calculator", Version: "1.2.0", Library: "/opt/mesos/modules/libcalculator.so", Vehicle: "native",
			Phase: "bind", Time: 1234567 * time.Nanosecond},
		{Module: "org_example_slow", Role: "TestModule", Library: "/opt/mesos/modules/libslow.so", Vehicle: "goplugin", Phase: "instantiate",
			Time: 2345 * time.Millisecond, Error: "create of org_example_slow: not back after 2s"},
		{Module: "zero_idle", Role: "Isolator", Version: "1.0.0", Vehicle: "builtin", ShipsWithMesos: true, Phase: "load"},
		{Module: "zero_rest", Role: "Isolator", Version: "1.0.0", Vehicle: "builtin", ShipsWithMesos: true, Phase: "load"},
	}}
}

// lived is a daemon whose modules have seen something.
func lived() report.Started {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	lost := "module org_example_lost: the process of its library /opt/liba is gone: signal SIGSEGV"
	return report.Started{Daemon: "mesos-slave", MesosVersion: "1.12.0", Took: time.Second, Modules: []report.StartedModule{
		{Module: "org_example_calm", Role: "Calculator", Library: "/opt/liba", Vehicle: "process", Phase: "bind", State: "running", PID: 4711},
		{Module: "org_example_back", Role: "Calculator", Library: "/opt/libb", Vehicle: "process", Phase: "bind", State: "running", PID: 4712, Restarts: 2, Since: since, Last: lost},
		{Module: "org_example_lost", Role: "Calculator", Library: "/opt/libc", Vehicle: "native", Phase: "bind", State: "restarting", Restarts: 1, Since: since, Last: lost},
		{Module: "org_example_gone", Role: "Calculator", Library: "/opt/libd", Vehicle: "process", Phase: "bind", State: "fallback", Since: since, Last: lost, Fallback: "zero"},
		{Module: "zero", Role: "Calculator", Vehicle: "builtin", ShipsWithMesos: true, Phase: "bind"},
	}}
}

func ended() report.Teardown {
	return report.Teardown{Daemon: "mesos-slave", Took: 1500 * time.Millisecond,
		Modules: []report.ClosedModule{
			{Module: "org_example_calculator", Outcome: report.Closed, Time: 300 * time.Microsecond},
			{Module: "org_example_slow", Outcome: report.Abandoned, Why: "close did not come back within 1s", Time: time.Second},
			{Module: "org_example_sore", Outcome: report.Failed, Why: "close panicked: index out of range", Time: time.Millisecond},
		},
		Libraries: []report.ClosedLibrary{
			{Library: "/opt/mesos/modules/libcalculator.so", Outcome: report.Closed},
			{Library: "/opt/mesos/modules/libslow.so", Outcome: report.Stays, Why: "a call of org_example_slow is still in it"},
			{Library: "", Outcome: report.Stays, Why: "it is the daemon itself"},
		}}
}

func TestGolden(t *testing.T) {
	styles := map[string]report.Style{
		"piped.txt":    {},
		"wrapped.txt":  {Width: 72},
		"terminal.txt": {Boxes: true, Colour: true, Width: 120},
	}
	for name, r := range map[string]writer{"findings": found(), "plan": planned(), "started": started(), "lived": lived(), "apart": apart(), "started-apart": startedApart(), "teardown": ended(),
		"empty-verification": report.Verification{Daemon: "mesos-master", MesosVersion: "1.12.0"},
		"empty-started":      report.Started{Daemon: "mesos-master", MesosVersion: "1.12.0"},
		"empty-teardown":     report.Teardown{Daemon: "mesos-master"}} {
		for kind, style := range styles {
			t.Run(name+"."+kind, func(t *testing.T) {
				var b bytes.Buffer
				require.NoError(t, r.WriteText(&b, style))
				golden(t, name+"."+kind, b.Bytes())
			})
		}
		t.Run(name+".json", func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, r.WriteJSON(&b))
			golden(t, name+".json", b.Bytes())
			assert.NotContains(t, b.String(), "null", "lists without entries are empty lists")
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update once")
	assert.Equal(t, string(want), string(got))
}

var escape = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestText(t *testing.T) {
	all := []writer{found(), planned(), started(), lived(), ended()}
	t.Run("no line is wider than the page, no line ends in a blank, and wrapping loses no letter", func(t *testing.T) {
		letters := func(s string) int {
			return len(strings.Map(func(r rune) rune {
				if strings.ContainsRune(" \n─│┌┐└┘├┤┬┴┼", r) {
					return -1
				}
				return r
			}, escape.ReplaceAllString(s, "")))
		}
		for _, r := range all {
			var piped bytes.Buffer
			require.NoError(t, r.WriteText(&piped, report.Style{}))
			for _, width := range []int{85, 100, 133} {
				for _, boxes := range []bool{false, true} {
					var b bytes.Buffer
					require.NoError(t, r.WriteText(&b, report.Style{Width: width, Boxes: boxes, Colour: boxes}))
					for line := range strings.SplitSeq(b.String(), "\n") {
						assert.LessOrEqual(t, text.StringWidthWithoutEscSequences(line), width, line)
						assert.Equal(t, strings.TrimRight(line, " "), line)
					}
					if records := strings.Contains(b.String(), "\n- "); !records {
						assert.Equal(t, letters(piped.String()), letters(b.String()))
					}
				}
			}
		}
	})
	t.Run("piped text holds no escape and no line drawing", func(t *testing.T) {
		for _, r := range all {
			var b bytes.Buffer
			require.NoError(t, r.WriteText(&b, report.Style{}))
			assert.NotRegexp(t, "[\x1b─│┌]", b.String())
		}
	})
	t.Run("a name from a library moves no cursor and forges no line", func(t *testing.T) {
		v := found()
		v.Findings[0].Module = "evil\x1b[2J\nnothing found\u202e"
		v.Findings[0].Problem, v.Findings[0].Mend, v.Findings[0].Path = v.Findings[0].Module, v.Findings[0].Module, []string{v.Findings[0].Module}
		s := started()
		s.Modules[0].Module, s.Modules[0].Library, s.Modules[2].Error = v.Findings[0].Module, v.Findings[0].Module, v.Findings[0].Module
		e := ended()
		e.Modules[0].Why, e.Libraries[0].Library = v.Findings[0].Module, v.Findings[0].Module
		for _, r := range []writer{v, s, e} {
			var b bytes.Buffer
			require.NoError(t, r.WriteText(&b, report.Style{Width: 120}))
			assert.NotContains(t, b.String(), "\x1b")
			assert.NotContains(t, b.String(), "\u202e")
			assert.NotContains(t, b.String(), "\nnothing found")
			assert.Contains(t, b.String(), `evil\x1b[2J\nnothing found\u202e`)
		}
	})
	t.Run("the narrowest page still holds whole words", func(t *testing.T) {
		var one, forty bytes.Buffer
		require.NoError(t, found().WriteText(&one, report.Style{Width: 1}))
		require.NoError(t, found().WriteText(&forty, report.Style{Width: 40}))
		assert.Equal(t, forty.String(), one.String())
	})
	t.Run("rows that would be torn to shreds become records, with every cell that says something", func(t *testing.T) {
		var b bytes.Buffer
		require.NoError(t, started().WriteText(&b, report.Style{Width: 200, Boxes: true}))
		assert.Contains(t, b.String(), "│ org_example_slow ")
		b.Reset()
		require.NoError(t, started().WriteText(&b, report.Style{Width: 80, Boxes: true}))
		assert.Contains(t, b.String(), "- org_example_slow\n   role TestModule, library /opt/mesos/modules/libslow.so, vehicle goplugin,\n   origin elsewhere, phase instantiate, time 2.35s\n")
		assert.NotContains(t, b.String(), "version -")
	})
	t.Run("a secret value is in no form", func(t *testing.T) {
		var b bytes.Buffer
		require.NoError(t, planned().WriteText(&b, report.Style{}))
		require.NoError(t, planned().WriteJSON(&b))
		assert.NotContains(t, b.String(), "hush")
		assert.Contains(t, b.String(), "seal")
	})
	t.Run("a writer that fails is told of", func(t *testing.T) {
		for _, r := range all {
			assert.ErrorIs(t, r.WriteText(full{}, report.Style{}), errFull)
			assert.ErrorIs(t, r.WriteJSON(full{}), errFull)
		}
	})
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestNoModules(t *testing.T) {
	plan := &verify.Plan{Sites: []verify.Site{{Role: "Calculator", Flag: "calculator", Takes: "list"}}}
	var out bytes.Buffer
	require.NoError(t, report.Verification{Daemon: "mesos-slave", MesosVersion: "1.12.0", Plan: plan}.WriteText(&out, report.Style{}))
	assert.Contains(t, out.String(), "mesos-slave 1.12.0: nothing found\n\nno modules\n\n1 binding site\n")
	assert.NotContains(t, out.String(), "VEHICLE", "a table without rows says nothing")
}
