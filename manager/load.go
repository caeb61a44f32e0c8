package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/builtin"
	"github.com/mesos-modules/mms/manager/vehicle/file"
)

// builtinName is how a manifest names the daemon binary itself as a library, to
// give parameters to the modules in it.
const builtinName = "builtin"

// Load recognises the libraries of the manifests from their bytes, has all of
// them opened by a child process, and opens them here. It may be called several
// times before Verify, and a module can be named again if nothing about it
// differs. On an error nothing of this call stays registered, and its native
// libraries are closed; the error is a *finding.Error with everything that stands
// against the whole set, so far as it can be told.
func (m *Manager) Load(ctx context.Context, manifests ...manifest.Manifest) error {
	return m.seq.Do(ctx, lifecycle.Load, func(ctx context.Context) error { return m.load(ctx, manifests) })
}

// loadAll loads the configured manifests.
func (m *Manager) loadAll(ctx context.Context) error { return m.load(ctx, m.cfg.Manifests) }

func (m *Manager) load(ctx context.Context, manifests []manifest.Manifest) error {
	l := &loading{m: m}
	err := l.run(ctx, manifests)
	if err == nil && len(l.findings) > 0 {
		err = m.held(m.check(ctx, l.findings, l.missing))
	}
	if err != nil || ctx.Err() != nil {
		l.forget()
	}
	return err
}

// loading is one call of Load.
type loading struct {
	m        *Manager
	files    []*candidate
	findings []finding.Finding
	missing  []string // modules whose library could not be loaded
	undo     []func() // takes back what was written into the books; called with m.mu held
}

// forget takes the modules of this call out of the books. Its libraries are closed
// by the unwinding of the phase.
func (l *loading) forget() {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	for _, undo := range slices.Backward(l.undo) {
		undo()
	}
}

// candidate is a library file on its way in.
type candidate struct {
	wanted      []manifest.Library // one file may be named several times
	path        string             // as the first of them spells it
	file        vehicle.File
	vehicle     vehicle.Vehicle
	description vehicle.Description
	isolated    bool             // it runs in a process of its own
	process     manifest.Process // of an isolated one
	launched    launched         // of an isolated one, until it is in the books
	library     *library         // open, from this call or an earlier one
}

// run brings in what can be brought in. It returns an error only when it cannot
// go on at all.
func (l *loading) run(ctx context.Context, manifests []manifest.Manifest) error {
	if err := l.openBuiltin(ctx); err != nil {
		return err
	}
	for _, mf := range manifests {
		for _, wanted := range mf.Libraries {
			if wanted.File == "" && wanted.Name == builtinName {
				l.nameBuiltin(wanted)
				continue
			}
			if ctx.Err() != nil { // large files take a while
				return fmt.Errorf("recognise the libraries: %w", context.Cause(ctx))
			}
			l.recognise(wanted)
		}
	}
	l.isolate()
	if err := l.try(ctx); err != nil {
		return err
	}
	if err := l.launch(ctx); err != nil {
		return errors.Join(err, l.giveUp(ctx))
	}
	for _, c := range l.files {
		if err := l.open(ctx, c); err != nil {
			return errors.Join(err, l.giveUp(ctx))
		}
		l.name(c)
	}
	return nil
}

// recognise finds the file and reads what it says of itself; nothing of it runs.
func (l *loading) recognise(wanted manifest.Library) {
	path, _, err := manifest.Resolve(wanted, l.m.cfg.WorkDir, l.m.cfg.SearchPath)
	if err != nil {
		mend := "correct the path"
		if !strings.Contains(wanted.File, "/") { // it is searched for
			mend = "correct the name, write the path, or add the library's folder to --modules_path"
		}
		l.refuse(wanted, shown(wanted), &vehicle.Refusal{Rule: finding.LibraryFile, Problem: err.Error(), Cause: err, Mend: mend})
		return
	}
	f, err := file.Look(path, file.Options{AllowWorldWritable: l.m.cfg.AllowWorldWritable})
	if err != nil {
		l.refuse(wanted, path, err)
		return
	}
	for _, c := range l.files {
		if c.file.Identity == f.Identity {
			c.wanted = append(c.wanted, wanted)
			return
		}
	}
	c := &candidate{wanted: []manifest.Library{wanted}, path: path, file: f, library: l.m.libraryByIdentity(f.Identity)}
	if c.library == nil {
		if err := c.recognise(l.m.cfg.Vehicles); err != nil {
			l.refuse(wanted, path, err)
			return
		}
	}
	l.files = append(l.files, c)
}

