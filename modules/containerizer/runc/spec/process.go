package spec

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os/user"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// hostPath is the PATH that the agent gives to whom nobody else gives one. What an image
// says counts more.
const hostPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func (r Request) process() (*specs.Process, error) {
	arguments, err := r.arguments()
	if err != nil {
		return nil, err
	}
	out := &specs.Process{
		Args: arguments, Env: r.environment(), Cwd: r.directory(),
		NoNewPrivileges: r.Launch.GetNoNewPrivileges(),
		Capabilities:    capabilitiesOf(r.Launch, defaultCapabilities),
	}
	if err := setUser(out, r.Launch); err != nil {
		return nil, err
	}
	if out.Rlimits, err = rlimitsOf(r.Launch.GetRlimits()); err != nil {
		return nil, err
	}
	setTerminal(out, r.Config)
	return out, nil
}

// Debug describes the process of a container of the class DEBUG, which has of its parent
// what it does not say itself. parent is the description of the latter's process.
func Debug(config *slave.ContainerConfig, launch *slave.ContainerLaunchInfo, parent *specs.Process) (*specs.Process, error) {
	if err := supported(launch); err != nil {
		return nil, err
	}
	arguments, err := CommandOf(launch.GetCommand(), nil)
	if err != nil {
		return nil, err
	}
	out := *parent
	out.Args, out.Terminal, out.ConsoleSize = arguments, false, nil
	out.Env = merged(parent.Env, variables(launch.GetEnvironment()))
	if launch.WorkingDirectory != nil {
		out.Cwd = launch.GetWorkingDirectory()
	}
	if launch.User != nil {
		if err := setUser(&out, launch); err != nil {
			return nil, err
		}
	}
	if launch.Rlimits != nil {
		if out.Rlimits, err = rlimitsOf(launch.GetRlimits()); err != nil {
			return nil, err
		}
	}
	setTerminal(&out, config)
	return &out, nil
}

func setTerminal(p *specs.Process, config *slave.ContainerConfig) {
	tty := config.GetContainerInfo().GetTtyInfo()
	if tty == nil {
		return
	}
	p.Terminal = true
	if size := tty.GetWindowSize(); size != nil {
		p.ConsoleSize = &specs.Box{Height: uint(size.GetRows()), Width: uint(size.GetColumns())}
	}
}

// arguments are the command, that of a task's executor with what the image says of the
// task's.
func (r Request) arguments() ([]string, error) {
	info := r.Launch.GetCommand()
	if info == nil {
		info = r.Config.GetCommandInfo()
	}
	task := r.Config.GetTaskInfo().GetCommand()
	if r.Image == nil || r.Config.TaskInfo == nil || task.GetShell() || task.GetValue() != "" {
		return CommandOf(info, r.Image)
	}
	command, err := CommandOf(task, r.Image)
	if err != nil {
		return nil, err
	}
	said := proto.CloneOf(task)
	said.Value, said.Arguments = &command[0], command
	text, err := protojson.Marshal(said)
	if err != nil {
		return nil, err
	}
	executor, err := CommandOf(info, nil)
	return append(executor, "--task_command="+string(text)), err
}

// CommandOf reads a command: a line for the shell, a program with its arguments, or none,
// which is the image's: its entry point followed by the command's arguments or else its
// own, and without an entry point the same with the first word of the image's command.
// The name by which a program is called is always its path.
func CommandOf(info *mesosv1.CommandInfo, image *v1.ImageConfig) ([]string, error) {
	switch {
	case info.GetShell() && info.GetValue() == "":
		return nil, errors.New("a shell command has no value")
	case info.GetShell():
		return []string{"/bin/sh", "-c", info.GetValue()}, nil
	case info.GetValue() != "":
		return append([]string{info.GetValue()}, info.GetArguments()[min(1, len(info.GetArguments())):]...), nil
	case image == nil:
		return nil, errors.New("a command has no value: the program to run")
	}
	entry, more := image.Entrypoint, image.Cmd
	if len(entry) == 0 {
		entry, more = more[:min(1, len(more))], more[min(1, len(more)):]
	}
	if len(entry) == 0 || entry[0] == "" {
		return nil, errors.New("a command has no value, and its image names no program either")
	}
	if len(info.GetArguments()) > 0 {
		more = info.GetArguments()
	}
	return slices.Concat(entry, more), nil
}

// directory is where the command starts: where isolators or the image want, or else in
// the sandbox.
func (r Request) directory() string {
	wanted := r.Launch.GetWorkingDirectory()
	switch {
	case r.Image == nil:
		return cmp.Or(wanted, r.Config.GetDirectory())
	case wanted != "" && wanted != r.Config.GetDirectory():
		return wanted
	default:
		return cmp.Or(r.Image.WorkingDir, r.Sandbox)
	}
}

