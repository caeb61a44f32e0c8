package processtest

import (
	"path/filepath"
	"testing"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	anonymous "github.com/mesos-modules/mms/modules/anonymous/example"
	authenticatee "github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	authenticator "github.com/mesos-modules/mms/modules/authenticator/crammd5"
	"github.com/mesos-modules/mms/modules/authorizer/local"
	calculator "github.com/mesos-modules/mms/modules/calculator/example"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	diskprofiles "github.com/mesos-modules/mms/modules/diskprofileadaptor/none"
	"github.com/mesos-modules/mms/modules/hook/labels"
	httpauthenticator "github.com/mesos-modules/mms/modules/httpauthenticator/basic"
	"github.com/mesos-modules/mms/modules/isolator/posixcpu"
	"github.com/mesos-modules/mms/modules/isolator/posixrlimits"
	contender "github.com/mesos-modules/mms/modules/mastercontender/standalone"
	detector "github.com/mesos-modules/mms/modules/masterdetector/standalone"
	qos "github.com/mesos-modules/mms/modules/qoscontroller/noop"
	estimator "github.com/mesos-modules/mms/modules/resourceestimator/noop"
	"github.com/mesos-modules/mms/modules/secretgenerator/jwt"
	"github.com/mesos-modules/mms/modules/secretresolver/value"
	testmodule "github.com/mesos-modules/mms/modules/testmodule/example"
)

// Modules that ship keep the contracts of their roles in a process as they do in the
// daemon.
func TestConformance(t *testing.T) {
	subject := build(t, "go", "./testdata/shipped")
	for name, options := range map[string][]moduletest.Option{
		hierarchical.Name:  nil,
		anonymous.Name:     nil,
		authenticatee.Name: {moduletest.Peer(authenticator.Library, authenticator.Name)},
		authenticator.Name: {moduletest.Peer(authenticatee.Library, authenticatee.Name)},
		local.Name:         nil,
		calculator.Name:    nil,
		sandbox.Name:       nil,
		diskprofiles.Name:  nil,
		labels.Name:        {moduletest.Parameter(labels.Name, "set", "a=1")},
		httpauthenticator.Name: {moduletest.Parameter(httpauthenticator.Name, "authentication_realm", "r"),
			moduletest.Parameter(httpauthenticator.Name, "credentials", `[{"principal": "ann", "secret": "a"}]`)},
		posixcpu.Name:     nil,
		posixrlimits.Name: nil,
		contender.Name:    nil,
		detector.Name:     nil,
		qos.Name:          nil,
		estimator.Name:    nil,
		jwt.Name:          {moduletest.Parameter(jwt.Name, "key", "k3y")},
		value.Name:        nil,
		testmodule.Name:   nil,
	} {
		t.Run(name, func(t *testing.T) { moduletest.Conformance(t, subject, name, options...) })
	}
}

// So do native ones that are isolated.
func TestNativeConformance(t *testing.T) {
	for module, source := range map[string]string{
		"org_example_maximum": "several.cpp", "org_example_beat": "anonymous.cpp",
	} {
		t.Run(module, func(t *testing.T) {
			subject := build(t, "g++", "-std=c++17", "-O1", "-fPIC", "-shared", "-I../../facade/include", "../../examples/cpp/"+source)
			moduletest.Conformance(t, subject, module, moduletest.InProcess(), moduletest.Parameter("org_example_beat", "file", filepath.Join(t.TempDir(), "beat")))
		})
	}
}
