package report

import (
	"io"
	"time"
)

// Started is the table of a daemon that has started, or tried to.
type Started struct {
	Daemon       string          `json:"daemon"`
	MesosVersion string          `json:"mesos_version"`
	Took         time.Duration   `json:"took_ns"` // all phases together
	Modules      []StartedModule `json:"modules"` // in plan order
}

// StartedModule is one row of it.
type StartedModule struct {
	Module         string        `json:"module"`
	Role           string        `json:"role"`
	Version        string        `json:"version,omitempty"`
	Library        string        `json:"library"` // "" for the daemon binary itself
	Vehicle        string        `json:"vehicle"`
	ShipsWithMesos bool          `json:"ships_with_mesos"`
	Phase          string        `json:"phase"`   // the last that it came through
	Time           time.Duration `json:"time_ns"` // in its own steps
	Error          string        `json:"error,omitempty"`
}

// WriteJSON writes the table for programs.
func (s Started) WriteJSON(w io.Writer) error {
	s.Modules = append([]StartedModule{}, s.Modules...)
	return writeJSON(w, s)
}

// WriteText writes the table for people. What a module failed with stands below it.
func (s Started) WriteText(w io.Writer, style Style) error {
	p := newPage(style)
	p.line("%s %s: %s in %s", plain(s.Daemon), plain(s.MesosVersion), count(len(s.Modules), "module"), short(s.Took))
	if len(s.Modules) > 0 {
		var rows [][]cell
		for _, m := range s.Modules {
			r := cells(m.Module, m.Role, m.Version, library(m.Library, s.Daemon), m.Vehicle, origin(m.ShipsWithMesos), m.Phase, short(m.Time))
			if m.Error != "" {
				r[6].colour = red
			}
			rows = append(rows, r)
		}
		p.table([]string{"module", "role", "version", "library", "vehicle", "origin", "phase", "time"}, rows)
	}
	for _, m := range s.Modules {
		if m.Error != "" {
			p.block(p.paint(red, plain(m.Module))+": ", indent, plain(m.Error))
		}
	}
	return p.writeTo(w)
}
