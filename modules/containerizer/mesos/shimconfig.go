package mesos

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

// shimConfig says in the shim's words what is to run, and how. Sandboxes are the
// container's and those of its parents, the root's first.
func shimConfig(config *slave.ContainerConfig, launch *slave.ContainerLaunchInfo, sandboxes []string) (*shim.Config, error) {
	if err := supported(launch); err != nil {
		return nil, err
	}
	environment := environmentOf(launch.GetEnvironment())
	info := launch.GetCommand()
	if info == nil {
		info = config.GetCommandInfo()
	}
	run := &shim.Config{
		Directory: launch.GetWorkingDirectory(), Root: launch.GetRootfs(),
		NoNewPrivileges: launch.GetNoNewPrivileges(),
		MountNamespace:  has(launch.GetCloneNamespaces(), unix.CLONE_NEWNS),
		EnterMounts:     has(launch.GetEnterNamespaces(), unix.CLONE_NEWNS),
	}
	if run.Root != "" && !filepath.IsAbs(run.Root) {
		return nil, fmt.Errorf("the root file system %q is not absolute", run.Root)
	}
	if run.Directory == "" {
		run.Directory = config.GetDirectory()
	}
	var err error
	if run.Command, err = commandOf(info, environment); err != nil {
		return nil, err
	}
	for _, before := range launch.GetPreExecCommands() {
		command, err := commandOf(before, environmentOf(launch.GetEnvironment(), before.GetEnvironment()))
		if err != nil {
			return nil, fmt.Errorf("a command that comes before: %w", err)
		}
		run.Before = append(run.Before, command)
	}
	if run.User, err = userOf(launch); err != nil {
		return nil, err
	}
	if run.Limits, err = limitsOf(launch.GetRlimits()); err != nil {
		return nil, err
	}
	if run.Capabilities, err = capabilitiesOf(launch); err != nil {
		return nil, err
	}
	if err := furnish(run, launch, placesOf(run.Root, sandboxes)); err != nil {
		return nil, err
	}
	if tty := config.GetContainerInfo().GetTtyInfo(); tty != nil {
		run.Terminal = true
		run.Rows, run.Columns = uint16(tty.GetWindowSize().GetRows()), uint16(tty.GetWindowSize().GetColumns())
	}
	if config.GetContainerClass() == slave.ContainerClass_DEBUG {
		run.Attachable, run.AwaitAttach = !run.Terminal, true
	}
	return run, nil
}

// supported refuses what the shim does not do.
func supported(launch *slave.ContainerLaunchInfo) error {
	var errs []error
	if launch.GetSeccompProfile() != nil {
		errs = append(errs, errors.New("an isolator wants a seccomp profile: the shim has no compiler for filters of system calls; no_new_privileges and capabilities are there"))
	}
	if launch.GetTtySlavePath() != "" {
		errs = append(errs, errors.New("an isolator wants a terminal that it has made itself: the shim makes the terminals here"))
	}
	return errors.Join(errs...)
}

// commandOf reads a command: a line for the shell, or a program with its arguments.
func commandOf(info *mesosv1.CommandInfo, environment []string) (shim.Command, error) {
	c := shim.Command{Path: "/bin/sh", Environment: environment}
	switch {
	case info.GetShell() && info.Value == nil:
		return c, errors.New("a shell command has no value")
	case info.GetShell():
		c.Arguments = []string{"sh", "-c", info.GetValue()}
	default:
		c.Path, c.Arguments = info.GetValue(), info.GetArguments()
		if c.Path == "" {
			return c, errors.New("a command has no value: the program to run")
		}
		if len(c.Arguments) == 0 {
			c.Arguments = []string{c.Path}
		}
	}
	return c, nil
}

// environmentOf returns the variables as a process has them, each once: the last wins.
func environmentOf(environments ...*mesosv1.Environment) []string {
	var all []string
	at := map[string]int{}
	for _, e := range environments {
		for _, v := range e.GetVariables() {
			if v.GetType() != mesosv1.Environment_Variable_VALUE {
				continue // a secret that nobody has resolved
			}
			text := v.GetName() + "=" + v.GetValue()
			if i, ok := at[v.GetName()]; ok {
				all[i] = text
				continue
			}
			at[v.GetName()] = len(all)
			all = append(all, text)
		}
	}
	return all
}

