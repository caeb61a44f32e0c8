package pluginbuild

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/process"
)

const (
	servePackage = modulePath + "/manager/vehicle/process/serve"
	programDir   = "mms_process" // that is added to a package, for its main package
)

// program is a main package around the author's, and how it is built.
type program struct {
	tool   *tool
	pkg    located
	facade facadeModule
	dir    string   // temporary
	args   []string // which module files count
	env    []string
	seeing []string // what shows the author's packages without a change: args, or less
}

// facadeModule is the module system as the author's module sees it.
type facadeModule struct {
	Version, Dir string
	Replace      *struct{ Path, Version string }
}

func (f facadeModule) String() string {
	switch {
	case f.Replace != nil && f.Replace.Version != "":
		return f.Replace.Path + " " + f.Replace.Version
	case f.Replace != nil || f.Version == "":
		return f.Dir
	default:
		return f.Version
	}
}

// buildProgram builds a program that serves the package's Library.
func buildProgram(ctx context.Context, r Request, temp string) (Result, error) {
	tool, err := newAuthorsTool(ctx, r)
	if err != nil {
		return Result{}, err
	}
	p := &program{tool: tool, dir: temp}
	if err := p.choose(ctx, r); err != nil {
		return Result{}, err
	}
	if err := p.checkServe(); err != nil {
		return Result{}, err
	}
	cgo, err := p.needsCgo(ctx, r)
	if err != nil {
		return Result{}, err
	}
	// A program without C is one file that runs on any system.
	p.env = append(p.env, cgo)
	output := r.output(p.pkg)
	err = put(output,
		func(file string) error { return p.build(ctx, r, file) },
		p.look,
	)
	if err != nil {
		return Result{}, err
	}
	return Result{Output: output, Package: p.pkg.ImportPath, Facade: p.facade.String()}, nil
}

// choose finds the package, and decides which module files count. The author's own do;
// only if they do not say where the module system comes from, its sources are put beside
// them. All are copies, because the go command writes into them.
func (p *program) choose(ctx context.Context, r Request) error {
	dir, _ := r.place()
	own, err := p.tool.ownWorkspace(ctx, dir)
	if err != nil {
		return err
	}
	w := newWorkfile(p.dir, "1.18")
	if own != "" {
		if err := w.copy(own); err != nil {
			return err
		}
		p.env = w.env()
	}
	if p.pkg, err = p.tool.locate(ctx, r, p.env...); err != nil {
		return err
	}
	known := false
	if own != "" {
		known, err = p.knowsFacade(ctx, nil)
	} else {
		known, err = p.tryModule(ctx)
	}
	if known || err != nil {
		return err
	}
	w.add(p.pkg.Module.Path, p.pkg.Module.Dir)
	p.args, p.seeing, p.env = nil, nil, w.env()
	return p.addSource(r, w)
}

// tryModule lets the author's go.mod alone decide, if it knows the module system.
func (p *program) tryModule(ctx context.Context) (known bool, err error) {
	mod, err := os.ReadFile(p.pkg.Module.GoMod)
	if err != nil {
		return false, fmt.Errorf("read the author's go.mod: %w", err)
	}
	sums, err := readIfThere(filepath.Join(p.pkg.Module.Dir, "go.sum"))
	if err != nil {
		return false, fmt.Errorf("read the author's go.sum: %w", err)
	}
	copied := filepath.Join(p.dir, "go.mod")
	lay := func(sums string) error {
		return errors.Join(os.WriteFile(copied, mod, 0o600), os.WriteFile(filepath.Join(p.dir, "go.sum"), []byte(sums), 0o600))
	}
	if err := lay(sums); err != nil {
		return false, err
	}
	// The author's own imports are not looked up, and only what the main package adds is.
	p.args, p.seeing, p.env = []string{"-modfile=" + copied, "-mod=mod"}, []string{"-mod=readonly"}, []string{"GOWORK=off"}
	if known, err = p.knowsFacade(ctx, p.args); !known || err != nil {
		return known, err
	}
	// What the main package needs beyond the author's, the module system vouches for: so
	// nobody has to be asked for its sums.
	theirs, err := readIfThere(filepath.Join(p.facade.Dir, "go.sum"))
	if err != nil {
		return false, fmt.Errorf("read the sums of the module system: %w", err)
	}
	lines := slices.Sorted(strings.Lines(strings.TrimSuffix(sums, "\n") + "\n" + theirs))
	return true, lay(strings.Join(slices.Compact(lines), ""))
}

// knowsFacade asks the author's module, or workspace, for the module system.
func (p *program) knowsFacade(ctx context.Context, args []string) (bool, error) {
	args = append([]string{"list", "-m", "-json=Version,Dir,Replace"}, args...)
	out, err := p.tool.output(ctx, p.pkg.Dir, p.env, append(args, modulePath)...)
	if err != nil {
		if strings.Contains(err.Error(), "not a known dependency") {
			return false, nil
		}
		return false, fmt.Errorf("find out which version of the module system %s requires: %w", p.pkg.Module.Path, err)
	}
	if err := json.Unmarshal([]byte(out), &p.facade); err != nil {
		return false, fmt.Errorf("find out which version of the module system %s requires: %w", p.pkg.Module.Path, err)
	}
	if p.facade.Dir == "" { // it is not on this machine yet
		out, err := p.tool.output(ctx, p.pkg.Dir, p.env, append([]string{"mod", "download", "-json"}, append(modfileOnly(args), modulePath)...)...)
		if err == nil {
			err = json.Unmarshal([]byte(out), &p.facade)
		}
		if err != nil {
			return false, fmt.Errorf("get the module system: %w", err)
		}
	}
	return true, nil
}

