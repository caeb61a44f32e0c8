// Package roles holds the table of the pre-declared roles: what a module can be
// for. Only these can be loaded, and only the binding sites listed here take
// modules. A role's contract is its Go interface, in a package of its own below
// this one.
//
// Adding a role is one interface and one row here; the generator ("make
// generate") writes the rest. docs/implementors.md says how, and when a row's
// Version has to be bumped.
package roles

import (
	"reflect"
	"slices"

	"github.com/mesos-modules/mms/roles/allocator"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authenticator"
	"github.com/mesos-modules/mms/roles/authorizer"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
	"github.com/mesos-modules/mms/roles/diskprofileadaptor"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/httpauthenticatee"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
	"github.com/mesos-modules/mms/roles/isolator"
	"github.com/mesos-modules/mms/roles/mastercontender"
	"github.com/mesos-modules/mms/roles/masterdetector"
	"github.com/mesos-modules/mms/roles/qoscontroller"
	"github.com/mesos-modules/mms/roles/resourceestimator"
	"github.com/mesos-modules/mms/roles/secretgenerator"
	"github.com/mesos-modules/mms/roles/secretresolver"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// Daemon is a set of daemons.
type Daemon uint8

const (
	Master Daemon = 1 << iota
	Slave
	Both = Master | Slave
)

// String names the daemon as its binary is called.
func (d Daemon) String() string {
	switch d {
	case Master:
		return "mesos-master"
	case Slave:
		return "mesos-slave"
	case Both:
		return "mesos-master and mesos-slave"
	default:
		return "no daemon"
	}
}

// Cardinality says how many modules a site takes and who makes the instances.
type Cardinality uint8

const (
	// One module, one instance, made before the daemon starts.
	One Cardinality = iota + 1
	// List takes any number of modules, one instance each, in flag order.
	List
	// Each takes one module and makes an instance per use.
	Each
	// EachOf takes any number of modules and makes an instance of any of them per
	// use.
	EachOf
	// All takes every loaded module of the role; no flag names them.
	All
)

// String is the word that reports use.
func (c Cardinality) String() string {
	switch c {
	case One:
		return "one"
	case List:
		return "list"
	case Each:
		return "each"
	case EachOf:
		return "each of"
	case All:
		return "all"
	default:
		return "unknown"
	}
}

// Site is a place in a daemon that wants a role.
type Site struct {
	// On are the daemons that have the site.
	On Daemon

	// Flag selects the modules, as upstream calls it; empty for All.
	Flag string

	// Aliases are other spellings of the flag.
	Aliases []string

	// Takes says how many.
	Takes Cardinality

	// Name tells sites of one role apart where a daemon has several.
	Name string

	// Words are what the flag takes for modules that ship with Mesos, as upstream
	// calls them: posix/cpu is shorter than its module's name.
	Words []Word

	// Always are modules that are bound whatever the flag says, before those that
	// it names. A daemon that is built without one does without it.
	Always []Standing

	// Ordered says that modules which words stand for come before all others, in
	// the order of the words and not of the flag.
	Ordered bool

	// Default is what is bound when the flag is not given, as it would stand on
	// the flag; empty leaves the site unbound. A daemon that is built without the
	// modules leaves it unbound too.
	Default string
}

// Word stands on a flag for one or more modules, in this order.
type Word struct {
	Name    string
	Modules []string
}

// Standing is a module that is bound without being named.
type Standing struct {
	Module string

	// Unless are modules in whose presence it is not.
	Unless []string
}

// Named returns the modules that a name on the site's flag stands for: those of a
// word, or else the name itself. The slice is the caller's.
func (s Site) Named(name string) []string {
	for _, w := range s.Words {
		if w.Name == name {
			return slices.Clone(w.Modules)
		}
	}
	return []string{name}
}

// PerUse reports whether instances are made whenever the daemon uses one.
func (c Cardinality) PerUse() bool { return c == Each || c == EachOf }

// IsWord reports whether a name on the site's flag is one of its words.
func (s Site) IsWord(name string) bool {
	return slices.ContainsFunc(s.Words, func(w Word) bool { return w.Name == name })
}

// Role is one row: the purpose a module fulfils. Upstream says "kind".
type Role struct {
	Name string

	// Version is the oldest Mesos release whose modules for this role still
	// work. The Mesos developer who changes the role incompatibly sets it to
	// the current release.
	Version string

	// Type is the role's interface; nil for a role whose interface comes with
	// its caller: its name is known, and no module of it can be loaded yet.
	Type reflect.Type

	// Native says that C and C++ libraries can fulfil the role: a bridge and
	// headers are generated for it.
	Native bool

	// On are the daemons in which modules of the role may be loaded.
	On Daemon

	Sites []Site

	// Summary is one line for people.
	Summary string
}

// Table returns the roles, sorted by name. The slice is the caller's.
func Table() []Role {
	return []Role{
		{Name: "Allocator", Version: "1.12.0", On: Master, Type: reflect.TypeFor[allocator.Allocator](),
			Sites: []Site{{On: Master, Flag: "allocator", Takes: One, Default: "hierarchical",
				Words: []Word{{"hierarchical", []string{"org_apache_mesos_HierarchicalAllocator"}}, {"HierarchicalDRF", []string{"org_apache_mesos_HierarchicalAllocator"}}, {"lua", []string{"org_apache_mesos_LuaAllocator"}}}}},
			Summary: "decides which framework is offered which resources"},
		{Name: "Anonymous", Version: "1.12.0", On: Both, Type: reflect.TypeFor[anonymous.Anonymous](), Native: true,
			Sites:   []Site{{On: Both, Takes: All}},
			Summary: "runs beside the daemon and is called by nobody"},
		{Name: "Authenticatee", Version: "1.12.0", On: Slave, Type: reflect.TypeFor[authenticatee.Authenticatee](), Native: true,
			Sites: []Site{{On: Slave, Flag: "authenticatee", Aliases: []string{"auth"}, Takes: Each, Default: "crammd5",
				Words: []Word{{"crammd5", []string{"org_apache_mesos_CRAMMD5Authenticatee"}}}}},
			Summary: "proves to the master who the agent is"},
		{Name: "Authenticator", Version: "1.12.0", On: Master, Type: reflect.TypeFor[authenticator.Authenticator](), Native: true,
			Sites: []Site{{On: Master, Flag: "authenticators", Aliases: []string{"auth"}, Takes: One, Default: "crammd5",
				Words: []Word{{"crammd5", []string{"org_apache_mesos_CRAMMD5Authenticator"}}}}},
			Summary: "finds out who an agent or framework is"},
		{Name: "Authorizer", Version: "1.12.0", On: Both, Type: reflect.TypeFor[authorizer.Authorizer](),
			Sites: []Site{
				{On: Master, Flag: "authorizers", Takes: One, Default: "local", Words: []Word{{"local", []string{"org_apache_mesos_LocalAuthorizer"}}}},
				{On: Slave, Flag: "authorizer", Takes: One, Default: "local", Words: []Word{{"local", []string{"org_apache_mesos_LocalAuthorizer"}}}},
			},
			Summary: "says who may do what"},
		{Name: "Calculator", Version: "1.12.0", On: Both, Type: reflect.TypeFor[calculator.Calculator](), Native: true,
			Sites:   []Site{{On: Both, Flag: "calculator", Takes: List}},
			Summary: "computes a number; the example role"},
		{Name: "ContainerLogger", Version: "1.12.0", On: Slave, Type: reflect.TypeFor[containerlogger.ContainerLogger](),
			Sites:   []Site{{On: Slave, Flag: "container_logger", Takes: Each, Default: "org_apache_mesos_SandboxContainerLogger"}},
			Summary: "takes the output of containers"},
		{Name: "Containerizer", Version: "1.12.0", On: Slave, Type: reflect.TypeFor[containerizer.Containerizer](),
			Sites: []Site{{On: Slave, Flag: "containerizers", Takes: List, Default: "mesos",
				Words: []Word{{"mesos", []string{"org_apache_mesos_MesosContainerizer"}}, {"runc", []string{"org_apache_mesos_RuncContainerizer"}}}}},
			Summary: "launches, watches and destroys containers"},
		{Name: "DiskProfileAdaptor", Version: "1.12.0", On: Slave, Type: reflect.TypeFor[diskprofileadaptor.DiskProfileAdaptor](),
			Sites:   []Site{{On: Slave, Flag: "disk_profile_adaptor", Takes: One, Default: "org_apache_mesos_NoDiskProfileAdaptor"}},
			Summary: "translates disk profiles for storage providers"},
		{Name: "Hook", Version: "1.12.0", On: Both, Type: reflect.TypeFor[hook.Hook](), Native: true,
			Sites:   []Site{{On: Both, Flag: "hooks", Takes: List}},
			Summary: "sees and decorates what happens to tasks and agents"},
		{Name: "HttpAuthenticatee", Version: "1.12.0", On: 0, Type: reflect.TypeFor[httpauthenticatee.HttpAuthenticatee](),
			Summary: "adds credentials to requests; used by clients, not by daemons"},
		{Name: "HttpAuthenticator", Version: "1.12.0", On: Both, Type: reflect.TypeFor[httpauthenticator.HttpAuthenticator](),
			Sites: []Site{
				{On: Both, Flag: "http_authenticators", Takes: EachOf, Default: "basic", Words: []Word{{"basic", []string{"org_apache_mesos_BasicHttpAuthenticator"}}, {"jwt", []string{"org_apache_mesos_JWTHttpAuthenticator"}}}},
				{On: Master, Flag: "http_framework_authenticators", Takes: EachOf, Name: "frameworks", Words: []Word{{"basic", []string{"org_apache_mesos_BasicHttpAuthenticator"}}, {"jwt", []string{"org_apache_mesos_JWTHttpAuthenticator"}}}},
			},
			Summary: "finds out who sent an HTTP request"},
		{Name: "Isolator", Version: "1.12.0", On: Slave, Type: reflect.TypeFor[isolator.Isolator](), Native: true,
			Sites: []Site{{On: Slave, Flag: "isolation", Takes: List, Default: "posix/cpu,posix/mem",
				Always: []Standing{
					{Module: "org_apache_mesos_PosixFilesystemIsolator", Unless: []string{"org_apache_mesos_LinuxFilesystemIsolator"}},
					{Module: "org_apache_mesos_EnvironmentSecretIsolator"},
				},
				Ordered: true,
				Words: []Word{
					{"filesystem/posix", []string{"org_apache_mesos_PosixFilesystemIsolator"}},
					{"filesystem/linux", []string{"org_apache_mesos_LinuxFilesystemIsolator"}},
					{"posix/cpu", []string{"org_apache_mesos_PosixCpuIsolator"}},
					{"posix/mem", []string{"org_apache_mesos_PosixMemIsolator"}},
					{"posix/rlimits", []string{"org_apache_mesos_PosixRLimitsIsolator"}},
					{"cgroups/cpu", []string{"org_apache_mesos_CgroupsCpuIsolator"}},
					{"cgroups/mem", []string{"org_apache_mesos_CgroupsMemIsolator"}},
					{"cgroups/pids", []string{"org_apache_mesos_CgroupsPidsIsolator"}},
					{"linux/capabilities", []string{"org_apache_mesos_LinuxCapabilitiesIsolator"}},
					{"namespaces/pid", []string{"org_apache_mesos_NamespacesPidIsolator"}},
					{"disk/du", []string{"org_apache_mesos_DiskDuIsolator"}},
					{"network/ports", []string{"org_apache_mesos_NetworkPortsIsolator"}},
					{"environment_secret", []string{"org_apache_mesos_EnvironmentSecretIsolator"}},
					{"command", []string{"org_apache_mesos_CommandIsolator"}},
					{"process", []string{"org_apache_mesos_PosixCpuIsolator", "org_apache_mesos_PosixMemIsolator"}},
					{"cgroups", []string{"org_apache_mesos_CgroupsCpuIsolator", "org_apache_mesos_CgroupsMemIsolator"}},
					{"cgroups/all", []string{"org_apache_mesos_CgroupsCpuIsolator", "org_apache_mesos_CgroupsMemIsolator", "org_apache_mesos_CgroupsPidsIsolator"}},
					{"posix/disk", []string{"org_apache_mesos_DiskDuIsolator"}},
				}}},
			Summary: "limits and measures containers"},
		{Name: "MasterContender", Version: "1.12.0", On: Master, Type: reflect.TypeFor[mastercontender.MasterContender](),
			Sites:   []Site{{On: Master, Flag: "master_contender", Takes: One, Default: "org_apache_mesos_StandaloneMasterContender"}},
			Summary: "runs for leadership"},
		{Name: "MasterDetector", Version: "1.12.0", On: Both, Type: reflect.TypeFor[masterdetector.MasterDetector](),
			Sites:   []Site{{On: Both, Flag: "master_detector", Takes: One, Default: "org_apache_mesos_StandaloneMasterDetector"}},
			Summary: "tells who leads"},
		{Name: "QoSController", Version: "1.12.0", On: Slave, Type: reflect.TypeFor[qoscontroller.QoSController](),
			Sites:   []Site{{On: Slave, Flag: "qos_controller", Takes: One, Default: "org_apache_mesos_NoopQoSController"}},
			Summary: "ends best-effort work that disturbs the rest"},
		{Name: "ResourceEstimator", Version: "1.12.0", On: Slave, Type: reflect.TypeFor[resourceestimator.ResourceEstimator](),
			Sites:   []Site{{On: Slave, Flag: "resource_estimator", Takes: One, Default: "org_apache_mesos_NoopResourceEstimator"}},
			Summary: "estimates what can be lent out"},
		{Name: "SecretGenerator", Version: "1.12.0", On: Slave, Type: reflect.TypeFor[secretgenerator.SecretGenerator](),
			Sites:   []Site{{On: Slave, Flag: "secret_generator", Takes: One, Default: "org_apache_mesos_JWTSecretGenerator"}},
			Summary: "makes the secrets that executors authenticate with"},
		{Name: "SecretResolver", Version: "1.12.0", On: Both, Type: reflect.TypeFor[secretresolver.SecretResolver](),
			Sites:   []Site{{On: Both, Flag: "secret_resolver", Takes: One, Default: "org_apache_mesos_DefaultSecretResolver"}},
			Summary: "turns references to secrets into values"},
		{Name: "TestModule", Version: "1.12.0", On: Both, Type: reflect.TypeFor[testmodule.TestModule](), Native: true,
			Sites:   []Site{{On: Both, Flag: "test_module", Takes: One}},
			Summary: "exercises the module system in tests"},
	}
}

// ByName returns the row of a role.
func ByName(name string) (Role, bool) {
	for _, r := range Table() {
		if r.Name == name {
			return r, true
		}
	}
	return Role{}, false
}