func (c *candidate) recognise(vehicles []vehicle.Vehicle) error {
	for _, v := range vehicles {
		d, ok, err := v.Recognise(c.file)
		if err != nil {
			return err
		}
		if ok {
			c.vehicle, c.description = v, d
			return nil
		}
	}
	return &vehicle.Refusal{Rule: finding.LibraryFormat, Problem: "no vehicle of this daemon carries such a file",
		Mend: "build a Go plugin with mesos-module build, or a C or C++ library against the headers of mesos-module headers"}
}

// try has a child process open all new libraries that the daemon is to open, which also
// describes those whose bytes do not say everything.
func (l *loading) try(ctx context.Context) error {
	var requests []trial.Request
	var asked []*candidate
	for _, c := range l.files {
		if c.library == nil && !c.isolated {
			requests = append(requests, trial.Request{File: c.file, Vehicle: c.vehicle.Name(), Description: c.description, Limit: c.limits(l.m).Open})
			asked = append(asked, c)
		}
	}
	if len(requests) == 0 {
		return nil
	}
	var limit time.Duration
	for _, r := range requests {
		limit += trial.Longest(r.Limit)
	}
	var verdicts []trial.Verdict
	err := l.m.runner.Run(ctx, lifecycle.Step{Phase: lifecycle.Load, Name: "trial", Limit: limit}, func(ctx context.Context) (err error) {
		verdicts, err = l.m.cfg.Trial(ctx, requests, trial.Options{})
		return err
	})
	if err != nil {
		return fmt.Errorf("open the libraries in a child process: %w", err)
	}
	for i, c := range asked {
		if verdicts[i].Err != nil {
			l.drop(c, verdicts[i].Err)
			continue
		}
		c.description = verdicts[i].Description
	}
	return nil
}

// open opens a library in the daemon: the same file that was looked at and tried.
func (l *loading) open(ctx context.Context, c *candidate) error {
	if c.library != nil {
		return nil
	}
	if c.isolated {
		return l.adopt(c)
	}
	lib := &library{path: c.path, file: c.file, description: c.description, limits: c.limits(l.m)}
	err := l.m.openLibrary(ctx, lib, func(ctx context.Context) (vehicle.Library, error) {
		if err := file.Same(c.file); err != nil {
			return nil, err
		}
		opened, err := c.vehicle.Open(ctx, c.file, c.description)
		if err != nil {
			return nil, err
		}
		if err := file.Same(c.file); err != nil {
			return nil, errors.Join(err, opened.Close())
		}
		return opened, nil
	})
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		l.drop(c, err)
		return nil
	}
	c.library = lib
	return nil
}

// openLibrary opens a library as a guarded step, puts it into the books, and
// records how it is closed.
func (m *Manager) openLibrary(ctx context.Context, lib *library, open func(context.Context) (vehicle.Library, error)) error {
	opened, undo, err := lifecycle.Start(ctx, m.seq.Stack(),
		lifecycle.Step{Phase: lifecycle.Load, Library: lib.shown(), Name: "open", Limit: lib.limits.Open}, open,
		lifecycle.Step{Phase: lifecycle.Teardown, Library: lib.shown(), Name: "close", Limit: lib.limits.Close},
		func(_ context.Context, opened vehicle.Library) error { return m.closeLibrary(lib, opened) })
	if err != nil {
		return err
	}
	m.enlist(lib, opened, undo)
	return nil
}

