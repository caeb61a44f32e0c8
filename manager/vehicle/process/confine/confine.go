// Package confine limits what the process of a library may do and use: memory,
// processors, open files, user, privileges, system calls, files.
//
// Limits are put on by the daemon's own binary, which is run in the process first: it
// puts them on itself and then becomes the library's executable. So they hold for all
// threads and from its first instruction. What this machine cannot give is refused
// before anything runs, and never left out.
//
// The process cannot do it to itself later: user, privileges and landlock are a thread's,
// Go's runtime has several by the time anything of ours runs, and changes those of all
// only in programs without C code.
package confine

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine/group"
)

// Problem is why a limit cannot be given.
type Problem struct {
	Setting string // as the manifest calls it: "memory", "user"
	Problem string
	Mend    string
	Cause   error // may be nil
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %s; %s", p.Setting, p.Problem, p.Mend)
}

func (p *Problem) Unwrap() error { return p.Cause }

// TokenVariable is the variable by which what a process leaves behind is found.
const TokenVariable = "MMS_PROCESS"

// The least that a process can do with.
const (
	leastMemory = 32 << 20 // in a control group
	leastData   = 256 << 20
	leastCPUs   = 0.01
	leastFiles  = 32
)

// checks looks at the settings in the order of the fields.
type checks struct {
	c        vehicle.Confinement
	problems []error
}

// Check reports every limit that makes no sense or that this machine cannot give, in
// the order of the fields; each is a *Problem. It changes nothing.
func Check(c vehicle.Confinement) []error {
	k := &checks{c: c}
	k.memory()
	k.cpus()
	k.openFiles()
	k.user()
	k.systemCalls()
	k.paths()
	k.environment()
	return k.problems
}

func (k *checks) refuse(setting string, cause error, mend, format string, args ...any) {
	k.problems = append(k.problems, &Problem{Setting: setting, Problem: fmt.Sprintf(format, args...), Mend: mend, Cause: cause})
}

func (k *checks) memory() {
	switch m := k.c.Memory; {
	case m == 0:
	case m < leastMemory:
		k.refuse("memory", nil, "give it more, or leave the limit out", "%d bytes are not enough for a process; the least is %d", m, leastMemory)
	case m < leastData && group.Available(group.Limits{Memory: m}) != nil:
		k.refuse("memory", group.Available(group.Limits{Memory: m}), fmt.Sprintf("give it at least %d bytes, or let the daemon make control groups", leastData),
			"without control groups what counts is the memory that a process asks for and not what it uses, and %d bytes are not enough for that", m)
	}
}

func (k *checks) cpus() {
	c := k.c.CPUs
	if c == 0 {
		return
	}
	if math.IsNaN(c) || c < leastCPUs || c > 1<<20 {
		k.refuse("cpus", nil, "give it a part of a processor, as 0.5, or more", "%v is no amount of processors; the least is %v", c, leastCPUs)
		return
	}
	if err := group.Available(group.Limits{CPUs: c}); err != nil {
		k.refuse("cpus", err, "run the daemon as root or delegate a control group to it (systemd: Delegate=yes), or leave the limit out",
			"only a control group limits processors, and none can be made here: %v", err)
	}
}

func (k *checks) openFiles() {
	n := k.c.OpenFiles
	if n == 0 {
		return
	}
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &own); err != nil {
		k.refuse("open_files", err, "leave the limit out", "the daemon's own limit cannot be read: %v", err)
		return
	}
	switch {
	case n < leastFiles:
		k.refuse("open_files", nil, "give it more, or leave the limit out", "%d open files are not enough for a process; the least is %d", n, leastFiles)
	case n > own.Max && os.Geteuid() != 0:
		k.refuse("open_files", nil, "give it no more, or raise the daemon's limit (ulimit -Hn, LimitNOFILE=)", "%d is above the daemon's own limit of %d", n, own.Max)
	}
}

func (k *checks) user() {
	if k.c.User == "" {
		return
	}
	if _, err := resolve(k.c.User); err != nil {
		k.problems = append(k.problems, err)
	}
}

func (k *checks) systemCalls() {
	name := k.c.Seccomp
	if name == "" {
		return
	}
	switch _, known := sets[name]; {
	case !known:
		k.refuse("seccomp", nil, "use one of "+strings.Join(setNames(), ", ")+", or leave it out", "there is no set of system calls %q", name)
	case machine.arch == 0:
		k.refuse("seccomp", nil, "leave it out", "system calls are not known for %s", runtime.GOARCH)
	case !filters():
		k.refuse("seccomp", nil, "leave it out, or use a kernel with CONFIG_SECCOMP_FILTER", "this kernel filters no system calls")
	}
}

func (k *checks) paths() {
	lists := []struct {
		setting string
		paths   []string
	}{{"read_only", k.c.ReadOnly}, {"read_write", k.c.ReadWrite}}
	first := true
	for _, list := range lists {
		if len(list.paths) > 0 && first {
			first = false
			if _, err := landlockVersion(); err != nil {
				k.refuse(list.setting, err, "leave read_only and read_write out, or use a kernel from 5.13 on with landlock among its security modules (lsm=)",
					"this kernel cannot keep a process from files: %v", err)
			}
		}
		for _, path := range list.paths {
			if !filepath.IsAbs(path) {
				k.refuse(list.setting, nil, "name an absolute path", "the path %q is relative", path)
			} else if _, err := os.Stat(path); err != nil {
				k.refuse(list.setting, err, "make it, or correct the path", "%s is not to be had: %v", path, err)
			}
		}
	}
}

func (k *checks) environment() {
	for _, entry := range k.c.Environment {
		key, _, ok := strings.Cut(entry, "=")
		switch {
		case !ok || key == "" || strings.ContainsRune(entry, 0):
			k.refuse("environment", nil, "write it as KEY=value", "%q is no variable", key)
		case key == TokenVariable:
			k.refuse("environment", nil, "use another name", "the variable %s marks the processes of a library", key)
		}
	}
}
