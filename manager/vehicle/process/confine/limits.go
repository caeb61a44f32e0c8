package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine/group"
)

// Argument is the first argument of a process that is to put limits on itself; the
// second is how many descriptors from 3 on are the library's. Three follow: what is run,
// the order, and where the answer goes. The other arguments are those of what is run,
// from its name on.
const Argument = "mms-process-confine"

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// Limits are those of one process. They are not safe for concurrent use.
type Limits struct {
	memory int64
	group  *group.Group // nil: none
	order  order
}

// order is what a process is told. It crosses as JSON.
type order struct {
	Parent      int      `json:"parent"` // process that must be alive
	Doors       []string `json:"doors,omitempty"`
	Data        uint64   `json:"data,omitempty"`
	OpenFiles   uint64   `json:"open_files,omitempty"`
	Account     *account `json:"account,omitempty"`
	Privileges  bool     `json:"privileges,omitempty"` // may gain new ones
	Seccomp     string   `json:"seccomp,omitempty"`
	Files       bool     `json:"files,omitempty"` // only those that follow
	ReadOnly    []string `json:"read_only,omitempty"`
	ReadWrite   []string `json:"read_write,omitempty"`
	Environment []string `json:"environment,omitempty"`
}

// Prepare makes ready what the limits need on this machine. Clear gives it back. An
// error is a *Problem, or several.
func Prepare(c vehicle.Confinement) (*Limits, error) {
	if err := errors.Join(Check(c)...); err != nil {
		return nil, err
	}
	files := len(c.ReadOnly)+len(c.ReadWrite) > 0
	l := &Limits{memory: c.Memory, order: order{
		Parent:     os.Getpid(),
		OpenFiles:  c.OpenFiles,
		Privileges: !c.NoNewPrivileges && c.Seccomp == "" && !files,
		Seccomp:    c.Seccomp,
		Files:      files,
		ReadOnly:   c.ReadOnly,
		ReadWrite:  c.ReadWrite,
	}}
	if c.User != "" {
		a, err := resolve(c.User)
		if err != nil {
			return nil, err
		}
		l.order.Account = &a
	}
	return l, l.makeGroup(group.Limits{Memory: c.Memory, CPUs: c.CPUs})
}

// makeGroup makes a control group; memory can be limited without.
func (l *Limits) makeGroup(g group.Limits) error {
	if g == (group.Limits{}) {
		return nil
	}
	if g.Memory > 0 && group.Available(group.Limits{Memory: g.Memory}) != nil {
		l.order.Data, g.Memory = uint64(g.Memory), 0
		if g.CPUs == 0 {
			return nil
		}
	}
	made, err := group.Make(g)
	if err != nil {
		return &Problem{
			Setting: "memory, cpus", Cause: err, Problem: fmt.Sprintf("no control group could be made: %v", err),
			Mend: "run the daemon as root or delegate a control group to it (systemd: Delegate=yes), or leave the limits out",
		}
	}
	l.group, l.order.Doors = made, made.Doors()
	return nil
}

// Order is a file that tells the process what to do; environment is that of what it then
// runs.
func (l *Limits) Order(environment []string) (*os.File, error) {
	o := l.order
	o.Environment = environment
	if l.memory > 0 && !slices.ContainsFunc(environment, func(e string) bool { return strings.HasPrefix(e, "GOMEMLIMIT=") }) {
		// Go's collector works harder before the limit is reached.
		o.Environment = append(slices.Clip(environment), fmt.Sprintf("GOMEMLIMIT=%d", l.memory/10*9))
	}
	if o.Files {
		o.ReadOnly = append(slices.Clip(o.ReadOnly), searched(environment)...)
	}
	content, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("mms-process-order", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "order")
	if _, err := f.WriteAt(content, 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// searched are the folders of libraries that an environment names.
func searched(environment []string) []string {
	var all []string
	for _, entry := range environment {
		list, ok := strings.CutPrefix(entry, "LD_LIBRARY_PATH=")
		if !ok {
			continue
		}
		for _, folder := range filepath.SplitList(list) {
			if _, err := os.Stat(folder); err == nil && filepath.IsAbs(folder) {
				all = append(all, folder)
			}
		}
	}
	return all
}

// Environment is that of the process while it puts the limits on.
func Environment() []string {
	if path, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		return []string{"LD_LIBRARY_PATH=" + path}
	}
	return nil
}

// Answer reads what came of an order: nil when the process has put its limits on and runs
// what it is to run. Else the error is a *Problem, or a number of the system where what is
// run could not be.
func Answer(from io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(from, maxAnswer))
	if err != nil || len(text) == 0 {
		return err
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("what puts the limits on says %q: %w", text, err)
	}
	return a.err()
}

// Memory is its limit in bytes; zero is none.
func (l *Limits) Memory() int64 { return l.memory }

// Counted is whether the kernel counts whom it has killed for memory.
func (l *Limits) Counted() bool { return l.group != nil && l.order.Data == 0 }

// Starved is whether it has killed somebody, if it counts.
func (l *Limits) Starved() bool { return l.Counted() && l.group.Starved() }

// Clear gives back what Prepare has made. Whoever is still in the control group is
// killed.
func (l *Limits) Clear() {
	if l.group != nil {
		l.group.Clear()
	}
}
