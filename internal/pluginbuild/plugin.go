package pluginbuild

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
)

// buildPlugin builds a plugin that opens in the daemon.
func buildPlugin(ctx context.Context, r Request, temp string) (Result, error) {
	d, err := readDaemon(r.Daemon)
	if err != nil {
		return Result{}, err
	}
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
	err = put(output,
		func(file string) error { return w.build(ctx, file, pins) },
		w.compare,
	)
	if err != nil {
		return Result{}, err
	}
	return Result{Output: output, Package: pkg.ImportPath, Pins: pins}, nil
}

// build runs "go build".
func (w *workspace) build(ctx context.Context, file string, pins []Pin) error {
	args := append([]string{"build", "-buildmode=plugin", "-o", file}, w.daemon.flags...)
	target := w.pkg.ImportPath
	if w.pkg.Name != "main" {
		overlay, err := glue{goplugin.GlueDir, "plugin", "\nvar Library = author.Library\n\nfunc main() {}\n"}.lay(w.dir, w.pkg)
		if err != nil {
			return err
		}
		args = append(args, "-overlay="+overlay)
		target += "/" + goplugin.GlueDir
	}
	said, err := w.tool.run(ctx, w.dir, w.env(), append(args, target)...)
	if err != nil {
		return explainPlugin(w.pkg, pins, said, err)
	}
	return nil
}

// compare compares what was built with the daemon.
func (w *workspace) compare(file string) error {
	_, ok, err := goplugin.New(w.daemon.path).Recognise(vehicle.File{Path: file})
	var refusal *vehicle.Refusal
	switch {
	case errors.As(err, &refusal):
		return fmt.Errorf("%s was built, and %s would not open it: %s; %s", w.pkg.ImportPath, w.daemon.path, refusal.Problem, w.mend())
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%s was built, and is no Go plugin", w.pkg.ImportPath)
	default:
		return nil
	}
}

// mend says what to do when everything known was the same and the result is not.
func (w *workspace) mend() string {
	if w.source == "" {
		return "build the daemon again, or give --source the folder that it was built from"
	}
	return "the sources in " + w.source + " are perhaps not those that the daemon was built from: give --source their folder, or build the daemon again"
}

// explainPlugin names the likely cause of a build that failed.
func explainPlugin(pkg located, pins []Pin, said string, err error) error {
	if withoutLibrary(said) {
		return noLibrary(pkg)
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
