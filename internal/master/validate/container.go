package validate

import (
	"errors"
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// containerInfo says what is wrong with a description of a container; none is right.
func containerInfo(info *mesosv1.ContainerInfo) error {
	if info == nil {
		return nil
	}
	for _, v := range info.GetVolumes() {
		if err := volume(v); err != nil {
			return fmt.Errorf("invalid volume: %w", err)
		}
	}
	if info.GetType() == mesosv1.ContainerInfo_DOCKER && info.Docker == nil {
		return errors.New("DockerInfo 'docker' is not set for DOCKER typed ContainerInfo")
	}
	if err := linuxInfo(info.GetLinuxInfo()); err != nil {
		return fmt.Errorf("invalid LinuxInfo: %w", err)
	}
	for _, limit := range info.GetRlimitInfo().GetRlimits() {
		if err := rlimit(limit); err != nil {
			return fmt.Errorf("invalid RLimitInfo: %w", err)
		}
	}
	return nil
}

func volume(v *mesosv1.Volume) error {
	from := 0
	for _, set := range []bool{v.HostPath != nil, v.Image != nil, v.Source != nil} {
		if set {
			from++
		}
	}
	if from != 1 {
		return errors.New("exactly one of 'host_path', 'image' and 'source' must be set")
	}
	if v.Source == nil {
		return nil
	}
	return volumeSource(v.GetSource())
}

func volumeSource(source *mesosv1.Volume_Source) error {
	var name string
	var set bool
	switch kind := source.GetType(); kind {
	case mesosv1.Volume_Source_DOCKER_VOLUME:
		name, set = "docker_volume", source.DockerVolume != nil
	case mesosv1.Volume_Source_HOST_PATH:
		name, set = "host_path", source.HostPath != nil
	case mesosv1.Volume_Source_SANDBOX_PATH:
		name, set = "sandbox_path", source.SandboxPath != nil
	case mesosv1.Volume_Source_SECRET:
		name, set = "secret", source.Secret != nil
	case mesosv1.Volume_Source_CSI_VOLUME:
		name, set = "csi_volume", source.CsiVolume != nil
	default:
		return fmt.Errorf("'source.type' %s is not supported", kind)
	}
	if !set {
		return fmt.Errorf("'source.%s' is not set for %s volume", name, source.GetType())
	}
	if source.GetType() == mesosv1.Volume_Source_SECRET {
		if err := secret(source.GetSecret()); err != nil {
			return fmt.Errorf("'source.secret' is invalid: %w", err)
		}
	}
	return nil
}

func linuxInfo(info *mesosv1.LinuxInfo) error {
	switch {
	case info.GetCapabilityInfo() != nil && info.GetEffectiveCapabilities() != nil:
		return errors.New("only one of 'capability_info' and 'effective_capabilities' is allowed")
	case info.GetSeccomp().GetUnconfined() && info.GetSeccomp().GetProfileName() != "":
		return errors.New("'profile_name' must not be set when 'unconfined' is true")
	case info.GetShmSize() != 0 && info.GetIpcMode() != mesosv1.LinuxInfo_PRIVATE:
		return errors.New("'shm_size' can be set only when 'ipc_mode' is PRIVATE")
	default:
		return nil
	}
}

func rlimit(limit *mesosv1.RLimitInfo_RLimit) error {
	switch {
	case limit.GetType() == mesosv1.RLimitInfo_RLimit_UNKNOWN:
		return errors.New("the type of a resource limit is unknown")
	case (limit.Hard == nil) != (limit.Soft == nil):
		return errors.New("both soft and hard limit must be set, or neither")
	case limit.GetSoft() > limit.GetHard():
		return errors.New("the soft limit must not be above the hard limit")
	default:
		return nil
	}
}

// sharesCgroups says whether a container is accounted together with its parent, which
// is so unless it says otherwise.
func sharesCgroups(info *mesosv1.ContainerInfo) bool {
	if info.GetLinuxInfo() == nil {
		return true
	}
	return info.GetLinuxInfo().GetShareCgroups()
}
