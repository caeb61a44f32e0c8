package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/verify"
)

// Verification is the report of a verification, as --verify-only prints it.
type Verification struct {
	Daemon       string            `json:"daemon"`
	MesosVersion string            `json:"mesos_version"`
	Findings     []finding.Finding `json:"findings"` // sorted
	Notices      []verify.Notice   `json:"notices"`  // sorted
	Plan         *verify.Plan      `json:"plan,omitempty"`
}

// WriteJSON writes the report for programs.
func (v Verification) WriteJSON(w io.Writer) error {
	v.Findings = append([]finding.Finding{}, v.Findings...) // an empty list, not null
	v.Notices = append([]verify.Notice{}, v.Notices...)
	return writeJSON(w, v)
}

// WriteText writes the report for people.
func (v Verification) WriteText(w io.Writer, style Style) error {
	p := newPage(style)
	v.head(p)
	for i, f := range v.Findings {
		p.finding(i+1, f)
	}
	if len(v.Findings) > 0 {
		p.gap()
		p.line(`"mesos-module rules" explains each rule.`)
	}
	for _, n := range v.Notices {
		p.gap()
		p.block("", indent, "notice: "+p.paint(yellow, plain(string(n.ID)))+subject(n.Module, n.Library))
		p.block(indent, indent, plain(n.Text))
	}
	if v.Plan != nil {
		p.plan(v.Plan)
	}
	return p.writeTo(w)
}

const indent = "   "

func (v Verification) head(p *page) {
	verdict := p.paint(green, "nothing found")
	if n := len(v.Findings); n > 0 {
		verdict = p.paint(red, count(n, "finding"))
	}
	if n := len(v.Notices); n > 0 {
		verdict += ", " + count(n, "notice")
	}
	p.line("%s %s: %s", plain(v.Daemon), plain(v.MesosVersion), verdict)
}

func (p *page) finding(number int, f finding.Finding) {
	p.gap()
	p.block(fmt.Sprintf("%d. ", number), indent, p.paint(red, plain(string(f.Rule)))+subject(f.Module, f.Library))
	p.block(indent, indent, plain(f.Problem))
	if len(f.Path) > 0 {
		p.labelled("path", strings.Join(plainAll(f.Path), " -> "))
	}
	if f.Mend != "" {
		p.labelled("mend", plain(f.Mend))
	}
}

// subject names module and library, as far as there are any.
func subject(module, path string) string {
	var b strings.Builder
	if module != "" {
		fmt.Fprintf(&b, ": module %s", plain(module))
	}
	if path != "" {
		fmt.Fprintf(&b, ": %s", plain(path))
	}
	return b.String()
}

func (p *page) labelled(label, content string) {
	first := indent + label + ": "
	p.block(first, strings.Repeat(" ", len(first)), content)
}

// plan writes the modules in plan order and the sites.
func (p *page) plan(plan *verify.Plan) {
	p.gap()
	if len(plan.Modules) == 0 {
		p.line("no modules")
		p.sites(plan)
		return
	}
	p.line("%s, in plan order", count(len(plan.Modules), "module"))
	made := fates(plan)
	var rows [][]cell
	for _, m := range plan.Modules {
		rows = append(rows, cells(m.Name, m.Role, m.Version, library(m.Library, plan.Daemon), carried(m.Vehicle, m.Isolation),
			origin(m.ShipsWithMesos), made[m.Name], m.OnFailure, strings.Join(m.Requires, ", ")))
	}
	p.table(withoutIdle([]string{"module", "role", "version", "library", "vehicle", "origin", "made", failure, "requires"}, rows))
	p.sites(plan)
}

// sites writes what is bound where.
func (p *page) sites(plan *verify.Plan) {
	p.gap()
	p.line("%s", count(len(plan.Sites), "binding site"))
	var rows [][]cell
	for _, s := range plan.Sites {
		flag := "every module"
		if s.Flag != "" {
			flag = "--" + s.Flag
		}
		bound := strings.Join(s.Modules, ", ")
		if s.FromDefault {
			bound += " (default)"
		}
		rows = append(rows, cells(flag, s.Role, s.Takes, bound))
	}
	p.table([]string{"flag", "role", "takes", "modules"}, rows)
}

// fates says when instances of each module are made.
func fates(plan *verify.Plan) map[string]string {
	made := make(map[string]string, len(plan.Modules))
	for _, m := range plan.Modules {
		made[m.Name] = "per use"
	}
	for _, name := range plan.Needed {
		made[name] = "at start"
	}
	for _, name := range plan.Standby {
		made[name] = "on failure"
	}
	for _, name := range plan.Unused {
		made[name] = "never"
	}
	return made
}

// carried is the vehicle of a library, and whether it is isolated: "process:native". An executable is just "process".
func carried(vehicle, isolation string) string {
	if isolation == "" || isolation == vehicle {
		return vehicle
	}
	return isolation + ":" + vehicle
}

// failure is the column of what follows when a module is lost, which is left out where the daemon keeps all of them.
const failure = "failure"

// withoutIdle leaves that column out where no row says anything there.
func withoutIdle(header []string, rows [][]cell) ([]string, [][]cell) {
	at := slices.Index(header, failure)
	if slices.ContainsFunc(rows, func(r []cell) bool { return r[at].content != "" }) {
		return header, rows
	}
	for i := range rows {
		rows[i] = slices.Delete(rows[i], at, at+1)
	}
	return slices.Delete(header, at, at+1), rows
}
