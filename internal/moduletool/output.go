package moduletool

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/mesos-modules/mms/internal/console"
	"github.com/mesos-modules/mms/manager/report"
)

// json reports whether the answer is for programs.
func (t *Tool) json() bool { return t.format.value == "json" }

// style is how text is drawn: with lines and colours on a terminal, plain
// elsewhere.
func (t *Tool) style() report.Style {
	f, ok := t.Stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return report.Style{}
	}
	style := report.Style{Boxes: true, Colour: console.Color(t.Stdout, t.Env)}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		style.Width = width
	}
	return style
}

// writeJSON writes v for programs, indented, constraints as people write them.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// row is one line of an answer: a key to ask for it by, and its value.
type row struct{ key, value string }

// writeRows writes "key: value" lines with aligned values, under an indent.
func writeRows(w io.Writer, indent string, rows []row) error {
	width := 0
	for _, r := range rows {
		width = max(width, len(r.key))
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(w, "%s%-*s  %s\n", indent, width+1, r.key+":", report.Plain(r.value)); err != nil {
			return err
		}
	}
	return nil
}

func bold(on bool, text string) string {
	if !on {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}
