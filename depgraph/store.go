package depgraph

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/dominikbraun/graph"
)

// ErrReadOnly is what every attempt to change a plan through [Plan.Graph] fails with.
var ErrReadOnly = errors.New("depgraph: a plan does not change")

// Attributes of the edges and vertices of [Plan.Graph].
const (
	AttributeLabel   = "label"   // edge: kinds, roles and constraints, joined by "; "
	AttributeVersion = "version" // vertex
	AttributeRole    = "role"    // vertex
)

// Graph returns the plan as a directed graph for drawing and path queries: vertices are module names, edges lead from a
// module to each one it is ordered behind. It reads the plan's own slices; all that would change it fails with
// [ErrReadOnly].
//
// Its sorting is not ours: graph.TopologicalSort is quadratic and puts requirers first. Use [Plan.Order].
func (p *Plan) Graph() graph.Graph[string, string] {
	return graph.NewWithStore(graph.StringHash, p.Store(), graph.Directed(), graph.Acyclic())
}

// Store returns the storage behind Graph, over the plan's own slices.
func (p *Plan) Store() graph.Store[string, string] { return store{p} }

type store struct{ plan *Plan }

func (s store) Vertex(name string) (string, graph.VertexProperties, error) {
	node, ok := s.plan.byName.find(name)
	if !ok {
		return "", graph.VertexProperties{}, fmt.Errorf("module %s: %w", quote(name), graph.ErrVertexNotFound)
	}
	m := &s.plan.modules[node]
	attributes := make(map[string]string, 2)
	if m.Version != "" {
		attributes[AttributeVersion] = m.Version
	}
	if m.Role != "" {
		attributes[AttributeRole] = m.Role
	}
	return m.Name, graph.VertexProperties{Attributes: attributes}, nil
}

func (s store) ListVertices() ([]string, error) { return s.plan.Order(), nil }

func (s store) VertexCount() (int, error) { return s.plan.Len(), nil }

func (s store) Edge(source, target string) (graph.Edge[string], error) {
	from, ok := s.plan.byName.find(source)
	to, there := s.plan.byName.find(target)
	if ok && there {
		row := s.plan.row(from)
		if i := sort.Search(len(row), func(i int) bool { return row[i].to >= to }); i < len(row) && row[i].to == to {
			return s.plan.joined(from, parallel(row[i:])), nil
		}
	}
	return graph.Edge[string]{}, fmt.Errorf("edge %s -> %s: %w", quote(source), quote(target), graph.ErrEdgeNotFound)
}

func (s store) ListEdges() ([]graph.Edge[string], error) {
	edges := make([]graph.Edge[string], 0, len(s.plan.arcs))
	for node := range s.plan.modules {
		for row := s.plan.row(int32(node)); len(row) > 0; {
			same := parallel(row)
			edges = append(edges, s.plan.joined(int32(node), same))
			row = row[len(same):]
		}
	}
	return edges, nil
}

func (store) AddVertex(string, string, graph.VertexProperties) error { return ErrReadOnly }
func (store) RemoveVertex(string) error                              { return ErrReadOnly }
func (store) AddEdge(string, string, graph.Edge[string]) error       { return ErrReadOnly }
func (store) UpdateEdge(string, string, graph.Edge[string]) error    { return ErrReadOnly }
func (store) RemoveEdge(string, string) error                        { return ErrReadOnly }

// parallel returns the arcs at the head of a row that lead to the same module.
func parallel(row []arc) []arc {
	end := 1
	for end < len(row) && row[end].to == row[0].to {
		end++
	}
	return row[:end]
}

// joined is the one edge that stands for parallel arcs: the graph has at most one between two vertices.
func (p *Plan) joined(node int32, same []arc) graph.Edge[string] {
	labels := make([]string, len(same))
	for i, a := range same {
		h := p.hop(node, a)
		labels[i] = label(h.Via, h.Role, h.Constraint)
	}
	return graph.Edge[string]{
		Source:     p.modules[node].Name,
		Target:     p.modules[same[0].to].Name,
		Properties: graph.EdgeProperties{Attributes: map[string]string{AttributeLabel: strings.Join(labels, "; ")}},
	}
}
