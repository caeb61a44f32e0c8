package slave

import (
	"encoding/json"
	"strconv"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/isolator/filesystemlinux"
	"github.com/mesos-modules/mms/modules/isolator/linuxcapabilities"
	"github.com/mesos-modules/mms/modules/isolator/namespacespid"
)

// namespaceFlags are those of the launcher and of the isolators filesystem/linux,
// namespaces/pid and linux/capabilities.
type namespaceFlags struct {
	launcher, launcherDir, runtimeDir, sandboxDirectory *flags.Value[string]
	disallowSharingPID                                  *flags.Value[bool]
	effectiveCapabilities, boundingCapabilities         *flags.Value[json.RawMessage]
}

func (f *namespaceFlags) declareNamespaces(g *flags.Group) {
	f.launcher = g.Choice("launcher", "How containers are launched: linux makes the namespaces that isolators want, posix makes none. Without it, linux for root and posix for others.",
		[]string{"posix", "linux"})
	f.launcherDir = g.Path("launcher_dir", "Folder of mesos-executor, mesos-default-executor and mesos-containerizer. Without it, the folder of this program.")
	f.runtimeDir = g.Path("runtime_dir", "Folder for what is known of running containers until the host restarts. Without it, /var/run/mesos "+
		"if that can be written, else mesos/runtime in the folder for temporary files.")
	f.sandboxDirectory = g.String("sandbox_directory", "Where a container with a root file system of its own finds its sandbox.", flags.Default("/mnt/mesos/sandbox"))
	f.disallowSharingPID = g.Bool("disallow_sharing_agent_pid_namespace", "Refuse containers that want to see the processes of the agent's host (namespaces/pid).")
	f.effectiveCapabilities = g.JSON("effective_capabilities", "Capabilities of containers that name none, a CapabilityInfo (linux/capabilities).",
		flags.DeprecatedAlias("allowed_capabilities"))
	f.boundingCapabilities = g.JSON("bounding_capabilities", "Most that a container may ever have of capabilities, a CapabilityInfo (linux/capabilities).")
}

// parametersOfNamespaces hands the flags to the modules.
func (f *namespaceFlags) parametersOfNamespaces(runtime, work string) map[string]facade.Parameters {
	launcher := facade.Parameters{{Key: "runtime_dir", Value: runtime}}
	files := facade.Parameters{{Key: "sandbox_directory", Value: f.sandboxDirectory.Get()}}
	if f.launcher.Has() {
		launcher = append(launcher, facade.Parameter{Key: "launcher", Value: f.launcher.Get()})
	}
	if f.launcherDir.Has() {
		launcher = append(launcher, facade.Parameter{Key: "launcher_dir", Value: f.launcherDir.Get()})
		files = append(files, facade.Parameter{Key: "launcher_dir", Value: f.launcherDir.Get()})
	}
	if work != "" {
		files = append(files, facade.Parameter{Key: "work_dir", Value: work})
	}
	var capabilities facade.Parameters
	if f.effectiveCapabilities.Has() {
		capabilities = append(capabilities, facade.Parameter{Key: "effective_capabilities", Value: string(f.effectiveCapabilities.Get())})
	}
	if f.boundingCapabilities.Has() {
		capabilities = append(capabilities, facade.Parameter{Key: "bounding_capabilities", Value: string(f.boundingCapabilities.Get())})
	}
	return map[string]facade.Parameters{
		mesos.Name: launcher, filesystemlinux.Name: files, linuxcapabilities.Name: capabilities,
		namespacespid.Name: {{Key: "disallow_sharing_agent_pid_namespace", Value: strconv.FormatBool(f.disallowSharingPID.Get())}},
	}
}
