package golib

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles"
)

// MaxText is how many bytes a text of a declaration may have. What is longer is
// cut and held against the module.
const MaxText = 4096

// Describe returns what a library says of itself. Versions that it leaves out are
// those of the facade it is linked with. It panics where an implementation of
// facade.Declared by embedding does.
func Describe(carrier string, library facade.Library) vehicle.Description {
	d := vehicle.Description{
		Vehicle:      carrier,
		MMSVersion:   mmsVersion(library),
		MesosVersion: bounded(mesosVersion(library)),
		MinMesos:     bounded(library.MinMesos),
		Complete:     true,
		Modules:      make([]vehicle.Module, 0, len(library.Modules)),
	}
	names := roleNames()
	seen := make(map[string]bool, len(library.Modules))
	for i, declared := range library.Modules {
		if declared == nil {
			d.Modules = append(d.Modules, vehicle.Module{Flaws: []string{
				fmt.Sprintf("entry %d of Modules is nil", i+1),
			}})
			continue
		}
		m := describe(declared.Declare(), names)
		if seen[m.Name] {
			m.Flaws = append(m.Flaws, fmt.Sprintf("the library declares the name %q more than once", m.Name))
		}
		seen[m.Name] = true
		d.Modules = append(d.Modules, m)
	}
	return d
}

func mmsVersion(library facade.Library) string {
	if library.MMSVersion == 0 {
		return fmt.Sprint(facade.MMSVersion)
	}
	return fmt.Sprint(library.MMSVersion)
}

func mesosVersion(library facade.Library) string {
	if library.MesosVersion == "" {
		return facade.MesosVersion
	}
	return library.MesosVersion
}

// describe turns a declaration into plain text, and notes what is wrong with it.
func describe(d facade.Declaration, names map[reflect.Type]string) vehicle.Module {
	var flaws flaws
	m := vehicle.Module{
		Name:        flaws.text("Name", d.Name),
		Role:        roleName(d.Role, names),
		Version:     flaws.text("Version", d.Version),
		Author:      flaws.text("Author", d.Author),
		Email:       flaws.text("Email", d.Email),
		Description: flaws.text("Description", d.Description),
		HasSchema:   d.Parameters.Declared(),
		Compatible:  d.Compatible != nil,
	}
	if d.Name == "" {
		flaws.note("the module has no Name")
	}
	if d.New == nil {
		flaws.note("the module has no constructor: New is nil")
	}
	for i, r := range d.Requires {
		field := fmt.Sprintf("Requires[%d]", i)
		if (r.Module == "") == (r.Role == "") {
			flaws.note("%s names a module or a role, exactly one of the two", field)
		}
		m.Requires = append(m.Requires, facade.Requirement{
			Module:   flaws.text(field+".Module", r.Module),
			Role:     flaws.text(field+".Role", r.Role),
			Version:  flaws.text(field+".Version", r.Version),
			Optional: r.Optional,
		})
	}
	for i, c := range d.Conflicts {
		field := fmt.Sprintf("Conflicts[%d]", i)
		if c.Module == "" {
			flaws.note("%s names no module", field)
		}
		m.Conflicts = append(m.Conflicts, facade.Conflict{
			Module:  flaws.text(field+".Module", c.Module),
			Version: flaws.text(field+".Version", c.Version),
		})
	}
	for i, name := range d.After {
		m.After = append(m.After, flaws.text(fmt.Sprintf("After[%d]", i), name))
	}
	if err := d.Parameters.Err(); err != nil {
		flaws.note("Parameters cannot be used: %s", bounded(err.Error()))
	}
	for _, spec := range d.Parameters.Specs() {
		field := "parameter " + bounded(spec.Key)
		spec.Key = flaws.text(field, spec.Key)
		spec.Default = flaws.text("default of "+field, spec.Default)
		spec.Doc = flaws.text("doc of "+field, spec.Doc)
		m.Parameters = append(m.Parameters, spec)
	}
	m.Flaws = flaws
	return m
}

// roleNames maps the Go type of every role that has one to the role's name.
func roleNames() map[reflect.Type]string {
	names := map[reflect.Type]string{}
	for _, r := range roles.Table() {
		if r.Type != nil {
			names[r.Type] = r.Name
		}
	}
	return names
}

// roleName is the role as the table calls it. A type that is no role is shown
// with its whole import path, because two packages of one name look the same
// otherwise.
func roleName(t reflect.Type, names map[reflect.Type]string) string {
	switch {
	case t == nil:
		return ""
	case names[t] != "":
		return names[t]
	case t.Name() != "" && t.PkgPath() != "":
		return bounded(t.PkgPath() + "." + t.Name())
	default:
		return bounded(t.String())
	}
}

// flaws collects what is wrong with one declaration.
type flaws []string

func (f *flaws) note(format string, args ...any) {
	*f = append(*f, fmt.Sprintf(format, args...))
}

// text returns s as it may be shown and sent, and notes what had to be changed.
func (f *flaws) text(field, s string) string {
	switch {
	case !utf8.ValidString(s):
		f.note("%s is not UTF-8", field)
	case len(s) > MaxText:
		f.note("%s is %d bytes long, and %d are allowed", field, len(s), MaxText)
	}
	return bounded(s)
}

func bounded(s string) string {
	if len(s) > MaxText {
		s = s[:MaxText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
