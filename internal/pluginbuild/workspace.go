package pluginbuild

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
)

// workspace is a temporary go.work over the author's module, the daemon's sources
// where they are a folder, and a module that says which versions are used.
type workspace struct {
	tool   *tool
	daemon daemon
	pkg    located
	dir    string
	source string // folder of the daemon's sources, or ""
	env    []string

	use      []string            // folders
	replace  map[string][]string // module -> directives
	require  map[string]string   // module -> version
	excluded map[string][]string
}

func newWorkspace(ctx context.Context, t *tool, r Request, d daemon, pkg located, dir string) (*workspace, error) {
	source, err := findSource(r, d)
	if err != nil {
		return nil, err
	}
	w := &workspace{
		tool: t, daemon: d, pkg: pkg, dir: dir, source: source,
		env:      []string{"GOWORK=" + filepath.Join(dir, "go.work")},
		use:      []string{dir},
		replace:  map[string][]string{},
		require:  map[string]string{},
		excluded: map[string][]string{},
	}
	taken := map[string]bool{}
	if source != "" {
		w.use, taken[modulePath] = append(w.use, source), true
	} else {
		w.require[modulePath], taken[modulePath] = d.mms.Version, true
		// The author's go.mod may point to a checkout.
		w.replace[modulePath] = []string{modulePath + " => " + modulePath + " " + d.mms.Version}
	}
	if !taken[pkg.Module.Path] {
		w.use, taken[pkg.Module.Path] = append(w.use, pkg.Module.Dir), true
	}
	if err := w.adopt(ctx, taken); err != nil {
		return nil, err
	}
	return w, w.writeSums()
}

// adopt takes over what the author's own workspace says, but for modules that are
// there already.
func (w *workspace) adopt(ctx context.Context, taken map[string]bool) error {
	out, err := w.tool.output(ctx, w.pkg.Dir, nil, "env", "GOWORK")
	if err != nil {
		return err
	}
	file := strings.TrimSpace(out)
	if file == "" || file == "off" {
		return nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the author's workspace: %w", err)
	}
	work, err := modfile.ParseWork(file, content, nil)
	if err != nil {
		return fmt.Errorf("read the author's workspace: %w", err)
	}
	base := filepath.Dir(file)
	for _, u := range work.Use {
		folder := u.Path
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(base, folder)
		}
		if name := declared(folder); name != "" && !taken[name] {
			w.use, taken[name] = append(w.use, folder), true
		}
	}
	for _, r := range work.Replace {
		if taken[r.Old.Path] {
			continue
		}
		to := r.New.Path
		if r.New.Version == "" && !filepath.IsAbs(to) {
			to = filepath.Join(base, to)
		}
		w.replace[r.Old.Path] = append(w.replace[r.Old.Path], strings.TrimSpace(r.Old.Path+" "+r.Old.Version)+" => "+strings.TrimSpace(modfile.AutoQuote(to)+" "+r.New.Version))
	}
	return nil
}

// writeSums lays down the checksums that the daemon carries, so that nobody has to
// be asked for them. The sums of the modules in use are read by the go command.
func (w *workspace) writeSums() error {
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(w.daemon.modules)) {
		m := effective(w.daemon.modules[path])
		if m.Sum != "" {
			lines = append(lines, m.Path+" "+m.Version+" "+m.Sum+"\n")
		}
	}
	if m := w.daemon.mms; w.daemon.released() && w.daemon.modules[modulePath] == nil {
		lines = append(lines, m.Path+" "+m.Version+" "+m.Sum+"\n")
	}
	return w.write("go.work.sum", strings.Join(lines, ""))
}

func (w *workspace) write(name, content string) error {
	return os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600)
}

// writeModules writes go.work and the go.mod of the versions. A requirement raises
// a version, an exclusion drops every requirement of one that is too new; either
// leaves the recorded paths as the daemon has them, which replacing would not.
func (w *workspace) writeModules() error {
	work := "go " + w.daemon.language() + "\n\n"
	for _, folder := range w.use {
		work += "use " + modfile.AutoQuote(folder) + "\n"
	}
	for _, path := range slices.Sorted(maps.Keys(w.replace)) {
		for _, r := range w.replace[path] {
			work += "replace " + r + "\n"
		}
	}
	mod := "module mms.invalid/versions\n\ngo " + w.daemon.language() + "\n\n"
	for _, path := range slices.Sorted(maps.Keys(w.require)) {
		mod += "require " + path + " " + w.require[path] + "\n"
	}
	for _, path := range slices.Sorted(maps.Keys(w.excluded)) {
		for _, version := range w.excluded[path] {
			mod += "exclude " + path + " " + version + "\n"
		}
	}
	return errors.Join(w.write("go.work", work), w.write("go.mod", mod))
}

