package verify_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

// caller stands for a role's interface: the rules ask only whether there is one.
var caller = reflect.TypeFor[interface{ Call() }]()

// table is a role table with every kind of row.
func table() []roles.Role {
	return []roles.Role{
		{Name: "Allocator", Version: "1.12.0", On: roles.Master, Type: caller,
			Sites: []roles.Site{{On: roles.Master, Flag: "allocator", Takes: roles.One}}},
		{Name: "Anonymous", Version: "1.12.0", On: roles.Both, Type: caller, Native: true,
			Sites: []roles.Site{{On: roles.Both, Takes: roles.All}}},
		{Name: "Authenticatee", Version: "1.12.0", On: roles.Slave, Type: caller,
			Sites: []roles.Site{{On: roles.Slave, Flag: "authenticatee", Aliases: []string{"auth"}, Takes: roles.Each}}},
		{Name: "Authenticator", Version: "1.12.0", On: roles.Master, Type: caller,
			Sites: []roles.Site{{On: roles.Master, Flag: "authenticators", Aliases: []string{"auth"}, Takes: roles.One}}},
		{Name: "Calculator", Version: "1.12.0", On: roles.Both, Type: caller, Native: true,
			Sites: []roles.Site{{On: roles.Both, Flag: "calculator", Takes: roles.List}}},
		{Name: "Containerizer", Version: "1.12.0", On: roles.Slave,
			Sites: []roles.Site{{On: roles.Slave, Flag: "containerizers", Takes: roles.List}}},
		{Name: "HttpAuthenticatee", Version: "1.12.0", On: 0, Type: caller},
		{Name: "Isolator", Version: "1.12.0", On: roles.Slave, Type: caller,
			Sites: []roles.Site{{On: roles.Slave, Flag: "isolation", Takes: roles.List}}},
		{Name: "TestModule", Version: "1.12.0", On: roles.Both, Type: caller, Native: true,
			Sites: []roles.Site{{On: roles.Both, Flag: "test_module", Takes: roles.One}}},
	}
}

// module is one that no rule holds anything against.
func module(name, role string) vehicle.Module {
	return vehicle.Module{Name: name, Role: role, Version: "1.0.0"}
}

// library is a native one with all its modules named.
func library(path string, modules ...vehicle.Module) verify.Library {
	l := verify.Library{Path: path, Identity: vehicle.Identity{Device: 1, Inode: hash(path)},
		Description: vehicle.Description{Vehicle: vehicle.GoPlugin, MMSVersion: "1", MesosVersion: "1.12.0", Complete: true, Modules: modules}}
	for _, m := range modules {
		l.Named = append(l.Named, verify.Named{Name: m.Name, At: "--modules: " + path})
	}
	return l
}

func hash(text string) uint64 {
	h := uint64(1)
	for _, b := range []byte(text) {
		h = h*131 + uint64(b)
	}
	return h
}

func bind(flag string, refs ...string) verify.Binding {
	b := verify.Binding{Flag: flag}
	for _, name := range refs {
		b.Refs = append(b.Refs, verify.Ref{Name: name})
	}
	return b
}

// master is a daemon with one calculator, in order.
func master() verify.Input {
	return verify.Input{Daemon: roles.Master, MesosVersion: "1.12.0", MMSVersions: []string{"1"}, Roles: table(),
		Libraries: []verify.Library{library("/opt/libcalc.so", module("org_example_calculator", "Calculator"))},
		Bindings:  []verify.Binding{bind("calculator", "org_example_calculator")}}
}

// calculator is the module of master's first library.
func calculator(in *verify.Input) *vehicle.Module { return &in.Libraries[0].Description.Modules[0] }

// native makes master's first library one of C.
func native(in *verify.Input) { in.Libraries[0].Description.Vehicle = vehicle.Native }

// requireOne expects exactly one finding.
func requireOne(t *testing.T, result verify.Result) finding.Finding {
	t.Helper()
	require.Len(t, result.Findings, 1, "%v", result.Findings)
	require.Nil(t, result.Plan, "there is no plan while a finding stands")
	return result.Findings[0]
}

func requireNone(t *testing.T, result verify.Result) *verify.Plan {
	t.Helper()
	require.Empty(t, result.Findings)
	require.NotNil(t, result.Plan)
	return result.Plan
}

// row is a case of a rule: what is done to a daemon in order, and the one finding that it gives.
type row struct {
	name    string
	change  func(in *verify.Input)
	rule    finding.Rule // empty: no finding
	module  string
	problem string
	mend    string
	path    []string
}

func (r row) run(t *testing.T) {
	t.Run(r.name, func(t *testing.T) {
		in := master()
		r.change(&in)
		result := verify.Check(in)
		if r.rule == "" {
			requireNone(t, result)
			return
		}
		f := requireOne(t, result)
		assert.Equal(t, r.rule, f.Rule)
		assert.Equal(t, r.module, f.Module)
		assert.Contains(t, f.Problem, r.problem)
		assert.Contains(t, f.Mend, r.mend)
		assert.NotEmpty(t, f.Mend)
		if r.path != nil {
			assert.Equal(t, r.path, f.Path)
		}
	})
}

func parameters(pairs ...string) facade.Parameters {
	var p facade.Parameters
	for i := 0; i < len(pairs); i += 2 {
		p = append(p, facade.Parameter{Key: pairs[i], Value: pairs[i+1]})
	}
	return p
}

// add appends a library.
func add(in *verify.Input, l verify.Library) { in.Libraries = append(in.Libraries, l) }

// setRole gives a role of the table another version.
func setRole(in *verify.Input, name, version string) {
	for i := range in.Roles {
		if in.Roles[i].Name == name {
			in.Roles[i].Version = version
		}
	}
}
