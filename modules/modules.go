// Package modules lists what the daemons are built with: the modules that are bound
// where the operator names no others.
package modules

import (
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	cgroupsroot "github.com/mesos-modules/mms/modules/anonymous/cgroups"
	anonymous "github.com/mesos-modules/mms/modules/anonymous/example"
	agentside "github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	masterside "github.com/mesos-modules/mms/modules/authenticator/crammd5"
	acls "github.com/mesos-modules/mms/modules/authorizer/local"
	calculator "github.com/mesos-modules/mms/modules/calculator/example"
	containerizer "github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerlogger/logrotate"
	logger "github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	profiles "github.com/mesos-modules/mms/modules/diskprofileadaptor/none"
	"github.com/mesos-modules/mms/modules/hook/environment"
	"github.com/mesos-modules/mms/modules/hook/labels"
	"github.com/mesos-modules/mms/modules/httpauthenticator/basic"
	tokens "github.com/mesos-modules/mms/modules/httpauthenticator/jwt"
	"github.com/mesos-modules/mms/modules/isolator/cgroupscpu"
	"github.com/mesos-modules/mms/modules/isolator/cgroupsmem"
	"github.com/mesos-modules/mms/modules/isolator/cgroupspids"
	"github.com/mesos-modules/mms/modules/isolator/command"
	"github.com/mesos-modules/mms/modules/isolator/diskdu"
	"github.com/mesos-modules/mms/modules/isolator/environmentsecret"
	"github.com/mesos-modules/mms/modules/isolator/filesystemlinux"
	"github.com/mesos-modules/mms/modules/isolator/filesystemposix"
	"github.com/mesos-modules/mms/modules/isolator/linuxcapabilities"
	"github.com/mesos-modules/mms/modules/isolator/namespacespid"
	"github.com/mesos-modules/mms/modules/isolator/networkports"
	"github.com/mesos-modules/mms/modules/isolator/posixcpu"
	"github.com/mesos-modules/mms/modules/isolator/posixmem"
	"github.com/mesos-modules/mms/modules/isolator/posixrlimits"
	contender "github.com/mesos-modules/mms/modules/mastercontender/standalone"
	detector "github.com/mesos-modules/mms/modules/masterdetector/standalone"
	"github.com/mesos-modules/mms/modules/qoscontroller/load"
	qos "github.com/mesos-modules/mms/modules/qoscontroller/noop"
	"github.com/mesos-modules/mms/modules/resourceestimator/fixed"
	estimator "github.com/mesos-modules/mms/modules/resourceestimator/noop"
	"github.com/mesos-modules/mms/modules/secretgenerator/jwt"
	envsecrets "github.com/mesos-modules/mms/modules/secretresolver/environment"
	filesecrets "github.com/mesos-modules/mms/modules/secretresolver/file"
	resolver "github.com/mesos-modules/mms/modules/secretresolver/value"
)

// Master returns the libraries of mesos-master.
func Master() []facade.Library {
	return []facade.Library{
		calculator.Library, hierarchical.Library, masterside.Library, acls.Library, basic.Library, tokens.Library, contender.Library, detector.Library,
		labels.Library, resolver.Library, filesecrets.Library, envsecrets.Library, anonymous.Library,
	}
}

// Slave returns the libraries of mesos-slave.
func Slave() []facade.Library {
	return []facade.Library{
		calculator.Library, agentside.Library, acls.Library, basic.Library, tokens.Library, detector.Library,
		containerizer.Library, logger.Library, logrotate.Library, filesystemposix.Library, filesystemlinux.Library, namespacespid.Library, linuxcapabilities.Library, posixcpu.Library, posixmem.Library, environmentsecret.Library,
		posixrlimits.Library, diskdu.Library, networkports.Library, command.Library,
		cgroupsroot.Library, cgroupscpu.Library, cgroupsmem.Library, cgroupspids.Library,
		profiles.Library, qos.Library, estimator.Library, jwt.Library, resolver.Library,
		labels.Library, environment.Library, filesecrets.Library, envsecrets.Library, fixed.Library, load.Library, anonymous.Library,
	}
}
