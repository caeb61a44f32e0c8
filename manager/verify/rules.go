package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/nearest"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles"
)

// rule is one row of the table: its id and what it is held against. The functions change nothing.
type rule struct {
	id      finding.Rule
	library func(*check, *library) []fault // each file, once
	module  func(*check, *module) []fault  // each module that was picked
	set     func(*check) []finding.Finding // all of them together
	gate    bool                           // who fails is asked nothing further
}

// rules returns the rules in the order in which they are checked. Those before are the load phase's; the one behind, a
// module's own check, is the caller's. The rules about versions are in versions.go.
func rules() []rule {
	return []rule{
		{id: finding.Handshake, library: handshake, gate: true},
		{id: finding.MMSVersion, library: libraryMMSVersion, module: moduleMMSVersion, gate: true},
		{id: finding.Metadata, library: libraryMetadata, module: moduleMetadata},
		{id: finding.ModulePresent, set: modulePresent},
		{id: finding.RoleKnown, module: roleKnown},
		{id: finding.RoleDaemon, module: roleDaemon},
		{id: finding.RoleVersion, module: roleVersion},
		{id: finding.LibraryVersion, library: libraryVersion, module: moduleVersion},
		{id: finding.EqualVersion, module: equalVersion},
		{id: finding.MinMesos, library: minMesos},
		{id: finding.UniqueName, set: uniqueName},
		{id: finding.Parameters, module: parameters},
		{id: finding.Requirement, set: solve}, // and version-clash, conflict, cycle, graph-size
		{id: finding.Instances, set: instances},
		{id: finding.Binding, set: bindings},
		{id: finding.OnFailure, set: onFailures},
		{id: finding.Fallback, set: fallbacks},
	}
}

func libraryMetadata(c *check, l *library) []fault {
	var faults []fault
	switch d := l.Description; {
	case d.MesosVersion != "":
		faults = c.strictVersion("the Mesos version the library was built for", d.MesosVersion)
	case l.speaksForModules(ownMesos):
		faults = []fault{{"the library does not say which Mesos release it was built for",
			"put MESOS_MODULE_LIBRARY() into one of its source files (C, C++), or export a facade.Library (Go), and rebuild it"}}
	}
	if min := l.Description.MinMesos; min != "" {
		faults = append(faults, c.strictVersion("the library's minimum Mesos version", min)...)
	}
	return faults
}

func moduleMetadata(c *check, m *module) []fault {
	const mend = "correct the declaration in the module's source"
	var faults []fault
	for _, flaw := range m.Flaws {
		faults = append(faults, fault{sentence(flaw), mend})
	}
	if m.Version != "" {
		faults = append(faults, c.strictVersion("the module's version", m.Version)...)
	}
	if m.MesosVersion != "" {
		faults = append(faults, c.strictVersion("the Mesos version the module was built for", m.MesosVersion)...)
	}
	for i, r := range m.Requires {
		if (r.Module == "") == (r.Role == "") {
			faults = append(faults, fault{fmt.Sprintf("requirement %d has to name either a module or a role", i+1), mend})
		}
	}
	for i, x := range m.Conflicts {
		if x.Module == "" {
			faults = append(faults, fault{fmt.Sprintf("conflict %d names no module", i+1), mend})
		}
	}
	keys := make(map[string]bool, len(m.Parameters))
	for i, spec := range m.Parameters {
		switch {
		case spec.Key == "":
			faults = append(faults, fault{fmt.Sprintf("declared parameter %d has no key", i+1), mend})
		case keys[spec.Key]:
			faults = append(faults, fault{fmt.Sprintf("parameter %s is declared twice", show(spec.Key)), mend})
		case spec.Default != "":
			schema := facade.MakeSchema([]facade.ParameterSpec{shielded(spec)})
			for _, err := range schema.Check(facade.Parameters{{Key: spec.Key, Value: spec.Default}}) {
				faults = append(faults, fault{"the declared default does not fit: " + sentence(err.Error()), mend})
			}
		}
		keys[spec.Key] = true
	}
	return faults
}

