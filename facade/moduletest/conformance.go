package moduletest

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/roles"
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

// check is one sentence of a contract and how it is held against a module.
type check struct {
	sentence string
	hold     func(*bench)
}

// suites are the contracts of the roles, each beside what it is held by. A role that is
// not here has the generic part alone.
func suites() map[reflect.Type][]check {
	return map[reflect.Type][]check{
		reflect.TypeFor[allocator.Allocator]():                   allocatorChecks(),
		reflect.TypeFor[anonymous.Anonymous]():                   anonymousChecks(),
		reflect.TypeFor[authenticatee.Authenticatee]():           authenticateeChecks(),
		reflect.TypeFor[authenticator.Authenticator]():           authenticatorChecks(),
		reflect.TypeFor[calculator.Calculator]():                 calculatorChecks(),
		reflect.TypeFor[containerizer.Containerizer]():           containerizerChecks(),
		reflect.TypeFor[containerlogger.ContainerLogger]():       containerLoggerChecks(),
		reflect.TypeFor[hook.Hook]():                             hookChecks(),
		reflect.TypeFor[isolator.Isolator]():                     isolatorChecks(),
		reflect.TypeFor[authorizer.Authorizer]():                 authorizerChecks(),
		reflect.TypeFor[diskprofileadaptor.DiskProfileAdaptor](): diskProfileAdaptorChecks(),
		reflect.TypeFor[httpauthenticatee.HttpAuthenticatee]():   httpAuthenticateeChecks(),
		reflect.TypeFor[httpauthenticator.HttpAuthenticator]():   httpAuthenticatorChecks(),
		reflect.TypeFor[mastercontender.MasterContender]():       masterContenderChecks(),
		reflect.TypeFor[masterdetector.MasterDetector]():         masterDetectorChecks(),
		reflect.TypeFor[qoscontroller.QoSController]():           qosControllerChecks(),
		reflect.TypeFor[resourceestimator.ResourceEstimator]():   resourceEstimatorChecks(),
		reflect.TypeFor[secretgenerator.SecretGenerator]():       secretGeneratorChecks(),
		reflect.TypeFor[secretresolver.SecretResolver]():         secretResolverChecks(),
		reflect.TypeFor[testmodule.TestModule]():                 testModuleChecks(),
	}
}

// Conformance holds a module against its role: what every module promises, and then
// each sentence of the contract that stands on the role's interface and that a caller
// can see. Each is a subtest named after the sentence, with a kit of its own. Run it
// with -race: what is said about goroutines shows only then.
//
//	func TestConformance(t *testing.T) {
//		moduletest.Conformance(t, example.Library, example.Name)
//	}
//
// The options hold for every kit. Parameters that the module cannot do without are
// given by [Parameter], modules that it requires by [With]. Some roles want more:
// [Credential] and [Peer], [ContainerConfig].
//
// What a contract leaves open is not asked. Many modules that do nothing pass: a suite
// finds out whether a daemon can work with a module, not whether the module is any use.
func Conformance[S Subject](t *testing.T, subject S, module string, options ...Option) {
	t.Helper()
	kit := func(t testing.TB, more ...Option) *Kit {
		t.Helper()
		return New(t, subject, append(options[:len(options):len(options)], more...)...)
	}
	first := kit(t)
	role, groups := contract(first, module)
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.checks {
				t.Run(c.sentence, func(t *testing.T) {
					c.hold(&bench{TB: t, module: module, role: role, o: first.o, make: kit})
				})
			}
		})
	}
}

// group is the checks of one kind.
type group struct {
	name   string
	checks []check
}

// contract looks up what a module has to keep.
func contract(k *Kit, module string) (roles.Role, []group) {
	k.t.Helper()
	m := moduleIn(k.described, module)
	role, ok := roles.ByName(m.Role)
	if !ok || role.Type == nil {
		fail(k.t, "the library has no module %s of a role that can be loaded: %v", module, k.explain(fmt.Errorf("found %v", k.Verify(module))))
	}
	groups := []group{{"every module", moduleChecks()}}
	if own := suites()[role.Type]; own != nil {
		groups = append(groups, group{role.Name, own})
	}
	return role, groups
}

// bench is where one check works: a test, and kits for the module.
type bench struct {
	testing.TB
	module string
	role   roles.Role
	o      settings // of the suite
	make   func(testing.TB, ...Option) *Kit
}

func (b *bench) kit(more ...Option) *Kit {
	b.Helper()
	return b.make(b.TB, more...)
}

// loaded returns the module in a kit of its own.
func loaded[T any](b *bench, more ...Option) (*Kit, T) {
	b.Helper()
	k := b.kit(more...)
	return k, Load[T](k, b.module)
}

// enough is far more than anything takes that does not wait.
const enough = 10 * time.Second

// returns ends the check unless do comes back in time.
func (b *bench) returns(what string, do func()) {
	b.Helper()
	if !returnsIn(b.o.patience, do) {
		b.Fatalf("%s does not return within %v", what, b.o.patience)
	}
}

// returnsIn runs do and reports whether it came back. If not, its goroutine is left.
func returnsIn(limit time.Duration, do func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// ended is a context that has been cancelled.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// silent holds that texts are shown nowhere, and stand in none of the errors.
func silent(b *bench, k *Kit, secrets []string, errs ...error) {
	b.Helper()
	for _, secret := range secrets {
		assert.Empty(b, k.Shown(secret), "a secret is shown")
		for _, err := range errs {
			if err != nil {
				assert.NotContains(b, err.Error(), secret, "a secret stands in an error")
			}
		}
	}
}

// panics are the calls into the module that did.
func panics(k *Kit) (methods []string) {
	for _, p := range lifecycle.Of[lifecycle.CallPanicked](k.Events()) {
		methods = append(methods, p.Method)
	}
	return methods
}
