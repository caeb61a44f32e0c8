package verify_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
)

var (
	required = manifest.OnFailure{Policy: manifest.PolicyRequired}
	optional = manifest.OnFailure{Policy: manifest.PolicyOptional}
)

func fallback(name string) manifest.OnFailure {
	return manifest.OnFailure{Policy: manifest.PolicyFallback, Fallback: name}
}

// isolated puts a library into a process of its own.
func isolated(l verify.Library) verify.Library {
	l.Isolated = true
	return l
}

// calc is a library with one calculator of that name.
func calc(name string, f manifest.OnFailure, needs ...string) verify.Library {
	m := module(name, "Calculator")
	for _, other := range needs {
		m.Requires = append(m.Requires, requires(other, ""))
	}
	l := library("/opt/"+name+".so", m)
	l.Named[0].OnFailure = f
	return l
}

// set is a daemon with these libraries, whose calculator is a.
func set(libraries ...verify.Library) func(*verify.Input) {
	return func(in *verify.Input) {
		in.Libraries, in.Bindings = libraries, []verify.Binding{bind("calculator", "org_x_a")}
	}
}

func TestOnFailure(t *testing.T) {
	for _, r := range []row{
		{name: "is said of a module in a process", change: set(isolated(calc("org_x_a", optional)))},
		{name: "is said of a module that requires one in a process, however far away",
			change: set(calc("org_x_a", optional, "org_x_b"), calc("org_x_b", manifest.OnFailure{}, "org_x_c"), isolated(calc("org_x_c", required)))},
		{name: "is said of a module that requires a role of which one is in a process", change: func(in *verify.Input) {
			a := calc("org_x_a", optional)
			a.Description.Modules[0].Requires = []facade.Requirement{{Role: "TestModule"}}
			set(a, isolated(library("/opt/t.so", module("org_x_t", "TestModule"))), library("/opt/u.so", module("org_x_u", "TestModule")))(in)
		}},
		{name: "is wrong of a module in the daemon", change: set(calc("org_x_a", optional)), rule: finding.OnFailure, module: "org_x_a",
			problem: `"on_failure" is "optional", and the module runs in the daemon's own process`, mend: `"isolation": "process"`,
			path: []string{"--calculator", "org_x_a"}},
		{name: "is wrong of a module in the daemon, also where it is what would happen anyway", change: set(calc("org_x_a", required)),
			rule: finding.OnFailure, module: "org_x_a", problem: "required"},
		{name: "is wrong of a module in the daemon that one in a process requires",
			change: set(isolated(calc("org_x_a", optional, "org_x_b")), calc("org_x_b", optional)), rule: finding.OnFailure, module: "org_x_b"},
	} {
		r.run(t)
	}
}

