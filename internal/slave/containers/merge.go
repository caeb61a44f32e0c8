package containers

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// merger puts together what isolators want done at a launch. Most of it adds up; of
// some things there can be only one.
type merger struct {
	out  *slave.ContainerLaunchInfo
	from map[string]string // what only one may set -> who did
	errs []error
}

func newMerger() *merger {
	return &merger{out: &slave.ContainerLaunchInfo{}, from: map[string]string{}}
}

// singles are the things of which there can be only one.
var singles = []struct {
	what string
	set  func(*slave.ContainerLaunchInfo) bool
}{
	{"the root file system", func(l *slave.ContainerLaunchInfo) bool { return l.Rootfs != nil }},
	{"the user", func(l *slave.ContainerLaunchInfo) bool { return l.User != nil }},
	{"the command", func(l *slave.ContainerLaunchInfo) bool { return l.Command != nil }},
	{"the working directory", func(l *slave.ContainerLaunchInfo) bool { return l.WorkingDirectory != nil }},
	{"the effective capabilities", func(l *slave.ContainerLaunchInfo) bool { return l.EffectiveCapabilities != nil }},
	{"the bounding capabilities", func(l *slave.ContainerLaunchInfo) bool { return l.BoundingCapabilities != nil }},
	{"the resource limits", func(l *slave.ContainerLaunchInfo) bool { return l.Rlimits != nil }},
	{"the seccomp profile", func(l *slave.ContainerLaunchInfo) bool { return l.SeccompProfile != nil }},
	{"the terminal", func(l *slave.ContainerLaunchInfo) bool { return l.TtySlavePath != nil }},
}

// add takes what one isolator wants; nil is nothing.
func (m *merger) add(isolator string, info *slave.ContainerLaunchInfo) {
	if info == nil {
		return
	}
	for _, s := range singles {
		if !s.set(info) {
			continue
		}
		if first := m.from[s.what]; first != "" {
			m.errs = append(m.errs, fmt.Errorf("the isolators %s and %s both set %s; leave one of them out of --isolation", first, isolator, s.what))
			continue
		}
		m.from[s.what] = isolator
	}
	proto.Merge(m.out, info)
}

func (m *merger) err() error { return errors.Join(m.errs...) }

// hostPath is what programs are looked for in when nobody says otherwise.
const hostPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// complete adds to what isolators want what the agent and the command do. A container of
// the class DEBUG gets from its containerizer what its parent has, so nothing is put
// over that here.
func (s *Service) complete(wanted *slave.ContainerLaunchInfo, config *slave.ContainerConfig,
	environment []*mesosv1.Environment_Variable) *slave.ContainerLaunchInfo {
	debug := config.GetContainerClass() == slave.ContainerClass_DEBUG
	sandbox := config.GetDirectory()
	if wanted.Rootfs != nil {
		sandbox = s.SandboxDirectory
	}
	all := append([]*mesosv1.Environment_Variable(nil), environment...)
	if wanted.Rootfs != nil {
		all = seenFrom(all, sandbox)
	}
	if !debug {
		all = append(all, variable("MESOS_SANDBOX", sandbox))
	}
	all = append(all, wanted.GetEnvironment().GetVariables()...)
	for _, v := range config.GetCommandInfo().GetEnvironment().GetVariables() {
		if v.GetType() == mesosv1.Environment_Variable_VALUE { // an isolator resolves secrets
			all = append(all, v)
		}
	}
	if !debug && !has(all, "PATH") {
		all = append(all, variable("PATH", hostPath))
	}
	out := proto.CloneOf(wanted)
	out.Environment = &mesosv1.Environment{Variables: all}
	if out.Command == nil {
		out.Command = config.GetCommandInfo()
	}
	if out.WorkingDirectory == nil && !debug {
		out.WorkingDirectory = proto.String(sandbox)
	}
	if out.User == nil && config.User != nil {
		out.User = proto.String(config.GetUser())
	}
	return out
}

// seenFrom tells an executor that has a root file system where its sandbox is in that.
func seenFrom(environment []*mesosv1.Environment_Variable, sandbox string) []*mesosv1.Environment_Variable {
	for n, v := range environment {
		if v.GetName() == "MESOS_DIRECTORY" {
			environment[n] = variable("MESOS_DIRECTORY", sandbox)
		}
	}
	return environment
}

func variable(name, value string) *mesosv1.Environment_Variable {
	return &mesosv1.Environment_Variable{Name: proto.String(name), Value: proto.String(value)}
}

func has(all []*mesosv1.Environment_Variable, name string) bool {
	for _, v := range all {
		if v.GetName() == name {
			return true
		}
	}
	return false
}
