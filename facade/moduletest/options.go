package moduletest

import (
	"testing"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles"
)

// Option changes what a module under test finds. Options that name a thing twice:
// the later one counts, but for [Parameter], of which all count.
type Option func(*settings)

// settings are what the options come to.
type settings struct {
	daemon       roles.Daemon // zero: one in which the module's role is used
	mesosVersion string
	with         []facade.Library
	parameters   map[string][]manifest.Parameter
	named        []string // modules with parameters, in the order of the options
	stateDir     string
	limits       manifest.Limits
	allowLeaks   bool
	inProcess    bool
	faults       faults

	// For conformance suites alone.
	container  *slave.ContainerConfig
	credential *mesosv1.Credential
	peer       *peer
	patience   time.Duration // with what does not wait
}

func newSettings(options []Option) settings {
	s := settings{parameters: map[string][]manifest.Parameter{}, faults: faults{requirements: map[string]outage{}}, patience: enough}
	for _, o := range options {
		o(&s)
	}
	return s
}

// Parameter gives a module a parameter, as the manifest would. A key may be given
// several times; order is kept.
func Parameter(module, key, value string) Option {
	return func(s *settings) {
		if s.parameters[module] == nil {
			s.named = append(s.named, module)
		}
		s.parameters[module] = append(s.parameters[module], manifest.Parameter{Key: key, Value: value})
	}
}

// On says in which daemon the module is, roles.Master or roles.Slave. Without it,
// it is a slave if the module's role is used there.
func On(daemon roles.Daemon) Option { return func(s *settings) { s.daemon = daemon } }

// MesosVersion is the release of the daemon; without it, facade.MesosVersion. A
// Library value under test states the release it was compiled with, like a built
// one, so a later daemon wants its modules to declare a compatibility check.
func MesosVersion(version string) Option { return func(s *settings) { s.mesosVersion = version } }

// With adds libraries whose modules are all loaded beside the one under test: what
// it requires, or what it has to get on with. See [StandIn].
func With(libraries ...facade.Library) Option {
	return func(s *settings) { s.with = append(s.with, libraries...) }
}

// StateDir is the folder that holds the state of modules. Two kits with the same
// one are a daemon that was restarted. Without it every kit has a fresh one.
func StateDir(dir string) Option { return func(s *settings) { s.stateDir = dir } }

// Limits are the time limits of the module's steps; what is zero is the daemon's
// default.
func Limits(l manifest.Limits) Option { return func(s *settings) { s.limits = l } }

// AllowLeaks keeps Close from looking for goroutines that are left: for a test that
// leaves some on purpose.
func AllowLeaks() Option { return func(s *settings) { s.allowLeaks = true } }

// fail ends the test with an error that stands against the test, not the module.
func fail(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Fatalf("moduletest: "+format, args...)
}