func TestFallback(t *testing.T) {
	for _, r := range []row{
		{name: "to a module of the role in the daemon", change: set(isolated(calc("org_x_a", fallback("org_x_b"))), calc("org_x_b", manifest.OnFailure{}))},
		{name: "to one in another process, which falls back to a third",
			change: set(isolated(calc("org_x_a", fallback("org_x_b"))), isolated(calc("org_x_b", fallback("org_x_c"))), isolated(calc("org_x_c", optional)))},
		{name: "to a module that the daemon is built with, which nobody names", change: func(in *verify.Input) {
			set(isolated(calc("org_x_a", fallback("org_x_b"))))(in)
			add(in, verify.Library{ShipsWithMesos: true, Description: vehicle.Description{Vehicle: vehicle.Builtin, MMSVersion: "1", MesosVersion: "1.12.0",
				Complete: true, Modules: []vehicle.Module{module("org_x_b", "Calculator"), module("org_x_z", "Calculator")}}})
		}},
		{name: "to a module that is not there", change: set(isolated(calc("org_x_a", fallback("org_x_z"))), calc("org_x_b", manifest.OnFailure{})),
			rule: finding.Fallback, module: "org_x_a", problem: "falls back to org_x_z, and no such module is loaded", mend: "there are: org_x_b",
			path: []string{"--calculator", "org_x_a"}},
		{name: "to a module that is not there, where none could be", change: set(isolated(calc("org_x_a", fallback("org_x_z")))),
			rule: finding.Fallback, module: "org_x_a", problem: "org_x_z", mend: "load a module of role Calculator from another library"},
		{name: "to a module of another role",
			change: set(isolated(calc("org_x_a", fallback("org_x_t"))), library("/opt/t.so", module("org_x_t", "TestModule"))),
			rule:   finding.Fallback, module: "org_x_a", problem: "org_x_t, which has the role TestModule and not Calculator"},
		{name: "to itself", change: set(isolated(calc("org_x_a", fallback("org_x_a")))), rule: finding.Fallback, module: "org_x_a", problem: "falls back to itself"},
		{name: "in a circle, told once, from the first",
			change: set(isolated(calc("org_x_c", fallback("org_x_a"))), isolated(calc("org_x_a", fallback("org_x_b"))), isolated(calc("org_x_b", fallback("org_x_c")))),
			rule:   finding.Fallback, module: "org_x_c", problem: "org_x_c -> org_x_a -> org_x_b -> org_x_c", mend: "required or optional"},
		{name: "into a circle of others, told once, from its first",
			change: set(isolated(calc("org_x_a", fallback("org_x_c"))), isolated(calc("org_x_b", fallback("org_x_c"))), isolated(calc("org_x_c", fallback("org_x_b")))),
			rule:   finding.Fallback, module: "org_x_b", problem: "org_x_b -> org_x_c -> org_x_b"},
		{name: "to one that requires it",
			change: set(isolated(calc("org_x_a", fallback("org_x_b"))), calc("org_x_b", manifest.OnFailure{}, "org_x_c"), calc("org_x_c", manifest.OnFailure{}, "org_x_a")),
			rule:   finding.Fallback, module: "org_x_a", problem: "org_x_b, which requires it: org_x_b -> org_x_c -> org_x_a"},
		{name: "to one in the same process", change: func(in *verify.Input) {
			set(isolated(library("/opt/ab.so", module("org_x_a", "Calculator"), module("org_x_b", "Calculator"))))(in)
			in.Libraries[0].Named[0].OnFailure = fallback("org_x_b")
		}, rule: finding.Fallback, module: "org_x_a", problem: "org_x_b, which is lost with the same process, that of /opt/ab.so: org_x_b"},
		{name: "to one that requires another of the same process", change: func(in *verify.Input) {
			set(isolated(library("/opt/ab.so", module("org_x_a", "Calculator"), module("org_x_base", "Calculator"))), calc("org_x_b", manifest.OnFailure{}, "org_x_base"))(in)
			in.Libraries[0].Named[0].OnFailure = fallback("org_x_b")
		}, rule: finding.Fallback, module: "org_x_a", problem: "that of /opt/ab.so: org_x_b -> org_x_base"},
		{name: "to one that shares a process of which the first is no part",
			change: set(calc("org_x_a", fallback("org_x_b"), "org_x_base"), calc("org_x_b", manifest.OnFailure{}, "org_x_base"), isolated(calc("org_x_base", required)))},
	} {
		r.run(t)
	}
	t.Run("to one whose library has its finding is said once", func(t *testing.T) {
		in := master()
		set(isolated(calc("org_x_a", fallback("org_x_b"))))(&in)
		in.NotLoaded = []string{"org_x_b"}
		result := verify.Check(in)
		assert.Empty(t, result.Findings)
		assert.Nil(t, result.Plan)
	})
	t.Run("is judged in time that does not grow with the square of the modules", func(t *testing.T) {
		const n = 20_000
		in := master()
		in.Libraries, in.Bindings = nil, []verify.Binding{bind("calculator", "org_x_00000")}
		for i := range n {
			in.Libraries = append(in.Libraries, isolated(calc(fmt.Sprintf("org_x_%05d", i), fallback(fmt.Sprintf("org_x_%05d", i+1)))))
		}
		in.Libraries = append(in.Libraries, calc(fmt.Sprintf("org_x_%05d", n), manifest.OnFailure{}))
		plan := requireNone(t, verify.Check(in))
		assert.Len(t, plan.Standby, n)
	})
}

func TestPlanOfProcesses(t *testing.T) {
	in := master()
	set(isolated(calc("org_x_a", fallback("org_x_b"))), calc("org_x_b", manifest.OnFailure{}, "org_x_base"), calc("org_x_base", manifest.OnFailure{}),
		isolated(calc("org_x_spare", fallback("org_x_more"))), calc("org_x_more", manifest.OnFailure{}), isolated(calc("org_x_dep", manifest.OnFailure{})))(&in)
	in.Bindings[0].Refs = append(in.Bindings[0].Refs, verify.Ref{Name: "org_x_dep"})
	result := verify.Check(in)
	plan := requireNone(t, result)
	t.Run("who takes over stands by, with what it requires, and is not made", func(t *testing.T) {
		assert.Equal(t, []string{"org_x_a", "org_x_dep"}, plan.Needed)
		assert.Equal(t, []string{"org_x_base", "org_x_b"}, plan.Standby)
	})
	t.Run("who would take over for what nobody uses is not used", func(t *testing.T) {
		assert.Equal(t, []string{"org_x_more", "org_x_spare"}, plan.Unused)
		var unused []string
		for _, n := range result.Notices {
			if n.ID == verify.Unused {
				unused = append(unused, n.Module)
			}
		}
		assert.Equal(t, []string{"org_x_more", "org_x_spare"}, unused)
	})
	t.Run("says where each runs, and what follows when it is lost", func(t *testing.T) {
		told := map[string][2]string{}
		for _, m := range plan.Modules {
			told[m.Name] = [2]string{m.Isolation, m.OnFailure}
		}
		assert.Equal(t, map[string][2]string{"org_x_a": {"process", "fallback: org_x_b"}, "org_x_b": {}, "org_x_base": {}, "org_x_more": {},
			"org_x_spare": {"process", "fallback: org_x_more"}, "org_x_dep": {"process", "required"}}, told)
	})
	t.Run("a fallback of a module that only the other daemon uses is told as that", func(t *testing.T) {
		in := master()
		a, b := library("/opt/a.so", module("org_x_i", "Isolator")), library("/opt/b.so", module("org_x_j", "Isolator"))
		a.Named[0].OnFailure = fallback("org_x_j")
		add(&in, isolated(a))
		add(&in, b)
		in.Bindings = append(in.Bindings, bind("isolation", "org_x_i"))
		result := verify.Check(in)
		requireNone(t, result)
		require.Len(t, result.Notices, 2)
		for i, name := range []string{"org_x_i", "org_x_j"} {
			assert.Equal(t, verify.NotUsedHere, result.Notices[i].ID)
			assert.Equal(t, name, result.Notices[i].Module)
		}
	})
}
