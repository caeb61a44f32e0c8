package pluginbuild

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// workspace is a temporary go.work over the author's module, the daemon's sources
// where they are a folder, and a module that says which versions are used.
type workspace struct {
	*workfile

	tool   *tool
	daemon daemon
	pkg    located
	source string // folder of the daemon's sources, or ""

	require  map[string]string // module -> version
	excluded map[string][]string
}

func newWorkspace(ctx context.Context, t *tool, r Request, d daemon, pkg located, dir string) (*workspace, error) {
	source, err := findSource(r, d)
	if err != nil {
		return nil, err
	}
	w := &workspace{
		workfile: newWorkfile(dir, d.language()),
		tool:     t, daemon: d, pkg: pkg, source: source,
		require:  map[string]string{},
		excluded: map[string][]string{},
	}
	w.add("mms.invalid/versions", dir)
	if source != "" {
		w.add(modulePath, source)
	} else {
		w.require[modulePath], w.taken[modulePath] = d.mms.Version, true
		// The author's go.mod may point to a checkout.
		w.replace[modulePath] = []string{modulePath + " => " + modulePath + " " + d.mms.Version}
	}
	w.add(pkg.Module.Path, pkg.Module.Dir)
	own, err := t.ownWorkspace(ctx, pkg.Dir)
	if err != nil {
		return nil, err
	}
	if err := w.adopt(own); err != nil {
		return nil, err
	}
	w.language, w.toolchain = d.language(), "" // the daemon's
	return w, w.writeSums()
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

// writeModules writes go.work and the go.mod of the versions. A requirement raises
// a version, an exclusion drops every requirement of one that is too new; either
// leaves the recorded paths as the daemon has them, which replacing would not.
func (w *workspace) writeModules() error {
	mod := "module mms.invalid/versions\n\ngo " + w.daemon.language() + "\n\n"
	for _, path := range slices.Sorted(maps.Keys(w.require)) {
		mod += "require " + path + " " + w.require[path] + "\n"
	}
	for _, path := range slices.Sorted(maps.Keys(w.excluded)) {
		for _, version := range w.excluded[path] {
			mod += "exclude " + path + " " + version + "\n"
		}
	}
	return errors.Join(w.writeWork(), w.write("go.mod", mod))
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
	out, err := w.tool.output(ctx, w.dir, w.env(), append(args, w.pkg.ImportPath)...)
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
