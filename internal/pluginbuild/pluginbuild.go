// Package pluginbuild makes a library of modules out of an importable package with a
// Library: a Go plugin, which opens in one given daemon, or a program, which any daemon
// runs in a process of its own. "go build" alone cannot: either has to be a main
// package, which nobody can import. So the package gets a main package of five lines,
// which exists in an overlay only.
//
// Go opens a plugin only in a daemon that shares every package with it, bit for bit.
// So it is built by the daemon's Go version with the daemon's flags, in a workspace
// over the daemon's sources (a replace directive records other paths, and the plugin
// would not open), with the daemon's version of every module that both need. What has
// been built is then compared with the daemon, as the daemon itself does it.
//
// A program shares nothing with the daemon. Its author's go.mod, or workspace, decides
// everything: the Go version, the version of the module system, those of all else.
//
// Everything that is written besides the library is written into a temporary
// folder: neither go.mod nor go.sum of anybody change.
package pluginbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// Request says what to build for whom.
type Request struct {
	// Package is a folder or an import path, as "go build" takes it. A package
	// main is built as it is.
	Package string

	// As is the vehicle: goplugin, which is also meant by "", or process.
	As string

	// Daemon is the path of the daemon's binary. A program needs none.
	Daemon string

	// Source is the folder of the sources that the daemon was built from, or that a
	// program is built with whose author's module does not say which version of the
	// module system it requires. Empty means to look for it: see findSource.
	Source string

	// Near is a file, or "": the sources are looked for above it, too.
	Near string

	// Output is the file to write, or the folder to write it into; empty means
	// lib<package>.so, or for a program <package>, in Dir.
	Output string

	// Flags are passed to "go build", for a program only.
	Flags []string

	// Dir is the folder that relative paths count from; empty means the working
	// directory. Env is the environment of the go command; nil means the
	// process's own.
	Dir string
	Env []string

	// Stdout gets nothing yet but what "go build" writes to it; Stderr gets its
	// messages, and notices. Either may be nil. Verbose also shows commands.
	Stdout, Stderr io.Writer
	Verbose        bool
}

// Result is what was built.
type Result struct {
	Output  string // absolute path
	Package string // import path
	Pins    []Pin  // sorted by module; none for a program
	Facade  string // for a program: the version of the module system that it was built with, or the folder of its sources
}

// Pin is a module that was built in another version than the author's module
// requires, because the daemon links that version.
type Pin struct{ Module, Wanted, Used string }

func (p Pin) String() string {
	return fmt.Sprintf("%s %s instead of %s", p.Module, p.Used, p.Wanted)
}

// Build builds a library, or says why there is none: a plugin that opens in the
// daemon, or a program that serves its modules. It leaves a file at Output only when it
// succeeds, and replaces an older one in one step, so that a daemon that has it open is
// not disturbed.
func Build(ctx context.Context, r Request) (result Result, err error) {
	if err := r.complete(); err != nil {
		return Result{}, err
	}
	temp, err := os.MkdirTemp("", "mms-build-")
	if err != nil {
		return Result{}, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if r.As == vehicle.Process {
		return buildProgram(ctx, r, temp)
	}
	return buildPlugin(ctx, r, temp)
}

func (r *Request) complete() error {
	r.As = cmp.Or(r.As, vehicle.GoPlugin)
	switch r.As {
	case vehicle.GoPlugin:
		if r.Daemon == "" {
			return errors.New("which daemon the plugin is for is not said; name its binary with --daemon, or build a program for any daemon with --as=process")
		}
		if len(r.Flags) > 0 {
			return fmt.Errorf("%s: a plugin is built with the flags of its daemon and no others; only --as=process takes flags for the go command", strings.Join(r.Flags, " "))
		}
	case vehicle.Process:
		if err := checkFlags(r.Flags); err != nil {
			return err
		}
	default:
		return fmt.Errorf("--as=%s: there is no such vehicle to build for; use --as=goplugin or --as=process", r.As)
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return err
	}
	r.Dir = dir
	if r.Daemon != "" {
		r.Daemon = r.absolute(r.Daemon)
	}
	r.Package = cmp.Or(r.Package, ".")
	if r.Env == nil {
		r.Env = os.Environ()
	}
	if r.Stdout == nil {
		r.Stdout = io.Discard
	}
	if r.Stderr == nil {
		r.Stderr = io.Discard
	}
	return nil
}

func (r *Request) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.Dir, path)
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// output is the file to write. It is called after the package, or what stands before the
// major version at its end. Where a folder of that name is, it goes into the folder: a
// program is called as the folder of its package is.
func (r *Request) output(pkg located) string {
	name := path.Base(pkg.ImportPath)
	if before := path.Dir(pkg.ImportPath); majorVersion.MatchString(name) && before != "." {
		name = path.Base(before)
	}
	if r.As == vehicle.GoPlugin {
		name = "lib" + name + ".so"
	}
	output := r.absolute(cmp.Or(r.Output, name))
	if info, err := os.Stat(output); err == nil && info.IsDir() {
		return filepath.Join(output, name)
	}
	return output
}

// put builds a file beside its place, has it looked at, and moves it there.
func put(output string, build, look func(file string) error) (err error) {
	beside, err := os.MkdirTemp(filepath.Dir(output), ".mms-build-")
	if err != nil {
		return fmt.Errorf("write into the output folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	built := filepath.Join(beside, filepath.Base(output))
	if err := build(built); err != nil {
		return err
	}
	if err := look(built); err != nil {
		return err
	}
	if err := os.Rename(built, output); err != nil {
		return fmt.Errorf("put the library into its place: %w", err)
	}
	return nil
}

// withoutLibrary reports whether a compiler's messages say that the author's package
// has no Library.
func withoutLibrary(said string) bool {
	return strings.Contains(said, "undefined: author.Library") || strings.Contains(said, "author.Library undefined")
}

func noLibrary(pkg located) error {
	return fmt.Errorf("package %s has no exported variable Library; declare var Library = facade.Library{…}", pkg.ImportPath)
}
