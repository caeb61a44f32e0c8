// Package pluginbuild makes a Go plugin out of an importable package with a
// Library, so that it opens in one given daemon. "go build" alone cannot: a plugin
// has to be a main package, which nobody can import, and Go opens it only in a
// daemon that shares every package with it, bit for bit.
//
// So the package gets a main package of five lines, which exists in an overlay
// only, and is built by the daemon's Go version with the daemon's flags, in a
// workspace over the daemon's sources (a replace directive records other paths,
// and the plugin would not open), with the daemon's version of every module that
// both need. What has been built is then compared with the daemon, as the daemon
// itself does it.
//
// Everything that is written besides the plugin is written into a temporary
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
	"strings"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
)

// Request says what to build for whom.
type Request struct {
	// Package is a folder or an import path, as "go build" takes it. A package
	// main is built as it is.
	Package string

	// As is the vehicle: goplugin, which is also meant by "".
	As string

	// Daemon is the path of the daemon's binary.
	Daemon string

	// Source is the folder of the sources that the daemon was built from. Empty
	// means to look for it: see findSource.
	Source string

	// Output is the file to write; empty means lib<package>.so in Dir.
	Output string

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
	Pins    []Pin  // sorted by module
}

// Pin is a module that was built in another version than the author's module
// requires, because the daemon links that version.
type Pin struct{ Module, Wanted, Used string }

func (p Pin) String() string {
	return fmt.Sprintf("%s %s instead of %s", p.Module, p.Used, p.Wanted)
}

// Build builds a plugin that opens in the daemon, or says why there is none. It
// leaves a file at Output only when it succeeds, and replaces an older one in one
// step, so that a daemon that has it open is not disturbed.
func Build(ctx context.Context, r Request) (result Result, err error) {
	if err := r.complete(); err != nil {
		return Result{}, err
	}
	d, err := readDaemon(r.Daemon)
	if err != nil {
		return Result{}, err
	}
	temp, err := os.MkdirTemp("", "mms-build-")
	if err != nil {
		return Result{}, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()

	tool, err := newTool(ctx, r, d, temp)
	if err != nil {
		return Result{}, err
	}
	pkg, err := tool.locate(ctx, r)
	if err != nil {
		return Result{}, err
	}
	w, err := newWorkspace(ctx, tool, r, d, pkg, temp)
	if err != nil {
		return Result{}, err
	}
	pins, err := w.settle(ctx)
	if err != nil {
		return Result{}, err
	}
	for _, p := range pins {
		fmt.Fprintf(r.Stderr, "notice: building with %v, because the daemon links it\n", p)
	}
	output := r.output(pkg)
	if err := w.build(ctx, d, pkg, output, pins); err != nil {
		return Result{}, err
	}
	return Result{Output: output, Package: pkg.ImportPath, Pins: pins}, nil
}

func (r *Request) complete() error {
	switch r.As {
	case "", vehicle.GoPlugin:
	case "process":
		return errors.New("--as=process: the process vehicle is not in this release; build a Go plugin with --as=goplugin")
	default:
		return fmt.Errorf("--as=%s: there is no such vehicle to build for; use --as=goplugin", r.As)
	}
	if r.Daemon == "" {
		return errors.New("which daemon the plugin is for is not said; name its binary with --daemon")
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return err
	}
	r.Dir = dir
	r.Daemon = r.absolute(r.Daemon)
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

func (r *Request) output(pkg located) string {
	return r.absolute(cmp.Or(r.Output, "lib"+path.Base(pkg.ImportPath)+".so"))
}

// build runs "go build", compares the result with the daemon, and puts it into
// its place.
func (w *workspace) build(ctx context.Context, d daemon, pkg located, output string, pins []Pin) (err error) {
	beside, err := os.MkdirTemp(filepath.Dir(output), ".mms-build-")
	if err != nil {
		return fmt.Errorf("write into the output folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	built := filepath.Join(beside, filepath.Base(output))

	args := append([]string{"build", "-buildmode=plugin", "-o", built}, d.flags...)
	target := pkg.ImportPath
	if pkg.Name != "main" {
		overlay, err := w.glue(pkg)
		if err != nil {
			return err
		}
		args = append(args, "-overlay="+overlay)
		target += "/" + goplugin.GlueDir
	}
	said, err := w.tool.run(ctx, w.dir, w.env, append(args, target)...)
	if err != nil {
		return explainBuild(pkg, pins, said, err)
	}

	_, ok, err := goplugin.New(d.path).Recognise(vehicle.File{Path: built})
	var refusal *vehicle.Refusal
	switch {
	case errors.As(err, &refusal):
		return fmt.Errorf("%s was built, and %s would not open it: %s; %s", pkg.ImportPath, d.path, refusal.Problem, w.mend())
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%s was built, and is no Go plugin", pkg.ImportPath)
	}
	if err := os.Rename(built, output); err != nil {
		return fmt.Errorf("put the plugin into its place: %w", err)
	}
	return nil
}

// mend says what to do when everything known was the same and the result is not.
func (w *workspace) mend() string {
	if w.source == "" {
		return "build the daemon again, or give --source the folder that it was built from"
	}
	return "the sources in " + w.source + " are perhaps not those that the daemon was built from: give --source their folder, or build the daemon again"
}

// explainBuild names the likely cause of a build that failed.
func explainBuild(pkg located, pins []Pin, said string, err error) error {
	if strings.Contains(said, "undefined: author.Library") || strings.Contains(said, "author.Library undefined") {
		return fmt.Errorf("package %s has no exported variable Library; declare var Library = facade.Library{…}", pkg.ImportPath)
	}
	if len(pins) == 0 {
		return fmt.Errorf("build %s: %w", pkg.ImportPath, err)
	}
	var texts []string
	for _, p := range pins {
		texts = append(texts, p.String())
	}
	return fmt.Errorf("build %s with the daemon's versions (%s): %w; require the daemon's versions in go.mod and adapt the package to them, or build a daemon with the newer ones",
		pkg.ImportPath, strings.Join(texts, ", "), err)
}
