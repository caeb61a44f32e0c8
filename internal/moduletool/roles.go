package moduletool

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesos-modules/mms/internal/catalog"
	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles"
)

// roleRow is a role as programs get it.
type roleRow struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Daemons   []string  `json:"daemons"`
	Interface string    `json:"interface,omitempty"` // Go import path and name; none: no module can be loaded yet
	Native    bool      `json:"native"`
	Languages []string  `json:"languages"`
	Vehicles  []string  `json:"vehicles"` // that can carry its modules
	Sites     []siteRow `json:"sites"`
	Summary   string    `json:"summary"`

	Modules []catalog.Module `json:"modules"` // that ship with Mesos
}

type siteRow struct {
	Daemons []string `json:"daemons"`
	Flag    string   `json:"flag,omitempty"` // none: every loaded module of the role is taken
	Aliases []string `json:"aliases,omitempty"`
	Takes   string   `json:"takes"`
	Name    string   `json:"name,omitempty"`
	Default string   `json:"default,omitempty"`
	Words   []string `json:"words,omitempty"` // that the flag takes for modules that ship
}

func (t *Tool) roles() *cobra.Command {
	return &cobra.Command{
		Use:   "roles [ROLE...]",
		Short: "List what a module can be for",
		Long: `roles lists the pre-declared roles: what a module can be for, in which daemons,
and which flag binds it. Of a single role it tells all: the languages and libraries
that its modules come in, what its flags take, and the modules that ship with Mesos.

VERSION is the oldest Mesos release whose modules for the role still work. TAKES is
how many modules the flag takes: one, a list in the order of the flag, one or
several of which an instance is made for each use, or all that are loaded. SHIP is
how many modules come with Mesos.

LANGUAGES are those in which modules of the role can be written. What C and C++ can
fulfil has headers ("mesos-module headers") and loads in later releases, too; a role
with go alone takes modules in Go, compiled in, as plugins or as programs, and no
native library.
A role without LANGUAGES gets its interface when the daemons learn to call it.`,
		Example: `  mesos-module roles
  mesos-module roles Isolator
  mesos-module roles Calculator Isolator
  mesos-module roles --format=json`,
		ValidArgsFunction: cobra.FixedCompletions(roleNames(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			rows, err := chosenRoles(args)
			if err != nil {
				return err
			}
			if t.json() {
				return writeJSON(t.Stdout, rows)
			}
			if len(args) == 1 {
				return t.writeRole(rows[0])
			}
			return t.writeRoles(rows)
		},
	}
}

func roleNames() []string {
	var names []string
	for _, r := range roles.Table() {
		names = append(names, r.Name)
	}
	return names
}

// roleByName finds a role as people write it.
func roleByName(name string) (roles.Role, error) {
	r, ok := roles.ByName(name)
	if !ok {
		return r, misuse("there is no role %q%s", name, didYouMean(name, roleNames()))
	}
	return r, nil
}

func chosenRoles(names []string) ([]roleRow, error) {
	var rows []roleRow
	if len(names) == 0 {
		names = roleNames()
	}
	for _, name := range names {
		r, err := roleByName(name)
		if err != nil {
			return nil, err
		}
		rows = append(rows, rowOf(r))
	}
	return rows, nil
}

func rowOf(r roles.Role) roleRow {
	row := roleRow{Name: r.Name, Version: r.Version, Daemons: daemons(r.On), Native: r.Native, Sites: []siteRow{}, Summary: r.Summary,
		Languages: []string{"go"}, Vehicles: []string{vehicle.Builtin, vehicle.GoPlugin, vehicle.Process}, Modules: catalog.OfRole(r.Name)}
	if r.Type == nil {
		row.Languages, row.Vehicles = []string{}, []string{}
	} else {
		row.Interface = r.Type.PkgPath() + "." + r.Type.Name()
	}
	if r.Native {
		row.Languages, row.Vehicles = append(row.Languages, "cpp", "c"), append(row.Vehicles, vehicle.Native)
	}
	for _, s := range r.Sites {
		site := siteRow{Daemons: daemons(s.On), Flag: s.Flag, Aliases: s.Aliases, Takes: s.Takes.String(), Name: s.Name, Default: s.Default}
		for _, w := range s.Words {
			site.Words = append(site.Words, w.Name)
		}
		row.Sites = append(row.Sites, site)
	}
	return row
}

func daemons(set roles.Daemon) []string {
	names := []string{}
	for _, d := range []roles.Daemon{roles.Master, roles.Slave} {
		if set&d != 0 {
			names = append(names, d.String())
		}
	}
	return names
}

// writeRoles writes one line for each site, the role's own columns on the first.
func (t *Tool) writeRoles(rows []roleRow) error {
	var cells [][]string
	for _, r := range rows {
		sites := r.Sites
		if len(sites) == 0 {
			sites = []siteRow{{}}
		}
		for _, s := range sites {
			flag := s.flag()
			if s.Takes != "" && len(s.Daemons) < len(r.Daemons) {
				flag += " (" + short(s.Daemons) + ")"
			}
			cells = append(cells, []string{r.Name, r.Version, short(r.Daemons), flag, s.Takes, cmp.Or(s.Default, "-"),
				strings.Join(r.Languages, ", "), strconv.Itoa(len(r.Modules)), r.Summary})
		}
	}
	header := []string{"role", "version", "daemons", "flag", "takes", "default", "languages", "ship", "summary"}
	return report.WriteTable(t.Stdout, t.style(), header, cells)
}

// flag is how the site's modules are named.
func (s siteRow) flag() string {
	switch {
	case s.Takes == "":
		return ""
	case s.Flag == "":
		return "(no flag)"
	default:
		return strings.Join(prefixed("--", append([]string{s.Flag}, s.Aliases...)), ", ")
	}
}

// writeRole tells all of one role.
func (t *Tool) writeRole(r roleRow) error {
	rows := []row{
		{"role", r.Name}, {"summary", r.Summary}, {"version", r.Version}, {"daemons", cmp.Or(strings.Join(r.Daemons, ", "), "none: clients use it")},
		{"languages", strings.Join(r.Languages, ", ")}, {"libraries", strings.Join(r.Vehicles, ", ")}, {"interface", r.Interface},
	}
	for _, s := range r.Sites {
		text := s.flag() + " takes " + s.Takes
		if len(s.Daemons) < len(r.Daemons) {
			text += ", in " + strings.Join(s.Daemons, ", ")
		}
		rows = append(rows, row{"site", text + ", default " + cmp.Or(s.Default, "none")})
	}
	if err := writeRows(t.Stdout, "", rows); err != nil {
		return err
	}
	if len(r.Modules) == 0 {
		_, err := fmt.Fprintln(t.Stdout, "\nNo module of it ships with Mesos.")
		return err
	}
	var cells [][]string
	for _, m := range r.Modules {
		cells = append(cells, []string{m.Name, cmp.Or(m.Version, "-"), cmp.Or(strings.Join(m.Words, ", "), "-"), strings.Join(m.Vehicles, ", "), m.Description})
	}
	fmt.Fprintln(t.Stdout)
	return report.WriteTable(t.Stdout, t.style(), []string{"module", "version", "word", "ships as", "description"}, cells)
}

// short drops what the names of the daemons begin with.
func short(daemons []string) string {
	var names []string
	for _, d := range daemons {
		names = append(names, strings.TrimPrefix(d, "mesos-"))
	}
	return strings.Join(names, ", ")
}

func prefixed(prefix string, all []string) []string {
	var out []string
	for _, x := range all {
		out = append(out, prefix+x)
	}
	return out
}
