// Command shipped is a library of modules that ship, one for most roles.
package main

import (
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	anonymous "github.com/mesos-modules/mms/modules/anonymous/example"
	authenticatee "github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	authenticator "github.com/mesos-modules/mms/modules/authenticator/crammd5"
	"github.com/mesos-modules/mms/modules/authorizer/local"
	calculator "github.com/mesos-modules/mms/modules/calculator/example"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
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

func main() {
	all := facade.Library{}
	for _, library := range []facade.Library{
		hierarchical.Library, anonymous.Library, authenticatee.Library, authenticator.Library, local.Library,
		calculator.Library, mesos.Library, sandbox.Library, diskprofiles.Library, labels.Library,
		httpauthenticator.Library, posixcpu.Library, posixrlimits.Library,
		contender.Library, detector.Library, qos.Library, estimator.Library, jwt.Library, value.Library, testmodule.Library,
	} {
		all.Modules = append(all.Modules, library.Modules...)
	}
	serve.Main(all)
}