// openBuiltin opens the libraries of the binary itself, once.
func (l *loading) openBuiltin(ctx context.Context) error {
	if len(l.m.cfg.Builtin) == 0 || l.m.builtinOpen() {
		return nil
	}
	libraries := slices.Clone(l.m.cfg.Builtin)
	for i := range libraries {
		if libraries[i].MesosVersion == "" {
			libraries[i].MesosVersion = l.m.cfg.MesosVersion // what is compiled in is of the daemon's own release
		}
	}
	binary := builtin.New(builtinName, libraries...)
	lib := &library{ships: true, description: binary.Description(), limits: l.m.cfg.Limits}
	if err := l.m.openLibrary(ctx, lib, func(context.Context) (vehicle.Library, error) { return binary, nil }); err != nil {
		return err
	}
	for _, declared := range lib.description.Modules {
		l.add(lib, manifest.Module{Name: declared.Name}, lib.limits, false)
	}
	return nil
}

func (m *Manager) builtinOpen() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.ContainsFunc(m.libraries, func(lib *library) bool { return lib.ships })
}

// nameBuiltin gives modules of the binary the parameters of the manifest.
func (l *loading) nameBuiltin(wanted manifest.Library) {
	l.isolateBuiltin(wanted)
	for _, w := range wanted.Modules {
		if mod := l.m.moduleOf(w.Name); mod != nil && mod.library.ships {
			l.add(mod.library, w, limitsOr(wanted.Limits, l.m.cfg.Limits), true)
			continue
		}
		l.hold(finding.Finding{Rule: finding.ModulePresent, Module: w.Name, Library: builtinName, Path: way(w.At, w.Name),
			Problem: fmt.Sprintf("no module of this name is compiled into %v", l.m.cfg.Daemon),
			Mend:    "mesos-module roles and the daemon's GET /modules show what is"})
	}
}

// name registers the modules that the manifest picks from an open library.
func (l *loading) name(c *candidate) {
	if c.library == nil {
		return
	}
	for _, wanted := range c.wanted {
		for _, w := range wanted.Modules {
			l.add(c.library, w, limitsOr(wanted.Limits, c.library.limits), true)
		}
	}
}

// add registers one module, or holds against it that its name is taken.
func (l *loading) add(lib *library, w manifest.Module, limits manifest.Limits, named bool) {
	m := l.m
	mod := &module{name: w.Name, library: lib, declared: lib.describe(w.Name),
		limits: limitsOr(w.Limits, limits), onFailure: w.OnFailure, at: w.At.String(), named: named, phase: lifecycle.Load}
	mod.own = parametersOf(w)
	parameters := withDefaults(mod.own, mod.knows(m.cfg.Parameters[w.Name]))
	mod.parameters = parameters
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.modules[w.Name]
	if old != nil && old.library.ships && !old.named && !lib.ships {
		m.unname(old)
		mod.standsFor, old = old, nil
	}
	switch {
	case old == nil:
		m.register(mod)
		l.undo = append(l.undo, func() { m.unname(mod) })
	case old.library != lib:
		l.hold(finding.Finding{Rule: finding.UniqueName, Module: w.Name, Library: lib.shown(), Path: way(w.At, w.Name),
			Problem: fmt.Sprintf("the name is taken by a module of %s%s", old.library.shown(), at(old.at)),
			Mend:    "load one of the two; every module name is unique in a daemon"})
	case !old.named:
		before := *old
		l.undo = append(l.undo, func() { *old = before })
		old.parameters, old.own, old.limits, old.at, old.named = parameters, mod.own, limitsOr(w.Limits, limits), w.At.String(), true
		old.onFailure = w.OnFailure
	case !old.parameters.Equal(parameters):
		l.hold(finding.Finding{Rule: finding.UniqueName, Module: w.Name, Library: lib.shown(), Path: way(w.At, w.Name),
			Problem: fmt.Sprintf("the module is named twice with different parameters%s", at(old.at)),
			Mend:    "name it once; for several instances of one module give each use its own parameters where its site allows"})
	case old.onFailure != w.OnFailure:
		l.hold(finding.Finding{Rule: finding.UniqueName, Module: w.Name, Library: lib.shown(), Path: way(w.At, w.Name),
			Problem: fmt.Sprintf("the module is named twice with different \"on_failure\"%s", at(old.at)), Mend: "name it once"})
	}
}

func (c *candidate) limits(m *Manager) manifest.Limits {
	var l manifest.Limits
	for _, w := range c.wanted {
		l = limitsOr(l, w.Limits)
	}
	return limitsOr(l, m.cfg.Limits)
}
