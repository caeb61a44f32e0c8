package depgraph

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteText writes the plan for people: level by level, each module with its place in the order, and under it what it
// is ordered behind.
func (p *Plan) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s in %s, %d needed\n", count(p.Len(), "module"), count(p.sorted.levels, "level"), len(p.Needed()))
	for level, nodes := range p.byLevel() {
		fmt.Fprintf(b, "level %d\n", level)
		for _, node := range nodes {
			fmt.Fprintf(b, "  %d. %s", p.sorted.position[node]+1, describe(p.modules[node]))
			if !p.routes.needed(node) {
				b.WriteString(", not needed")
			}
			b.WriteString("\n")
			for _, a := range p.row(node) {
				h := p.hop(node, a)
				fmt.Fprintf(b, "       %s -> %s\n", label(h.Via, h.Role, h.Constraint), quote(h.Name))
			}
		}
	}
	for _, r := range p.roots {
		fmt.Fprintf(b, "%s %s %s\n", quote(r.Name), Binds, bounded(r.Module, r.Constraint))
	}
	return b.Flush()
}

// The JSON form. Its fields keep their order and their names.
type (
	jsonPlan struct {
		Order   []string     `json:"order"`
		Levels  [][]string   `json:"levels"`
		Needed  []string     `json:"needed"`
		Roots   []jsonRoot   `json:"roots"`
		Modules []jsonModule `json:"modules"`
	}
	jsonRoot struct {
		Name       string `json:"name"`
		Module     string `json:"module"`
		Constraint string `json:"constraint,omitempty"`
	}
	jsonModule struct {
		Name    string `json:"name"`
		Role    string `json:"role,omitempty"`
		Version string `json:"version,omitempty"`
		Level   int32  `json:"level"`
		Needed  bool   `json:"needed"`
		Edges   []Hop  `json:"edges"` // to the modules it is ordered behind
	}
)

// MarshalJSON writes the plan for programs; modules come in plan order.
func (p *Plan) MarshalJSON() ([]byte, error) { return json.Marshal(p.jsonForm()) }

// WriteJSON writes the same form indented, with < and > as they are, and a line end.
func (p *Plan) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(p.jsonForm())
}

func (p *Plan) jsonForm() jsonPlan {
	form := jsonPlan{
		Order: p.Order(), Levels: p.Levels(), Needed: p.Needed(),
		Roots: make([]jsonRoot, len(p.roots)), Modules: make([]jsonModule, 0, p.Len()),
	}
	for i, r := range p.roots {
		form.Roots[i] = jsonRoot(r)
	}
	for _, node := range p.sorted.order {
		m := &p.modules[node]
		edges := make([]Hop, 0, len(p.row(node)))
		for _, a := range p.row(node) {
			edges = append(edges, p.hop(node, a))
		}
		form.Modules = append(form.Modules, jsonModule{
			Name: m.Name, Role: m.Role, Version: m.Version,
			Level: p.sorted.level[node], Needed: p.routes.needed(node), Edges: edges,
		})
	}
	return form
}

// WriteDOT writes the plan in the DOT language of Graphviz: levels from the bottom up, edges labelled with kind, role
// and constraint; optional ones are dashed, those that only order are dotted, modules that no root needs are grey.
//
// It is a writer of our own because draw.DOT of the graph library ranges over maps, so that its lines come in another
// order each time, and does not escape quotes.
func (p *Plan) WriteDOT(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString("digraph plan {\n  rankdir=BT;\n  node [shape=ellipse];\n")
	for level, nodes := range p.byLevel() {
		fmt.Fprintf(b, "  { rank=same; // level %d\n", level)
		for _, node := range nodes {
			m := &p.modules[node]
			text := m.Name
			for _, line := range []string{m.Version, m.Role, m.Note} {
				if line != "" {
					text += "\n" + line
				}
			}
			fmt.Fprintf(b, "    %s [label=%s%s];\n", dotID(m.Name), dotID(text), when(!p.routes.needed(node), ", color=grey, fontcolor=grey"))
		}
		b.WriteString("  }\n")
	}
	for node := range p.modules {
		for _, a := range p.row(int32(node)) {
			h := p.hop(int32(node), a)
			fmt.Fprintf(b, "  %s -> %s [label=%s%s%s];\n", dotID(p.modules[node].Name), dotID(h.Name), dotID(label(h.Via, h.Role, h.Constraint)),
				when(h.Via == Optional, ", style=dashed"), when(h.Via == After, ", style=dotted"))
		}
	}
	for i, r := range p.roots {
		if i == 0 || p.roots[i-1].Name != r.Name {
			fmt.Fprintf(b, "  %s [label=%s, shape=box];\n", dotID("root "+r.Name), dotID(r.Name))
		}
		fmt.Fprintf(b, "  %s -> %s [label=%s];\n", dotID("root "+r.Name), dotID(r.Module), dotID(label(Binds, "", r.Constraint)))
	}
	b.WriteString("}\n")
	return b.Flush()
}

func (p *Plan) byLevel() [][]int32 {
	levels := make([][]int32, p.sorted.levels)
	for i, level := range p.sorted.level {
		levels[level] = append(levels[level], int32(i))
	}
	return levels
}

// dotID is a quoted string of the DOT language, where \n is a line end and any other byte stands for itself.
func dotID(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\x00", "\uFFFD").Replace(s) + `"`
}

func when(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
