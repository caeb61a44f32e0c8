package verify

import (
	"slices"

	"github.com/Masterminds/semver/v3"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles"
)

// Check holds every rule against the whole set and returns everything it found. Who fails the handshake is asked nothing
// further: his other words cannot be trusted. It is safe for concurrent use, and linear in modules and requirements but
// for sorting, and for what each module requires that takes over for another.
func Check(in Input) Result {
	c := newCheck(in)
	for _, r := range rules() {
		c.hold(r)
	}
	result := Result{Findings: tidy(c.findings)}
	if len(result.Findings) == 0 && len(in.NotLoaded) == 0 {
		result.Plan = c.draw()
	}
	result.Notices = c.notices(result.Plan)
	return result
}

// check is the working state of one run: what was handed in, with names resolved.
type check struct {
	Input
	roles     map[string]roles.Role
	libraries []*library // one for each file, in load order
	modules   []*module  // in load order, identical repetitions dropped
	byName    map[string]*module
	byRole    map[string][]string // names of the loaded modules of a role
	unfound   []unfound
	absent    map[string]bool            // wanted by the manifest, and not to be had from its library
	bindings  []binding                  // in flag order
	versions  map[string]*semver.Version // each text once; nil for what is none

	roots           rootsOf
	here, elsewhere reach // along the declared requirements and fallbacks, from flags of this daemon and of the other one
	graph           *depgraph.Plan
	findings        []finding.Finding
}

type library struct {
	Library
	index      map[string]int // of its modules, by name
	named      []*module
	unreadable bool // failed the handshake
}

// module is a module that a library has and somebody picked.
type module struct {
	vehicle.Module
	parameters facade.Parameters
	onFailure  manifest.OnFailure
	at         string
	lib        *library
	failed     bool // its own handshake
}

// unfound is a module that the manifest names and its library does not have.
type unfound struct {
	Named
	lib *library
}

// unreadable says whether a module's words cannot be trusted.
func (m *module) unreadable() bool {
	return m.failed || m.lib.unreadable && m.MMSVersion == ""
}

func newCheck(in Input) *check {
	named := 0
	for _, l := range in.Libraries {
		named += len(l.Named)
	}
	c := &check{
		Input: in, roles: map[string]roles.Role{}, versions: map[string]*semver.Version{}, absent: map[string]bool{},
		modules: make([]*module, 0, named), byName: make(map[string]*module, named), byRole: map[string][]string{},
	}
	for _, r := range in.Roles {
		c.roles[r.Name] = r
	}
	for _, name := range in.NotLoaded {
		c.absent[name] = true
	}
	files := map[fileKey]*library{}
	for _, l := range in.Libraries {
		lib := files[keyOf(l)]
		if lib == nil {
			lib = newLibrary(l)
			files[keyOf(l)] = lib
			c.libraries = append(c.libraries, lib)
		}
		for _, n := range l.Named {
			c.pick(lib, n)
		}
	}
	for _, b := range in.Bindings {
		c.bindings = append(c.bindings, c.resolve(b))
	}
	c.pickOwn()
	c.roots = rootsOf{here: c.rootsIn(true), elsewhere: c.rootsIn(false)}
	c.here = walk(c.roots.here, c.reaches())
	c.elsewhere = walk(c.roots.elsewhere, c.reaches())
	return c
}

func newLibrary(l Library) *library {
	lib := &library{Library: l, index: make(map[string]int, len(l.Description.Modules))}
	for i, m := range l.Description.Modules {
		lib.index[m.Name] = i // of two of one name the later: it carries the flaw
	}
	return lib
}

// own says whether this is what the daemon binary itself carries.
func (l *library) own() bool { return l.Description.Vehicle == vehicle.Builtin }

// fileKey is what makes two libraries one file.
type fileKey struct {
	identity vehicle.Identity
	path     string // only where there is no identity
}

func keyOf(l Library) fileKey {
	if l.Identity == (vehicle.Identity{}) {
		return fileKey{path: l.Path}
	}
	return fileKey{identity: l.Identity}
}

// pick takes a named module from its library. The first of a name is the one that flags and requirements mean; another
// that is identical to it adds nothing.
func (c *check) pick(lib *library, n Named) {
	i, ok := lib.index[n.Name]
	if !ok {
		c.absent[n.Name] = true
		c.unfound = append(c.unfound, unfound{n, lib})
		return
	}
	m := &module{Module: lib.Description.Modules[i], parameters: n.Parameters, onFailure: n.OnFailure, at: n.At, lib: lib}
	first := c.byName[m.Name]
	if first != nil && difference(first, m) == "" {
		return
	}
	if first == nil {
		c.byName[m.Name] = m
		c.byRole[m.Role] = append(c.byRole[m.Role], m.Name)
	}
	c.modules = append(c.modules, m)
	lib.named = append(lib.named, m)
}

// pickOwn picks, from the daemon's own library, what flags name and modules require and fall back to.
func (c *check) pickOwn() {
	own := slices.IndexFunc(c.libraries, (*library).own)
	if own < 0 {
		return
	}
	lib := c.libraries[own]
	take := func(name string) {
		if _, has := lib.index[name]; has && c.byName[name] == nil && !c.absent[name] {
			c.pick(lib, Named{Name: name, Parameters: lib.Parameters[name]})
		}
	}
	for _, b := range c.bindings {
		for _, ref := range b.Refs {
			take(ref.Name)
		}
	}
	for i := 0; i < len(c.modules); i++ { // grows meanwhile
		for _, r := range c.modules[i].Requires {
			if r.Module != "" && !r.Optional {
				take(r.Module)
			}
		}
		take(c.modules[i].onFailure.Fallback)
	}
}

// hold holds one rule against all that it concerns.
func (c *check) hold(r rule) {
	for _, lib := range c.libraries {
		if r.library == nil || lib.unreadable {
			continue
		}
		faults := r.library(c, lib)
		for _, f := range faults {
			c.findings = append(c.findings, finding.Finding{Rule: r.id, Library: lib.Path, Path: c.pathToLibrary(lib),
				Problem: f.problem, Mend: f.mend})
		}
		lib.unreadable = r.gate && len(faults) > 0
	}
	for _, m := range c.modules {
		if r.module == nil || m.unreadable() {
			continue
		}
		faults := r.module(c, m)
		for _, f := range faults {
			c.findings = append(c.findings, c.against(r.id, m, f))
		}
		m.failed = r.gate && len(faults) > 0
	}
	if r.set != nil {
		c.findings = append(c.findings, r.set(c)...)
	}
}

// against is a finding against a module.
func (c *check) against(id finding.Rule, m *module, f fault) finding.Finding {
	return finding.Finding{Rule: id, Module: m.Name, Library: m.lib.Path, Path: c.pathTo(m), Problem: f.problem, Mend: f.mend}
}

// tidy sorts findings and drops repetitions. It never returns nil, so that JSON shows an empty list.
func tidy(all []finding.Finding) []finding.Finding {
	finding.Sort(all)
	all = slices.CompactFunc(all, func(a, b finding.Finding) bool {
		return a.Rule == b.Rule && a.Module == b.Module && a.Library == b.Library && a.Problem == b.Problem
	})
	return append([]finding.Finding{}, all...)
}
