package policy

import (
	"go/ast"
	"go/token"
	"slices"
)

type call struct {
	name string
	pos  token.Pos
}

// callsOf finds calls of the form x.f by their text. What runs in a bubble of
// testing/synctest does not count: time is not real there.
func callsOf(f *ast.File, names ...string) (found []call) {
	ast.Inspect(f, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := nameOf(c.Fun)
		if slices.Contains(names, name) {
			found = append(found, call{name: name, pos: c.Pos()})
		}
		return name != "synctest.Test"
	})
	return found
}

// nameOf is the text of x.f, and "" for any other expression.
func nameOf(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}