// environment is the image's with the agent's over it. The sandbox is called what it is
// called inside.
func (r Request) environment() []string {
	ours := variables(r.Launch.GetEnvironment())
	if r.Image == nil {
		return merged(ours)
	}
	hasPath := slices.ContainsFunc(r.Image.Env, func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	var kept []string
	for _, v := range ours {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case v == hostPath && hasPath:
			continue
		case (name == "MESOS_SANDBOX" || name == "MESOS_DIRECTORY") && value == r.Config.GetDirectory():
			v = name + "=" + r.Sandbox
		}
		kept = append(kept, v)
	}
	return merged(r.Image.Env, kept)
}

func variables(e *mesosv1.Environment) []string {
	var all []string
	for _, v := range e.GetVariables() {
		if v.GetType() == mesosv1.Environment_Variable_VALUE { // else a secret that nobody has resolved
			all = append(all, v.GetName()+"="+v.GetValue())
		}
	}
	return all
}

// merged has each variable once: the last counts.
func merged(environments ...[]string) []string {
	all := []string{}
	at := map[string]int{}
	for _, v := range slices.Concat(environments...) {
		name, _, _ := strings.Cut(v, "=")
		if i, ok := at[name]; ok {
			all[i] = v
			continue
		}
		at[name] = len(all)
		all = append(all, v)
	}
	return all
}

// setUser finds the user with his groups, as the host knows him. Without one it is the
// agent's, root.
func setUser(p *specs.Process, launch *slave.ContainerLaunchInfo) error {
	p.User = specs.User{AdditionalGids: launch.GetSupplementaryGroups()}
	if launch.User == nil {
		return nil
	}
	found, err := user.Lookup(launch.GetUser())
	if err != nil {
		if found, err = user.LookupId(launch.GetUser()); err != nil {
			return fmt.Errorf("there is no user %q: %w", launch.GetUser(), err)
		}
	}
	groups, err := found.GroupIds()
	if err != nil {
		return fmt.Errorf("the groups of user %q: %w", launch.GetUser(), err)
	}
	for i, text := range append([]string{found.Uid, found.Gid}, groups...) {
		n, err := strconv.ParseUint(text, 10, 32)
		switch {
		case err != nil:
			return fmt.Errorf("user %q: %w", launch.GetUser(), err)
		case i == 0:
			p.User.UID = uint32(n)
		case i == 1:
			p.User.GID = uint32(n)
		case uint32(n) != p.User.GID:
			p.User.AdditionalGids = append(p.User.AdditionalGids, uint32(n))
		}
	}
	return nil
}

func rlimitsOf(info *mesosv1.RLimitInfo) ([]specs.POSIXRlimit, error) {
	var all []specs.POSIXRlimit
	for _, r := range info.GetRlimits() {
		name, ok := strings.CutPrefix(r.GetType().String(), "RLMT_")
		if !ok {
			return nil, fmt.Errorf("resource limit %v: Linux has none of that name", r.GetType())
		}
		if (r.Soft == nil) != (r.Hard == nil) {
			return nil, fmt.Errorf("resource limit %v: soft and hard limit are given together, or neither", r.GetType())
		}
		l := specs.POSIXRlimit{Type: "RLIMIT_" + name, Soft: math.MaxUint64, Hard: math.MaxUint64}
		if r.Soft != nil {
			l.Soft, l.Hard = r.GetSoft(), r.GetHard()
		}
		all = append(all, l)
	}
	return all, nil
}

// defaultCapabilities are what root has in a container when no isolator says otherwise;
// the same as with other engines.
var defaultCapabilities = []string{"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"}

// capabilitiesOf are those that isolators want. What is effective is so for users other
// than root too.
func capabilitiesOf(launch *slave.ContainerLaunchInfo, otherwise []string) *specs.LinuxCapabilities {
	effective, bounding := launch.EffectiveCapabilities, launch.BoundingCapabilities
	switch {
	case effective == nil && bounding == nil:
		return &specs.LinuxCapabilities{Bounding: otherwise, Effective: otherwise, Permitted: otherwise}
	case effective == nil:
		all := names(bounding)
		return &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all}
	case bounding == nil:
		bounding = effective
	}
	all := names(effective)
	return &specs.LinuxCapabilities{Bounding: names(bounding), Effective: all, Permitted: all, Inheritable: all, Ambient: all}
}

func names(info *mesosv1.CapabilityInfo) []string {
	all := []string{}
	for _, c := range info.GetCapabilities() {
		all = append(all, "CAP_"+c.String())
	}
	return all
}