// userOf finds the user with his groups; nil means that the user does not change.
func userOf(launch *slave.ContainerLaunchInfo) (*shim.User, error) {
	if launch.User == nil {
		return nil, nil
	}
	found, err := user.Lookup(launch.GetUser())
	if err != nil {
		if found, err = user.LookupId(launch.GetUser()); err != nil {
			return nil, fmt.Errorf("there is no user %q: %w", launch.GetUser(), err)
		}
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", launch.GetUser(), err)
	}
	if os.Geteuid() != 0 {
		if int(uid) == os.Geteuid() {
			return nil, nil
		}
		return nil, fmt.Errorf("the agent does not run as root, so it cannot run anything as %q; --no-switch_user keeps it from trying", launch.GetUser())
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", launch.GetUser(), err)
	}
	u := &shim.User{UID: uint32(uid), GID: uint32(gid)}
	groups, err := found.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("the groups of user %q: %w", launch.GetUser(), err)
	}
	for _, g := range groups {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil {
			u.Groups = append(u.Groups, uint32(n))
		}
	}
	u.Groups = append(u.Groups, launch.GetSupplementaryGroups()...)
	return u, nil
}

// capabilitiesOf reads the sets; nil if there is none.
func capabilitiesOf(launch *slave.ContainerLaunchInfo) (*shim.Capabilities, error) {
	if launch.EffectiveCapabilities == nil && launch.BoundingCapabilities == nil {
		return nil, nil
	}
	c := &shim.Capabilities{}
	for _, one := range []struct {
		what string
		info *mesosv1.CapabilityInfo
		to   **uint64
	}{{"effective", launch.EffectiveCapabilities, &c.Effective}, {"bounding", launch.BoundingCapabilities, &c.Bounding}} {
		if one.info == nil {
			continue
		}
		var set uint64
		for _, n := range one.info.GetCapabilities() {
			bit := int32(n) - int32(mesosv1.CapabilityInfo_CHOWN)
			if bit < 0 || bit > 63 {
				return nil, fmt.Errorf("an isolator wants %v among the %s capabilities: Linux has none of that name", n, one.what)
			}
			set |= 1 << bit
		}
		*one.to = &set
	}
	return c, nil
}

// resources are the numbers of Linux for the names of the API, without their prefix.
var resources = map[string]int{
	"AS": unix.RLIMIT_AS, "CORE": unix.RLIMIT_CORE, "CPU": unix.RLIMIT_CPU, "DATA": unix.RLIMIT_DATA,
	"FSIZE": unix.RLIMIT_FSIZE, "LOCKS": unix.RLIMIT_LOCKS, "MEMLOCK": unix.RLIMIT_MEMLOCK,
	"MSGQUEUE": unix.RLIMIT_MSGQUEUE, "NICE": unix.RLIMIT_NICE, "NOFILE": unix.RLIMIT_NOFILE,
	"NPROC": unix.RLIMIT_NPROC, "RSS": unix.RLIMIT_RSS, "RTPRIO": unix.RLIMIT_RTPRIO,
	"RTTIME": unix.RLIMIT_RTTIME, "SIGPENDING": unix.RLIMIT_SIGPENDING, "STACK": unix.RLIMIT_STACK,
}

func limitsOf(info *mesosv1.RLimitInfo) ([]shim.Limit, error) {
	var all []shim.Limit
	for _, r := range info.GetRlimits() {
		number, ok := resources[strings.TrimPrefix(r.GetType().String(), "RLMT_")]
		if !ok {
			return nil, fmt.Errorf("resource limit %v: Linux has none of that name", r.GetType())
		}
		if (r.Soft == nil) != (r.Hard == nil) {
			return nil, fmt.Errorf("resource limit %v: soft and hard limit are given together, or neither", r.GetType())
		}
		l := shim.Limit{Resource: number, Soft: unix.RLIM_INFINITY, Hard: unix.RLIM_INFINITY}
		if r.Soft != nil {
			l.Soft, l.Hard = r.GetSoft(), r.GetHard()
		}
		all = append(all, l)
	}
	return all, nil
}
