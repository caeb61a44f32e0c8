package report

import (
	"io"
	"strconv"
	"strings"

	"github.com/mesos-modules/mms/manager/verify"
)

// Plan is the plan alone, of modules that no rule holds anything against. Modules of one level require nothing of one
// another.
type Plan struct {
	*verify.Plan
	Levels [][]string `json:"levels"` // names, in plan order
}

// PlanOf takes the levels from the plan's graph.
func PlanOf(p *verify.Plan) Plan { return Plan{Plan: p, Levels: p.Graph.Levels()} }

// WriteJSON writes the plan for programs.
func (r Plan) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteText writes the plan for people.
func (r Plan) WriteText(w io.Writer, style Style) error {
	p := newPage(style)
	p.line("%s %s: %s in %s, %d made at start", plain(r.Daemon), plain(r.MesosVersion), count(len(r.Modules), "module"),
		count(len(r.Levels), "level"), len(r.Needed))
	made := fates(r.Plan)
	level := map[string]int{}
	for i, names := range r.Levels {
		for _, name := range names {
			level[name] = i
		}
	}
	var rows [][]cell
	for i, m := range r.Modules {
		rows = append(rows, cells(strconv.Itoa(level[m.Name]), strconv.Itoa(i+1), m.Name, m.Role, m.Version, made[m.Name], m.OnFailure, strings.Join(m.Requires, ", ")))
	}
	p.table(withoutIdle([]string{"level", "#", "module", "role", "version", "made", failure, "requires"}, rows))
	p.sites(r.Plan)
	return p.writeTo(w)
}
