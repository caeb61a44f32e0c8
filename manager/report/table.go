package report

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// none fills an empty cell, so that programs that split lines at blanks find every column.
const none = "-"

const (
	columnGap   = 2  // between columns without boxes
	boxOverhead = 3  // of a column in boxes: a line and two blanks
	leastColumn = 12 // no column is made narrower: rather the rows are written as records
)

// cell is one cell of a table; colour may be empty.
type cell struct{ content, colour string }

func (c cell) shown() string {
	if c.content == "" {
		return none
	}
	return plain(c.content)
}

// cells are uncoloured ones.
func cells(content ...string) []cell {
	all := make([]cell, len(content))
	for i, x := range content {
		all[i].content = x
	}
	return all
}

// table draws rows under a header, the first column of which tells them apart. Cells that do not fit are wrapped; where
// that would leave shreds, every row becomes a record of several lines.
func (p *page) table(header []string, rows [][]cell) {
	widths, fits := p.widths(header, rows)
	if !fits {
		p.records(header, rows)
		return
	}
	t := table.NewWriter()
	t.SetStyle(p.tableStyle())
	head := make(table.Row, len(header))
	for i, title := range header {
		head[i] = p.paint(bold, strings.ToUpper(title))
	}
	t.AppendHeader(head)
	for _, r := range rows {
		drawn := make(table.Row, len(r))
		for i, c := range r {
			lines := wrapCell(c.shown(), widths[i])
			for j := range lines {
				lines[j] = p.paint(c.colour, lines[j])
			}
			drawn[i] = strings.Join(lines, "\n")
		}
		t.AppendRow(drawn)
	}
	for line := range strings.SplitSeq(t.Render(), "\n") {
		p.out.WriteString(strings.TrimRight(line, " "))
		p.out.WriteByte('\n')
	}
}

func (p *page) tableStyle() table.Style {
	style := table.StyleLight
	style.Format = table.FormatOptions{} // headers as they are
	if !p.style.Boxes {
		style.Options = table.OptionsNoBordersAndSeparators
		style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", columnGap)
	}
	return style
}

// records writes each row as a line with its first cell and, below, the others with their titles.
func (p *page) records(header []string, rows [][]cell) {
	for _, r := range rows {
		p.block("- ", indent, r[0].shown())
		var rest []string
		for i, c := range r[1:] {
			if c.content != "" {
				rest = append(rest, fmt.Sprintf("%s %s", header[i+1], p.paint(c.colour, c.shown())))
			}
		}
		p.block(indent, indent, strings.Join(rest, ", "))
	}
}

// widths shares the page out: while the table is too wide, the widest column gives way.
func (p *page) widths(header []string, rows [][]cell) (widths []int, fits bool) {
	total := 0
	for i := range header {
		width := text.StringWidth(header[i])
		for _, r := range rows {
			width = max(width, text.StringWidth(r[i].shown()))
		}
		widths = append(widths, width)
		total += width
	}
	for room := p.room(len(header)); p.style.Width > 0 && total > room; total-- {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= leastColumn {
			return nil, false
		}
		widths[widest]--
	}
	return widths, true
}

// room is what the page leaves to the cells of a table.
func (p *page) room(columns int) int {
	if p.style.Boxes {
		return p.style.Width - boxOverhead*columns - 1
	}
	return p.style.Width - columnGap*(columns-1)
}

// wrapCell breaks a cell into lines of the width: behind blanks and the signs at which names and paths have joints, and
// anywhere where there is none.
func wrapCell(content string, width int) []string {
	var lines []string
	for text.StringWidth(content) > width {
		used, fit, joint := 0, 0, 0 // in columns; in bytes; in bytes up to the last joint
		for i, r := range content {
			if used += text.RuneWidth(r); used > width && i > 0 {
				break
			}
			fit = i + len(string(r))
			if strings.ContainsRune(" _/-.", r) {
				joint = fit
			}
		}
		if joint > 0 {
			fit = joint
		}
		lines = append(lines, strings.TrimRight(content[:fit], " "))
		content = content[fit:]
	}
	return append(lines, content)
}
