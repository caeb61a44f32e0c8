package report

import "io"

// WriteTable writes rows under a header as the reports do, for programs that have a table of their own. Every row has
// as many cells as the header.
func WriteTable(w io.Writer, style Style, header []string, rows [][]string) error {
	p := newPage(style)
	var all [][]cell
	for _, r := range rows {
		all = append(all, cells(r...))
	}
	p.table(header, all)
	return p.writeTo(w)
}

// Plain makes control characters of a text visible, so that what a library says moves no cursor and forges no line.
func Plain(content string) string { return plain(content) }