// shielded makes a parameter secret that looks it, whatever its author declared.
func shielded(spec facade.ParameterSpec) facade.ParameterSpec {
	spec.Secret = spec.Secret || manifest.LooksSecret(spec.Key)
	return spec
}

func modulePresent(c *check) []finding.Finding {
	var all []finding.Finding
	for _, u := range c.unfound {
		if u.lib.unreadable {
			continue
		}
		f := finding.Finding{Rule: finding.ModulePresent, Module: u.Name, Library: u.lib.Path, Path: fromManifest(u.At, u.Name)}
		f.Problem = fmt.Sprintf("the library has no module %s", show(u.Name))
		var names []string
		for _, m := range u.lib.Description.Modules {
			names = append(names, m.Name)
		}
		switch near := nearest.Name(u.Name, names); {
		case near != "":
			f.Mend = fmt.Sprintf("did you mean %s? The library has: %s", show(near), list(names))
		case len(names) > 0:
			f.Mend = "name one of the modules that it has: " + list(names)
		default:
			f.Mend = "take the library out of the manifest: it has no modules at all"
		}
		all = append(all, f)
	}
	return all
}

func roleKnown(c *check, m *module) []fault {
	var faults []fault
	role, ok := c.roles[m.Role]
	switch {
	case m.Role == "" && len(m.Flaws) > 0: // said by metadata
	case !ok:
		faults = append(faults, c.noRole("the module's role", m.Role))
	case role.Type == nil:
		faults = append(faults, fault{fmt.Sprintf("the role %s is declared, and this release has no caller for it yet", role.Name),
			"leave the module out until a release calls its role; \"mesos-module roles\" shows which do"})
	case m.lib.Description.Vehicle == vehicle.Native && !role.Native:
		faults = append(faults, fault{fmt.Sprintf("the role %s has no native interface in this release: a C or C++ library cannot fulfil it", role.Name),
			"write the module in Go; \"mesos-module roles\" shows which roles have a native interface"})
	}
	for _, r := range m.Requires {
		if _, ok := c.roles[r.Role]; !ok && r.Role != "" {
			faults = append(faults, c.noRole("a role that the module requires", r.Role))
		}
	}
	return faults
}

func (c *check) noRole(what, name string) fault {
	var names []string
	for _, r := range c.Roles {
		names = append(names, r.Name)
	}
	f := fault{problem: fmt.Sprintf("%s, %s, is none of the pre-declared roles", what, show(name))}
	if near := nearest.Name(name, names); near != "" {
		f.mend = fmt.Sprintf("did you mean %s? ", near)
	}
	f.mend += "The roles are: " + list(names)
	return f
}

// roleDaemon excuses whom only a flag of the other daemon leads to, so that one flag file serves both, and what the
// daemon's own library has beyond the roles used here.
func roleDaemon(c *check, m *module) []fault {
	role, ok := c.roles[m.Role]
	if !ok || role.Type == nil || role.On&c.Daemon != 0 {
		return nil
	}
	excused := role.On != 0 && c.elsewhere.has(m.Name) || m.lib.own()
	if excused && !c.here.has(m.Name) {
		return nil
	}
	mend := "take the module out of the manifest: no daemon uses the role"
	if role.On != 0 {
		mend = fmt.Sprintf("load it in %s; where one flag file serves both daemons, name it there by a flag of its role (%s)",
			role.On, flagsOf(role))
	}
	return []fault{{fmt.Sprintf("%s has no use for the role %s", c.Daemon, role.Name), mend}}
}

func flagsOf(role roles.Role) string {
	var flags []string
	for _, site := range role.Sites {
		if site.Flag != "" {
			flags = append(flags, "--"+site.Flag)
		}
	}
	return strings.Join(flags, ", ")
}

func uniqueName(c *check) []finding.Finding {
	var all []finding.Finding
	for _, m := range c.modules {
		if first := c.byName[m.Name]; first != m {
			all = append(all, c.against(finding.UniqueName, m, fault{
				fmt.Sprintf("the name stands for two modules, in %s and in %s: %s", first.in(), m.in(), difference(first, m)),
				"remove one of the two, rename it in its source, or make both entries equal"}))
		}
	}
	return all
}

