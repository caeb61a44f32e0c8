package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Teardown is the report of a teardown.
type Teardown struct {
	Daemon    string          `json:"daemon"`
	Took      time.Duration   `json:"took_ns"`
	Modules   []ClosedModule  `json:"modules"`   // in the order in which they were closed
	Libraries []ClosedLibrary `json:"libraries"` // likewise
}

// ClosedModule is the end of one module's instances.
type ClosedModule struct {
	Module  string        `json:"module"`
	Outcome Outcome       `json:"outcome"`
	Why     string        `json:"why,omitempty"` // of a failure, or what the abandoned one was doing
	Time    time.Duration `json:"time_ns"`
}

// ClosedLibrary is the end of a library.
type ClosedLibrary struct {
	Library string  `json:"library"` // "" for the daemon binary itself
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why,omitempty"`
}

// Outcome is how it ended.
type Outcome string

const (
	Closed    Outcome = "closed"
	Abandoned Outcome = "abandoned"          // a module: it did not come back in time
	Failed    Outcome = "failed"             // it came back with an error, or panicked
	Stays     Outcome = "cannot be unloaded" // a library: of a vehicle that cannot, or with a call still in it
)

// outcomes in the order in which they are counted.
func outcomes() []Outcome { return []Outcome{Closed, Abandoned, Failed, Stays} }

func (o Outcome) colour() string {
	switch o {
	case Closed:
		return green
	case Stays:
		return yellow
	default:
		return red
	}
}

// WriteJSON writes the report for programs.
func (t Teardown) WriteJSON(w io.Writer) error {
	t.Modules = append([]ClosedModule{}, t.Modules...)
	t.Libraries = append([]ClosedLibrary{}, t.Libraries...)
	return writeJSON(w, t)
}

// WriteText writes the report for people.
func (t Teardown) WriteText(w io.Writer, style Style) error {
	p := newPage(style)
	ends := map[Outcome]int{}
	for _, m := range t.Modules {
		ends[m.Outcome]++
	}
	libraries := map[Outcome]int{}
	for _, l := range t.Libraries {
		libraries[l.Outcome]++
	}
	p.line("%s teardown in %s: %s; %s", plain(t.Daemon), short(t.Took),
		tally(count(len(t.Modules), "module"), ends), tally(count(len(t.Libraries), "library"), libraries))
	if len(t.Modules) > 0 {
		p.gap()
		var rows [][]cell
		for _, m := range t.Modules {
			rows = append(rows, []cell{{content: m.Module}, {string(m.Outcome), m.Outcome.colour()}, {content: short(m.Time)}, {content: m.Why}})
		}
		p.table([]string{"module", "outcome", "time", "why"}, rows)
	}
	if len(t.Libraries) > 0 {
		p.gap()
		var rows [][]cell
		for _, l := range t.Libraries {
			rows = append(rows, []cell{{content: library(l.Library, t.Daemon)}, {string(l.Outcome), l.Outcome.colour()}, {content: l.Why}})
		}
		p.table([]string{"library", "outcome", "why"}, rows)
	}
	return p.writeTo(w)
}

// tally writes a sum and its parts: "3 modules (2 closed, 1 abandoned)".
func tally(total string, parts map[Outcome]int) string {
	var all []string
	for _, o := range outcomes() {
		if parts[o] > 0 {
			all = append(all, fmt.Sprintf("%d %s", parts[o], o))
		}
	}
	if len(all) == 0 {
		return total
	}
	return fmt.Sprintf("%s (%s)", total, strings.Join(all, ", "))
}
