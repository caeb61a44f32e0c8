package moduletool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
)

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	field              string
	daemon             string
	allowWorldWritable bool
}

func (t *Tool) inspect() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Show what a library says of itself",
		Long: `inspect shows all that libraries say of themselves and of their modules: versions,
authors, requirements, conflicts, parameters, how they were built. No module is
constructed.

A native library is read from its bytes, and nothing of it runs. A Go plugin is
recognised from its bytes as well, but its declarations are filled only when it is
opened: a child process does that, and the answer says so. A Go plugin opens only in
the binary it was built for; name that one with --daemon. A program that was built
with --as=process is run once, and asked: that is its trial, and the answer says so.

A file that cannot be used is answered with a finding on standard error: the rule,
the problem and what mends it; the exit code is then 1. "mesos-module rules"
explains the rules.`,
		Example: `  mesos-module inspect libadder.so
  mesos-module inspect --field=requires libadder.so
  mesos-module inspect --daemon=./bin/mesos-slave plugin.so
  mesos-module inspect ./adder
  mesos-module inspect --format=json *.so`,
		Args: between(1, -1, "at least one library file"),
		RunE: func(cmd *cobra.Command, args []string) error { return t.runInspect(cmd.Context(), o, args) },
	}
	cmd.Flags().StringVarP(&o.field, "field", "F", "", "print the values of one field only, a line each")
	cmd.Flags().StringVar(&o.daemon, "daemon", "", "the daemon `binary` that opens plugins and runs programs (default: this program)")
	cmd.Flags().BoolVar(&o.allowWorldWritable, "allow_world_writable", false, "accept a file that everybody may write to")
	mustComplete(cmd, "field", fieldNames())
	return cmd
}

func (t *Tool) runInspect(ctx context.Context, o inspectOptions, paths []string) error {
	if o.field != "" && !slices.Contains(fieldNames(), o.field) {
		return misuse("there is no field %q%s; there are %s", o.field, didYouMean(o.field, fieldNames()), strings.Join(fieldNames(), ", "))
	}
	daemon := ""
	if o.daemon != "" {
		var err error
		if daemon, err = findDaemon(o.daemon); err != nil {
			return err
		}
	}
	all, err := t.look(ctx, paths, daemon, file.Options{AllowWorldWritable: o.allowWorldWritable})
	if err != nil {
		return err
	}
	if err := t.show(all, o.field); err != nil {
		return err
	}
	for _, l := range all {
		if len(l.Findings) > 0 {
			return exitCode(ExitFailed)
		}
	}
	return nil
}

// How a library came to be described.
const (
	byBytes = "its bytes"
	byTrial = "opening it in a child process"
	byRun   = "running it once, in a process of its own"
)

// inspection is what is known of one file.
type inspection struct {
	Path        string               `json:"path"` // as it was given
	File        *fileInfo            `json:"file,omitempty"`
	DescribedBy string               `json:"described_by,omitempty"`
	Library     *vehicle.Description `json:"library,omitempty"`
	Findings    []finding.Finding    `json:"findings"`

	found   vehicle.File
	carrier vehicle.Vehicle
}

type fileInfo struct {
	Path   string `json:"path"` // absolute
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Mode   string `json:"mode"`
}

// look recognises all files, and has those that need it opened by one child.
func (t *Tool) look(ctx context.Context, paths []string, daemon string, o file.Options) ([]*inspection, error) {
	vehicles := t.Vehicles(daemon)
	var all, unclear []*inspection
	for _, path := range paths {
		l := &inspection{Path: path, Findings: []finding.Finding{}}
		all = append(all, l)
		l.recognise(vehicles, o)
		if len(l.Findings) == 0 && !l.Library.Complete {
			unclear = append(unclear, l)
		}
	}
	if len(unclear) == 0 {
		return all, nil
	}
	var requests []trial.Request
	for _, l := range unclear {
		requests = append(requests, trial.Request{File: l.found, Vehicle: l.carrier.Name(), Description: *l.Library})
	}
	verdicts, err := t.Trial(ctx, requests, trial.Options{Executable: daemon})
	if err != nil {
		return nil, fmt.Errorf("open libraries in a child process: %w", err)
	}
	for i, l := range unclear {
		if verdicts[i].Err != nil {
			l.refuse(verdicts[i].Err)
			continue
		}
		by := byTrial
		if l.carrier.Name() == vehicle.Process {
			by = byRun
		}
		l.describe(verdicts[i].Description, by)
	}
	return all, nil
}

// recognise reads the file. It leaves a description or a finding, or both.
func (l *inspection) recognise(vehicles []vehicle.Vehicle, o file.Options) {
	f, err := file.Look(l.Path, o)
	if err != nil {
		l.refuse(err)
		return
	}
	l.found = f
	l.File = &fileInfo{Path: f.Path, Size: f.Size, SHA256: fmt.Sprintf("%x", f.Digest), Device: f.Identity.Device, Inode: f.Identity.Inode, Mode: f.Mode.String()}
	for _, v := range vehicles {
		d, ok, err := v.Recognise(f)
		if !ok && err == nil {
			continue
		}
		l.carrier = v
		if err == nil || len(d.Build) > 0 {
			l.describe(d, byBytes)
		}
		if err != nil {
			l.refuse(err)
		}
		return
	}
	l.refuse(&vehicle.Refusal{Rule: finding.LibraryFormat, Problem: "it is no library of modules", Mend: "name a Go plugin, a program of mesos-module build --as=process, or a library that was compiled against the headers of mesos-module headers"})
}

// describe keeps what the library says, but for defaults of secrets.
func (l *inspection) describe(d vehicle.Description, by string) {
	for _, m := range d.Modules {
		for i, p := range m.Parameters {
			if p.Secret && p.Default != "" {
				m.Parameters[i].Default = facade.Secret(p.Default).String()
			}
		}
	}
	l.Library, l.DescribedBy = &d, by
}

// refuse notes why the file cannot be used.
func (l *inspection) refuse(err error) {
	f := finding.Finding{Rule: finding.LibraryFile, Library: l.Path, Problem: err.Error()}
	var refusal *vehicle.Refusal
	if errors.As(err, &refusal) {
		f.Rule, f.Problem, f.Mend = refusal.Rule, refusal.Problem, refusal.Mend
	}
	l.Findings = append(l.Findings, f)
}

// findDaemon returns the absolute path of a binary that is named by a path, or by
// its name alone and found in PATH.
func findDaemon(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		var cause *exec.Error
		var stat *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		if errors.As(err, &stat) {
			err = stat.Err
		}
		return "", fmt.Errorf("the daemon %s cannot be run: %w; name the binary of a mesos-master or mesos-slave with --daemon", name, err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("the daemon %s: %w", name, err)
	}
	return absolute, nil
}