// difference says in what two modules of one name differ, or nothing if they are identical in every respect: the same
// file, whatever its spelling, the same parameters in the same order, the same declaration.
func difference(a, b *module) string {
	switch {
	case a.lib != b.lib:
		return "these are different files"
	case !a.parameters.Equal(b.parameters):
		return "the parameters differ" + differingKey(a.parameters, b.parameters)
	default:
		return ""
	}
}

// differingKey names the place of the first difference. Values are not shown: they may be secret.
func differingKey(a, b facade.Parameters) string {
	if len(a) != len(b) {
		return fmt.Sprintf(", there are %d and %d of them", len(a), len(b))
	}
	i := slices.IndexFunc(a, func(x facade.Parameter) bool { return !slices.Contains(b, x) })
	if i < 0 {
		return " in their order"
	}
	return fmt.Sprintf(", first at %s", show(a[i].Key))
}

func parameters(_ *check, m *module) []fault {
	if !m.HasSchema {
		return nil
	}
	var (
		faults []fault
		known  facade.Parameters
		specs  []facade.ParameterSpec
		keys   []string
	)
	for _, spec := range m.Module.Parameters {
		specs = append(specs, shielded(spec))
		keys = append(keys, spec.Key)
	}
	for _, p := range m.parameters {
		if slices.Contains(keys, p.Key) {
			known = append(known, p)
		} else {
			faults = append(faults, unknownKey(p.Key, keys))
		}
	}
	mend := "correct the parameter in the manifest"
	if m.at != "" {
		mend += ", at " + show(m.at)
	}
	for _, err := range facade.MakeSchema(specs).Check(known) {
		faults = append(faults, fault{sentence(err.Error()), mend})
	}
	return faults
}

func unknownKey(key string, keys []string) fault {
	f := fault{problem: fmt.Sprintf("the module has no parameter %s", show(key)), mend: "remove it: the module takes none"}
	if len(keys) > 0 {
		f.mend = "the module knows: " + list(keys)
	}
	if near := nearest.Name(key, keys); near != "" {
		f.mend = fmt.Sprintf("did you mean %s? The", show(near)) + strings.TrimPrefix(f.mend, "the")
	}
	return f
}

// instances is said of the flag: upstream's words are "multiple … not supported".
func instances(c *check) []finding.Finding {
	var all []finding.Finding
	for _, b := range c.bindings {
		if takesOne := b.site.Takes == roles.One || b.site.Takes == roles.Each; !b.known || !takesOne || len(b.Refs) < 2 {
			continue
		}
		all = append(all, finding.Finding{Rule: finding.Instances, Path: []string{"--" + b.Flag},
			Problem: fmt.Sprintf("--%s names %d modules (%s), and multiple instances of %s are not supported there", b.Flag, len(b.Refs),
				list(names(b.Refs)), b.role.Name),
			Mend: "name one of them"})
	}
	return all
}

func names(refs []Ref) []string {
	all := make([]string, len(refs))
	for i, ref := range refs {
		all[i] = ref.Name
	}
	return all
}

func bindings(c *check) []finding.Finding {
	var all []finding.Finding
	for i, b := range c.bindings {
		if !b.known {
			all = append(all, c.unknownFlag(b))
			continue
		}
		for _, earlier := range c.bindings[:i] {
			if sameSite(earlier, b) && !slices.Equal(earlier.Refs, b.Refs) {
				all = append(all, finding.Finding{Rule: finding.Binding, Path: []string{"--" + b.Flag},
					Problem: fmt.Sprintf("--%s and --%s are one binding site (%s) and name different modules: %s and %s",
						earlier.Flag, b.Flag, b.role.Name, list(names(earlier.Refs)), list(names(b.Refs))),
					Mend: "give one of the two flags"})
				break
			}
		}
		seen := make(map[string]bool, len(b.Refs))
		for j, ref := range b.Refs {
			if f, bad := c.wrongRef(b, j, ref, seen[ref.Name]); bad {
				all = append(all, f)
			}
			seen[ref.Name] = true
		}
	}
	return all
}

