package moduletool

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// fieldNames are the keys of rows, those of libraries first.
func fieldNames() []string {
	return []string{
		"file", "size", "sha256", "identity", "mode", "described-by", "vehicle", "mms-version", "mesos-version", "min-mesos", "build",
		"module", "role", "version", "author", "email", "description", "requires", "conflicts", "after", "parameter", "check", "flaw",
	}
}

// show writes what is known of the libraries; findings go to standard error.
func (t *Tool) show(all []*inspection, field string) error {
	switch {
	case t.json() && field != "":
		values := []string{}
		for _, l := range all {
			values = append(values, l.values(field)...)
		}
		return writeJSON(t.Stdout, values)
	case t.json():
		return writeJSON(t.Stdout, all)
	}
	for i, l := range all {
		if err := t.showOne(l, field, i > 0); err != nil {
			return err
		}
		for _, f := range l.Findings {
			fmt.Fprintf(t.Stderr, "mesos-module inspect: %s\n", shownFinding(f))
		}
	}
	return nil
}

// shownFinding is a finding as one line.
func shownFinding(f finding.Finding) string {
	return strings.Join(strings.Fields(f.String()), " ")
}

func (t *Tool) showOne(l *inspection, field string, gap bool) error {
	if field != "" {
		for _, v := range l.values(field) {
			if _, err := fmt.Fprintln(t.Stdout, report.Plain(v)); err != nil {
				return err
			}
		}
		return nil
	}
	rows := l.rows()
	if len(rows) == 0 {
		return nil
	}
	if gap {
		fmt.Fprintln(t.Stdout)
	}
	if err := writeRows(t.Stdout, "", rows); err != nil {
		return err
	}
	if l.Library == nil {
		return nil
	}
	if len(l.Library.Modules) == 0 && len(l.Findings) == 0 {
		_, err := fmt.Fprintf(t.Stdout, "\n%s\n", bold(t.style().Colour, "no modules"))
		return err
	}
	for _, m := range l.Library.Modules {
		if _, err := fmt.Fprintf(t.Stdout, "\n%s\n", bold(t.style().Colour, "module "+report.Plain(m.Name))); err != nil {
			return err
		}
		if err := writeRows(t.Stdout, "  ", moduleRows(l.Library, m)[1:]); err != nil {
			return err
		}
	}
	return nil
}

// values returns all values of a field.
func (l *inspection) values(field string) []string {
	rows := l.rows()
	if l.Library != nil {
		for _, m := range l.Library.Modules {
			rows = append(rows, moduleRows(l.Library, m)...)
		}
	}
	var values []string
	for _, r := range rows {
		if r.key == field {
			values = append(values, r.value)
		}
	}
	return values
}

// rows are what is known of the library itself.
func (l *inspection) rows() []row {
	var rows []row
	if f := l.File; f != nil {
		rows = append(rows, row{"file", f.Path}, row{"size", strconv.FormatInt(f.Size, 10)}, row{"sha256", f.SHA256},
			row{"identity", fmt.Sprintf("device %d, inode %d", f.Device, f.Inode)}, row{"mode", f.Mode})
	}
	d := l.Library
	if d == nil {
		return rows
	}
	by := l.DescribedBy
	if !d.Complete {
		by += " (incomplete)"
	}
	rows = append(rows, row{"described-by", by}, row{"vehicle", d.Vehicle})
	rows = appendSet(rows, row{"mms-version", d.MMSVersion}, row{"mesos-version", d.MesosVersion}, row{"min-mesos", d.MinMesos})
	for _, s := range d.Build {
		rows = append(rows, row{"build", s.Key + ": " + s.Value})
	}
	return rows
}

// moduleRows are what a module says of itself; the first is its name. Versions of
// its own are shown where they are others than the library's.
func moduleRows(library *vehicle.Description, m vehicle.Module) []row {
	if m.MMSVersion == library.MMSVersion {
		m.MMSVersion = ""
	}
	if m.MesosVersion == library.MesosVersion {
		m.MesosVersion = ""
	}
	rows := []row{{"module", m.Name}, {"role", m.Role}}
	rows = appendSet(rows, row{"version", m.Version}, row{"author", m.Author}, row{"email", m.Email}, row{"description", m.Description},
		row{"mms-version", m.MMSVersion}, row{"mesos-version", m.MesosVersion})
	for _, r := range m.Requires {
		rows = append(rows, row{"requires", requirement(r)})
	}
	for _, c := range m.Conflicts {
		rows = append(rows, row{"conflicts", strings.TrimSpace(c.Module + " " + c.Version)})
	}
	for _, a := range m.After {
		rows = append(rows, row{"after", a})
	}
	for _, p := range m.Parameters {
		rows = append(rows, row{"parameter", parameter(p)})
	}
	switch {
	case !m.HasSchema:
		rows = append(rows, row{"parameter", "(not described: every key is passed on unchecked)"})
	case len(m.Parameters) == 0:
		rows = append(rows, row{"parameter", "(it takes none)"})
	}
	check := "none: library and daemon must have the same Mesos version"
	if m.Compatible {
		check = "its own, which has the last word on later Mesos versions"
	}
	rows = append(rows, row{"check", check})
	for _, f := range m.Flaws {
		rows = append(rows, row{"flaw", f})
	}
	return rows
}

// appendSet appends the rows that have a value.
func appendSet(rows []row, more ...row) []row {
	return append(rows, slices.DeleteFunc(more, func(r row) bool { return r.value == "" })...)
}

func requirement(r facade.Requirement) string {
	text := r.Module
	if r.Role != "" {
		text = "role " + r.Role
	}
	if r.Version != "" {
		text += " " + r.Version
	}
	if r.Optional {
		text += " (if it is loaded)"
	}
	return text
}

// parameter is a parameter on one line: key type=default [options]: doc.
func parameter(p facade.ParameterSpec) string {
	text := p.Key + " (" + p.Type
	for _, o := range []struct {
		set  bool
		word string
	}{{p.Required, "required"}, {p.Secret && p.Type != "secret", "secret"}, {p.Repeated, "repeated"}} {
		if o.set {
			text += ", " + o.word
		}
	}
	if p.Default != "" {
		text += ", default " + strconv.Quote(p.Default)
	}
	text += ")"
	if p.Doc != "" {
		text += ": " + p.Doc
	}
	return text
}
