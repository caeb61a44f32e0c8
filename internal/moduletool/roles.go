package moduletool

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesos-modules/mms/manager/report"
	"github.com/mesos-modules/mms/roles"
)

// roleRow is a role as programs get it.
type roleRow struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Daemons   []string  `json:"daemons"`
	Interface string    `json:"interface,omitempty"` // Go import path and name; none: no module can be loaded yet
	Native    bool      `json:"native"`
	Sites     []siteRow `json:"sites"`
	Summary   string    `json:"summary"`
}

type siteRow struct {
	Daemons []string `json:"daemons"`
	Flag    string   `json:"flag,omitempty"` // none: every loaded module of the role is taken
	Aliases []string `json:"aliases,omitempty"`
	Takes   string   `json:"takes"`
	Name    string   `json:"name,omitempty"`
	Default string   `json:"default,omitempty"`
}

func (t *Tool) roles() *cobra.Command {
	return &cobra.Command{
		Use:   "roles [ROLE...]",
		Short: "List what a module can be for",
		Long: `roles lists the pre-declared roles: what a module can be for, in which daemons,
and which flag binds it.

VERSION is the oldest Mesos release whose modules for the role still work. TAKES is
how many modules the flag takes: one, a list in the order of the flag, one of which
an instance is made for each use, or all that are loaded. A role without LANGUAGES
gets its interface when the daemons learn to call it.`,
		Example: `  mesos-module roles
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
	row := roleRow{Name: r.Name, Version: r.Version, Daemons: daemons(r.On), Native: r.Native, Sites: []siteRow{}, Summary: r.Summary}
	if r.Type != nil {
		row.Interface = r.Type.PkgPath() + "." + r.Type.Name()
	}
	for _, s := range r.Sites {
		row.Sites = append(row.Sites, siteRow{Daemons: daemons(s.On), Flag: s.Flag, Aliases: s.Aliases, Takes: s.Takes.String(), Name: s.Name, Default: s.Default})
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
		head := []string{r.Name, r.Version, short(r.Daemons), languages(r), r.Summary}
		for _, s := range r.Sites {
			flag := "(no flag)"
			if s.Flag != "" {
				flag = strings.Join(append([]string{"--" + s.Flag}, prefixed("--", s.Aliases)...), ", ")
			}
			if len(s.Daemons) < len(r.Daemons) {
				flag += " (" + short(s.Daemons) + ")"
			}
			cells = append(cells, []string{head[0], head[1], head[2], flag, s.Takes, cmp.Or(s.Default, "-"), head[3], head[4]})
		}
		if len(r.Sites) == 0 {
			cells = append(cells, []string{head[0], head[1], head[2], "", "", "", head[3], head[4]})
		}
	}
	return report.WriteTable(t.Stdout, t.style(), []string{"role", "version", "daemons", "flag", "takes", "default", "languages", "summary"}, cells)
}

// short drops what the names of the daemons begin with.
func short(daemons []string) string {
	var names []string
	for _, d := range daemons {
		names = append(names, strings.TrimPrefix(d, "mesos-"))
	}
	return strings.Join(names, ", ")
}

// languages in which modules of a role can be written.
func languages(r roleRow) string {
	switch {
	case r.Interface == "":
		return ""
	case r.Native:
		return "go, cpp, c"
	default:
		return "go"
	}
}

func prefixed(prefix string, all []string) []string {
	var out []string
	for _, x := range all {
		out = append(out, prefix+x)
	}
	return out
}