// modfileOnly are the flags that go mod download knows.
func modfileOnly(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return flagName(a) != "modfile" })
}

// checkServe holds that the module system can serve programs. The go command would take a
// newer release for a package that is missing in this one.
func (p *program) checkServe() error {
	if info, err := os.Stat(filepath.Join(p.facade.Dir, strings.TrimPrefix(servePackage, modulePath))); err != nil || !info.IsDir() {
		return fmt.Errorf("the module system that %s is built with (%s) is older than the process vehicle; raise it with go get %s@latest", p.pkg.ImportPath, p.facade, modulePath)
	}
	return nil
}

// addSource puts the sources of the module system into the workspace.
func (p *program) addSource(r Request, w *workfile) error {
	source, err := r.givenSource()
	if err != nil {
		return err
	}
	if source == "" {
		source = above(r.Dir, filepath.Dir(r.absolute(r.Near)))
	}
	if source == "" {
		return fmt.Errorf("module %s does not require %s, and the sources of that are not above %s: run go get %s there, or name the folder of its sources with --source",
			p.pkg.Module.Path, modulePath, r.Dir, modulePath)
	}
	w.add(modulePath, source)
	p.facade = facadeModule{Dir: source}
	fmt.Fprintf(r.Stderr, "notice: building with the module system in %s, because %s requires no version of it\n", source, p.pkg.Module.Path)
	return errors.Join(w.raiseAll(), w.writeWork())
}

// needsCgo looks through all packages that the author's needs, which also shows that
// they are there, and returns the setting: what the environment says, or else on for
// packages that need C and for the checkers that do.
func (p *program) needsCgo(ctx context.Context, r Request) (string, error) {
	args := append([]string{"list", "-deps", "-json=Standard,CgoFiles"}, p.seeing...)
	out, err := p.tool.output(ctx, p.pkg.Dir, p.env, append(append(args, listFlags(r.Flags)...), p.pkg.ImportPath)...)
	if err != nil {
		return "", fmt.Errorf("find out what %s needs: %w", p.pkg.ImportPath, err)
	}
	for _, set := range slices.Backward(r.Env) {
		if strings.HasPrefix(set, "CGO_ENABLED=") {
			return set, nil
		}
	}
	if slices.ContainsFunc(r.Flags, checks) {
		return "CGO_ENABLED=1", nil
	}
	decoder := json.NewDecoder(strings.NewReader(out))
	for {
		var one struct {
			Standard bool
			CgoFiles []string
		}
		switch err := decoder.Decode(&one); {
		case errors.Is(err, io.EOF):
			return "CGO_ENABLED=0", nil
		case err != nil:
			return "", fmt.Errorf("find out what %s needs: %w", p.pkg.ImportPath, err)
		case !one.Standard && len(one.CgoFiles) > 0:
			return "CGO_ENABLED=1", nil
		}
	}
}

// build runs "go build".
func (p *program) build(ctx context.Context, r Request, file string) error {
	args := append([]string{"build", "-trimpath", "-o", file}, p.args...)
	target := p.pkg.ImportPath
	if p.pkg.Name != "main" {
		body := "\nimport \"" + servePackage + "\"\n\nfunc main() { serve.Main(author.Library) }\n"
		overlay, err := glue{programDir, "program", body}.lay(p.dir, p.pkg)
		if err != nil {
			return err
		}
		args = append(args, "-overlay="+overlay)
		target += "/" + programDir
	}
	said, err := p.tool.run(ctx, p.pkg.Dir, p.env, append(append(args, r.Flags...), target)...)
	if err != nil {
		return p.explain(said, err)
	}
	return nil
}

// explain names the likely cause of a build that failed.
func (p *program) explain(said string, err error) error {
	path := p.pkg.ImportPath
	switch {
	case withoutLibrary(said):
		return noLibrary(p.pkg)
	case strings.Contains(said, "cannot use author.Library"):
		return fmt.Errorf("the variable Library of package %s is no facade.Library of %s; declare var Library = facade.Library{…}", path, modulePath)
	default:
		return fmt.Errorf("build %s: %w", path, err)
	}
}

// look holds that a daemon will take the program for one that serves modules.
func (p *program) look(path string) error {
	f, err := file.Look(path, file.Options{AllowWorldWritable: true})
	if err != nil {
		return fmt.Errorf("%s was built, and cannot be used: %w", p.pkg.ImportPath, err)
	}
	_, ok, err := process.New(process.Options{}).Recognise(f)
	var refusal *vehicle.Refusal
	switch {
	case errors.As(err, &refusal) && p.pkg.Name == "main":
		return fmt.Errorf("%s was built, and %s: its main has to end with serve.Main(Library) of %s, or its Library has to be in a package of another name, for which the main package is made",
			p.pkg.ImportPath, refusal.Problem, servePackage)
	case errors.As(err, &refusal):
		return fmt.Errorf("%s was built, and no daemon would run it: %w", p.pkg.ImportPath, refusal)
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%s was built, and is no program that a daemon can run", p.pkg.ImportPath)
	default:
		return nil
	}
}
