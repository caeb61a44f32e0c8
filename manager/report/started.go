package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
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
	Isolation      string        `json:"isolation,omitempty"` // "process", or "" for one that runs in the daemon
	ShipsWithMesos bool          `json:"ships_with_mesos"`
	OnFailure      string        `json:"on_failure,omitempty"` // what follows when it is lost, as the manifest has it
	Phase          string        `json:"phase"`                // the last that it came through
	Time           time.Duration `json:"time_ns"`              // in its own steps
	Error          string        `json:"error,omitempty"`

	// Of a module that runs in a process of its own, or was lost with one.
	State    string    `json:"state,omitempty"`
	PID      int       `json:"pid,omitempty"`
	Restarts int       `json:"restarts,omitempty"`
	Since    time.Time `json:"since,omitzero"` // in this state, if not since the start
	Last     string    `json:"last_cause,omitempty"`
	Fallback string    `json:"fallback,omitempty"`
}

// WriteJSON writes the table for programs.
func (s Started) WriteJSON(w io.Writer) error {
	s.Modules = append([]StartedModule{}, s.Modules...)
	return writeJSON(w, s)
}

// WriteText writes the table for people. What a module failed with stands below it. Of what the daemon is built with and
// nothing asks for, there is the number alone.
func (s Started) WriteText(w io.Writer, style Style) error {
	p := newPage(style)
	used := slices.DeleteFunc(slices.Clone(s.Modules), StartedModule.idle)
	p.line("%s %s: %s in %s", plain(s.Daemon), plain(s.MesosVersion), count(len(used), "module"), short(s.Took))
	if len(used) > 0 {
		head := []string{"module", "role", "version", "library", "vehicle", "origin", failure, "phase", "time"}
		lives := slices.ContainsFunc(used, func(m StartedModule) bool { return m.State != "" })
		if lives {
			head = append(head, "process")
		}
		var rows [][]cell
		for _, m := range used {
			r := cells(m.Module, m.Role, m.Version, library(m.Library, s.Daemon), carried(m.Vehicle, m.Isolation),
				origin(m.ShipsWithMesos), m.OnFailure, m.Phase, short(m.Time))
			if m.Error != "" {
				r[7].colour = red
			}
			if lives {
				r = append(r, m.process())
			}
			rows = append(rows, r)
		}
		p.table(withoutIdle(head, rows))
	}
	if idle := len(s.Modules) - len(used); idle > 0 {
		p.block("", "", fmt.Sprintf("not used: %s that %s is built with; mesos-module roles lists them", count(idle, "other module"), plain(s.Daemon)))
	}
	for _, m := range used {
		if m.Last != "" && m.State != running {
			p.block(p.paint(yellow, plain(m.Module))+": ", indent, "lost: "+plain(m.Last))
		}
		if m.Error != "" {
			p.block(p.paint(red, plain(m.Module))+": ", indent, plain(m.Error))
		}
	}
	return p.writeTo(w)
}

// idle says whether the daemon is built with the module and nothing asks for it.
func (m StartedModule) idle() bool {
	return m.ShipsWithMesos && m.Library == "" && m.Error == "" && m.Phase == lifecycle.Load.String()
}

// running is the state of a module that is there.
const running = "running"

// process is the cell that says how it is with a module's process: "4711", "restarting",
// "4712, restarted twice", "fallback: other_module".
func (m StartedModule) process() cell {
	c := cell{content: m.State}
	switch {
	case m.Fallback != "":
		c.content += ": " + plain(m.Fallback)
	case m.State == running && m.PID != 0:
		c.content = strconv.Itoa(m.PID)
	}
	if m.State != running {
		c.colour = yellow
	}
	if m.Restarts > 0 {
		c.content += ", restarted " + times(m.Restarts)
	}
	return c
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	default:
		return strconv.Itoa(n) + " times"
	}
}