// maxRounds bounds how often versions are settled. Each round decides all modules
// that are seen; dropping a requirement may show an older one of the next.
const maxRounds = 30

// settle gives every module that both need the daemon's version, and returns what
// it changed.
func (w *workspace) settle(ctx context.Context) ([]Pin, error) {
	wanted := map[string]string{}
	for range maxRounds {
		if err := w.writeModules(); err != nil {
			return nil, err
		}
		modules, err := w.modules(ctx)
		if err != nil {
			return nil, err
		}
		changed := false
		for _, path := range slices.Sorted(maps.Keys(modules)) {
			own, shared := w.daemon.modules[path]
			if !shared || !semver.IsValid(own.Version) || modules[path].Version == "" {
				continue
			}
			if w.align(modules[path], own) {
				changed = true
				wanted[path] = cmp.Or(wanted[path], spell(modules[path]))
			}
		}
		if !changed {
			return pins(wanted, w.daemon), nil
		}
	}
	return nil, fmt.Errorf("the versions of %s cannot be brought to those of the daemon in %d rounds",
		strings.Join(slices.Sorted(maps.Keys(wanted)), ", "), maxRounds)
}

// align decides about one module that both need, and reports whether anything had
// to be decided.
func (w *workspace) align(m, own *debug.Module) bool {
	changed := false
	if m.Version != own.Version {
		w.require[m.Path], changed = own.Version, true
		if semver.Compare(m.Version, own.Version) > 0 {
			w.excluded[m.Path] = append(w.excluded[m.Path], m.Version)
		}
	}
	is, should := effective(m), effective(own)
	if local(should) || (is.Path == should.Path && (m.Replace == nil) == (own.Replace == nil) && (m.Replace == nil || is.Version == should.Version)) {
		return changed
	}
	directive := m.Path + " => " + should.Path + " " + should.Version
	if slices.Equal(w.replace[m.Path], []string{directive}) {
		return changed
	}
	w.replace[m.Path] = []string{directive}
	return true
}

// local reports whether a replacement is a folder. Which one is meant only its own
// go.mod knows.
func local(m *debug.Module) bool { return !semver.IsValid(m.Version) }

func effective(m *debug.Module) *debug.Module {
	if m.Replace != nil {
		return m.Replace
	}
	return m
}

func spell(m *debug.Module) string {
	if m.Replace != nil {
		return m.Version + " => " + strings.TrimSpace(m.Replace.Path+" "+m.Replace.Version)
	}
	return m.Version
}

// pins are the modules whose version the author will miss: a newer one, or another
// one in its place. That an older requirement is raised surprises nobody.
func pins(wanted map[string]string, d daemon) []Pin {
	var all []Pin
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		used := spell(d.modules[path])
		if semver.IsValid(wanted[path]) && semver.Compare(wanted[path], used) < 0 {
			continue
		}
		all = append(all, Pin{Module: path, Wanted: wanted[path], Used: used})
	}
	return all
}

// modules returns the modules that the package takes packages from, by path.
func (w *workspace) modules(ctx context.Context) (map[string]*debug.Module, error) {
	args := append([]string{"list", "-deps", "-json=Module"}, w.daemon.flags...)
	out, err := w.tool.output(ctx, w.dir, w.env, append(args, w.pkg.ImportPath)...)
	if err != nil {
		return nil, fmt.Errorf("find out what %s needs: %w", w.pkg.ImportPath, err)
	}
	modules := map[string]*debug.Module{}
	decoder := json.NewDecoder(strings.NewReader(out))
	for {
		var p struct{ Module *debug.Module }
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return modules, nil
		case err != nil:
			return nil, fmt.Errorf("find out what %s needs: %w", w.pkg.ImportPath, err)
		case p.Module != nil:
			if r := p.Module.Replace; r != nil && local(r) && !filepath.IsAbs(r.Path) {
				r.Path = filepath.Join(w.dir, r.Path)
			}
			modules[p.Module.Path] = p.Module
		}
	}
}

// glue writes the main package, and the overlay that puts it below the author's,
// where it may import what is internal there. It returns the overlay's path.
func (w *workspace) glue(pkg located) (string, error) {
	folder := filepath.Join(pkg.Dir, goplugin.GlueDir)
	if _, err := os.Stat(folder); err == nil {
		return "", fmt.Errorf("%s is in the way of the plugin's main package; rename that folder", folder)
	}
	source := "package main\n\nimport author " + strconv.Quote(pkg.ImportPath) + "\n\nvar Library = author.Library\n\nfunc main() {}\n"
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(folder, "main.go"): filepath.Join(w.dir, "glue.go.txt"),
	}})
	if err != nil {
		return "", err
	}
	return filepath.Join(w.dir, "overlay.json"), errors.Join(w.write("glue.go.txt", source), w.write("overlay.json", string(overlay)))
}