func (c *check) unknownFlag(b binding) finding.Finding {
	f := finding.Finding{Rule: finding.Binding, Path: []string{"--" + b.Flag},
		Problem: fmt.Sprintf("no daemon has a binding site with the flag --%s", show(b.Flag)),
		Mend:    "\"mesos-module roles\" lists the binding flags"}
	if near := nearest.Name(b.Flag, c.flags()); near != "" {
		f.Mend = fmt.Sprintf("did you mean --%s? ", near) + f.Mend
	}
	return f
}

// wrongRef judges one name of a flag's value, which the flag may have named before.
func (c *check) wrongRef(b binding, place int, ref Ref, again bool) (finding.Finding, bool) {
	m := c.byName[ref.Name]
	if ref.Name != "" && m != nil && m.Role == b.role.Name && !again {
		return finding.Finding{}, false
	}
	f := finding.Finding{Rule: finding.Binding, Module: ref.Name, Path: []string{"--" + b.Flag, ref.Name}}
	flag := "--" + b.Flag
	if b.FromDefault {
		flag = "the default of --" + b.Flag
	}
	switch {
	case ref.Name == "":
		f.Path = f.Path[:1]
		f.Problem = fmt.Sprintf("%s has an empty name at place %d", flag, place+1)
		f.Mend = "remove the spare comma, or name a module"
	case again:
		f.Problem = fmt.Sprintf("%s names %s more than once", flag, show(ref.Name))
		f.Mend = "name it once"
	case m != nil && m.Role != b.role.Name:
		if m.unreadable() || c.roles[m.Role].Name == "" {
			return f, false // has its finding
		}
		f.Library = m.lib.Path
		f.Problem = fmt.Sprintf("%s takes modules of role %s, and %s has the role %s", flag, b.role.Name, show(ref.Name), m.Role)
		f.Mend = c.proposal(b.role.Name, ref.Name)
	case m == nil && !c.absent[ref.Name] && b.here:
		f.Problem = fmt.Sprintf("%s names %s, and no such module is loaded", flag, show(ref.Name))
		f.Mend = c.proposal(b.role.Name, ref.Name)
	default:
		return f, false
	}
	return f, true
}

// proposal names modules of the role, loaded ones or else such that the manifest could name.
func (c *check) proposal(role, instead string) string {
	if lib := c.unpickedIn(instead, role); lib != nil {
		return fmt.Sprintf("name it in the manifest too: it is in %s", nameOf(lib))
	}
	for _, x := range c.Candidates {
		if x.Name == instead && x.Role == role {
			return "name it in the manifest too: a library in the configured folders has it"
		}
	}
	loaded := c.nameable(role)
	if len(loaded) == 0 {
		return fmt.Sprintf("load a module of role %s: there is none in the manifest", role)
	}
	proposal := fmt.Sprintf("loaded modules of role %s: %s", role, list(loaded))
	if near := nearest.Name(instead, loaded); near != "" {
		proposal = fmt.Sprintf("did you mean %s? ", show(near)) + strings.ToUpper(proposal[:1]) + proposal[1:]
	}
	return proposal
}

// nameable are the modules of the role that a flag can name as things are: the loaded ones, and those of the daemon itself.
func (c *check) nameable(role string) []string {
	names := slices.Clone(c.byRole[role])
	for _, l := range c.libraries {
		for _, m := range l.Description.Modules {
			if l.own() && m.Role == role {
				names = append(names, m.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unpickedIn returns the library that has a module of the role under this name which nobody picked.
func (c *check) unpickedIn(name, role string) *library {
	for _, l := range c.libraries {
		if i, ok := l.index[name]; ok && c.byName[name] == nil && l.Description.Modules[i].Role == role {
			return l
		}
	}
	return nil
}
