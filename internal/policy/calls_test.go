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
// testing/synctest does not count, in one that a function of the same file makes
// neither: time is not real there.
func callsOf(f *ast.File, names ...string) (found []call) {
	bubbles := append(bubblesOf(f), "synctest.Test")
	ast.Inspect(f, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := nameOf(c.Fun)
		if slices.Contains(names, name) {
			found = append(found, call{name: name, pos: c.Pos()})
		}
		return !slices.Contains(bubbles, name)
	})
	return found
}

// bubblesOf are the functions of a file that run what they are given in a bubble.
func bubblesOf(f *ast.File) (all []string) {
	for _, d := range f.Decls {
		function, ok := d.(*ast.FuncDecl)
		if !ok || function.Recv != nil {
			continue
		}
		ast.Inspect(function, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok && nameOf(c.Fun) == "synctest.Test" && takesFunction(function) {
				all = append(all, function.Name.Name)
			}
			return true
		})
	}
	return all
}

func takesFunction(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
		_, is := p.Type.(*ast.FuncType)
		return is
	})
}

// nameOf is the text of x.f or f, and "" for any other expression.
func nameOf(e ast.Expr) string {
	if name, ok := e.(*ast.Ident); ok {
		return name.Name
	}
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
