package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// unit is what a figure counts.
type unit int

const (
	duration unit = iota // nanoseconds
	memory               // bytes
)

// line is one line of the table.
type line struct {
	what    string
	ours    figure
	theirs  figure  // what it was measured against; without values there is nothing
	target  string  // in words
	limit   float64 // of the median of ours, in its unit; 0 means there is none
	under   float64 // of the ratio of the medians; 0 means there is none
	without bool    // allocations
}

// ratio is that of the medians, and 0 if there is nothing to compare with.
func (l line) ratio() float64 {
	if len(l.theirs.values) == 0 || l.theirs.median() == 0 {
		return 0
	}
	return l.ours.median() / l.theirs.median()
}

// verdict says whether the target is reached; it is empty where there is none.
func (l line) verdict() string {
	switch {
	case l.limit == 0 && l.under == 0:
		return ""
	case l.limit > 0 && l.ours.median() > l.limit, l.under > 0 && l.ratio() > l.under, l.without && l.ours.allocs > 0:
		return "missed"
	default:
		return "reached"
	}
}

var heads = []string{"what", "median (least … most)", "measured against", "its median (least … most)", "ratio", "to reach", ""}

func (l line) cells() []string {
	cells := []string{l.what, l.ours.text(), "", "", "", l.target, l.verdict()}
	if l.without {
		cells[1] += fmt.Sprintf(", %d allocs", l.ours.allocs)
	}
	if r := l.ratio(); r > 0 {
		cells[2], cells[3], cells[4] = l.theirs.name, l.theirs.text(), fmt.Sprintf("%.2f", r)
		if r < 0.01 {
			cells[4] = fmt.Sprintf("1/%.0f", 1/r)
		}
	}
	return cells
}

// render writes the lines as a table that reads well as text and as Markdown.
func render(w io.Writer, lines []line) error {
	rows := [][]string{heads}
	for _, l := range lines {
		rows = append(rows, l.cells())
	}
	widths := make([]int, len(heads))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	rule := make([]string, len(heads))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width)
	}
	for _, row := range append([][]string{heads, rule}, rows[1:]...) {
		for i, cell := range row {
			if _, err := fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(w, "|"); err != nil {
			return err
		}
	}
	return nil
}

// text is "12.3 ns (12.1 … 13.0)".
func (f figure) text() string {
	scale, name := f.unit.scale(f.median())
	return fmt.Sprintf("%s %s (%s … %s)", digits(f.median()/scale), name, digits(f.min()/scale), digits(f.max()/scale))
}

// scale is how large the unit is in which a value is shown, and its name.
func (u unit) scale(value float64) (float64, string) {
	switch {
	case u == memory:
		return 1 << 20, "MB"
	case value < 1e3:
		return 1, "ns"
	case value < 1e6:
		return 1e3, "µs"
	case value < 1e9:
		return 1e6, "ms"
	default:
		return 1e9, "s"
	}
}

// digits shows three of them.
func digits(value float64) string {
	switch {
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}
