package moduletool

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mesos-modules/mms/roles"
)

// goRole is a role's interface as a module in Go writes it.
type goRole struct {
	Import  string   // path of its package
	Package string   // name of its package
	Type    string   // calculator.Calculator
	Imports []string // whole import specs but for context, sorted by path
	Methods []goMethod
	Rest    []string // methods with a default, which are not written out
}

// goMethod is one method to be written.
type goMethod struct {
	Name, Doc string
	Signature string // from the parameters on
	Zeros     string // a return statement's values
	Call      string // arguments of a call with zero values
	Discard   string // "_, " for each result before the error
}

// readGoRole reads the interface of a role from the sources: there are the names
// of parameters and the marks of methods that have a default. Only the others are
// written out, or all where every method has one.
func readGoRole(source string, role roles.Role) (goRole, error) {
	rel := strings.TrimPrefix(role.Type.PkgPath(), modulePath)
	r := goRole{Import: role.Type.PkgPath(), Package: path.Base(role.Type.PkgPath()), Type: path.Base(role.Type.PkgPath()) + "." + role.Type.Name()}
	set := token.NewFileSet()
	files, err := filepath.Glob(filepath.Join(source, filepath.FromSlash(rel), "*.go"))
	if err != nil {
		return r, fmt.Errorf("read the role %s: %w", role.Name, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return r, fmt.Errorf("read the role %s: %w", role.Name, err)
		}
		if methods := interfaceMethods(file, role.Type.Name()); methods != nil {
			return r.with(set, file, methods, role.Type.PkgPath())
		}
	}
	return r, fmt.Errorf("the sources in %s have no interface of the role %s; they may be of another release than this program", source, role.Name)
}

func interfaceMethods(file *ast.File, name string) []*ast.Field {
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
				if i, ok := t.Type.(*ast.InterfaceType); ok {
					return i.Methods.List
				}
			}
		}
	}
	return nil
}

func (r goRole) with(set *token.FileSet, file *ast.File, fields []*ast.Field, own string) (goRole, error) {
	imports := map[string]bool{strconv.Quote(own): true, strconv.Quote(modulePath + "/facade"): true}
	written := slices.DeleteFunc(slices.Clone(fields), hasDefault)
	if len(written) == 0 {
		written = fields
	}
	for _, f := range fields {
		function, ok := f.Type.(*ast.FuncType)
		if !ok || len(f.Names) != 1 {
			return r, fmt.Errorf("%v: the interface has an entry that is no method", set.Position(f.Pos()))
		}
		if !slices.Contains(written, f) {
			r.Rest = append(r.Rest, f.Names[0].Name)
			continue
		}
		qualify(function, r.Package)
		if err := collectImports(function, file, imports); err != nil {
			return r, fmt.Errorf("%v: %w", set.Position(f.Pos()), err)
		}
		method, err := goMethodOf(set, f.Names[0].Name, f.Doc, function)
		if err != nil {
			return r, err
		}
		r.Methods = append(r.Methods, method)
	}
	delete(imports, `"context"`) // every module imports it
	r.Imports = slices.SortedFunc(maps.Keys(imports), func(a, b string) int { return cmp.Compare(importOf(a), importOf(b)) })
	return r, nil
}

func importOf(spec string) string { return spec[strings.Index(spec, `"`):] }

// hasDefault reports the mark of a method that modules may leave out.
func hasDefault(f *ast.Field) bool {
	return f.Doc != nil && slices.ContainsFunc(f.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//mms:since") })
}

// qualify puts the package before types of the role's own package.
func qualify(function *ast.FuncType, pkg string) {
	qualified := map[*ast.Ident]bool{}
	ast.Inspect(function, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			qualified[n.Sel] = true
		case *ast.Ident:
			if ast.IsExported(n.Name) && !qualified[n] {
				n.Name = pkg + "." + n.Name
			}
		}
		return true
	})
}

// collectImports adds the imports that a signature needs.
func collectImports(function *ast.FuncType, file *ast.File, imports map[string]bool) error {
	var missing error
	ast.Inspect(function, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		at := slices.IndexFunc(file.Imports, func(spec *ast.ImportSpec) bool {
			if spec.Name != nil {
				return spec.Name.Name == pkg.Name
			}
			return path.Base(strings.Trim(spec.Path.Value, `"`)) == pkg.Name
		})
		if at < 0 {
			missing = fmt.Errorf("nothing is imported as %s", pkg.Name)
			return true
		}
		spec := file.Imports[at].Path.Value
		if name := file.Imports[at].Name; name != nil {
			spec = name.Name + " " + spec
		}
		imports[spec] = true
		return true
	})
	return missing
}

func goMethodOf(set *token.FileSet, name string, comment *ast.CommentGroup, function *ast.FuncType) (goMethod, error) {
	var signature bytes.Buffer
	if err := printer.Fprint(&signature, set, function); err != nil {
		return goMethod{}, fmt.Errorf("write the method %s: %w", name, err)
	}
	m := goMethod{Name: name, Signature: strings.TrimPrefix(strings.Join(strings.Fields(signature.String()), " "), "func")}
	if comment != nil {
		m.Doc = new(doc.Package).Synopsis(comment.Text())
	}
	var args, zeros []string
	for i, t := range types(function.Params) {
		if i == 0 {
			args = append(args, "t.Context()")
			continue
		}
		args = append(args, zero(t))
	}
	for _, t := range types(function.Results) {
		zeros = append(zeros, zero(t))
	}
	m.Call, m.Zeros = strings.Join(args, ", "), strings.Join(zeros, ", ")
	m.Discard = strings.Repeat("_, ", max(len(zeros)-1, 0))
	return m, nil
}

// types lists the types of fields, one for each name.
func types(fields *ast.FieldList) []ast.Expr {
	var all []ast.Expr
	if fields == nil {
		return nil
	}
	for _, f := range fields.List {
		for range max(len(f.Names), 1) {
			all = append(all, f.Type)
		}
	}
	return all
}

// zero is the zero value of a type as an expression.
func zero(t ast.Expr) string {
	id, ok := t.(*ast.Ident)
	switch {
	case !ok:
		if _, named := t.(*ast.SelectorExpr); !named {
			return "nil"
		}
	case id.Name == "bool":
		return "false"
	case id.Name == "string":
		return `""`
	case id.Name == "error" || id.Name == "any":
		return "nil"
	case token.IsIdentifier(id.Name) && !ast.IsExported(id.Name):
		return "0"
	}
	var text bytes.Buffer
	_ = printer.Fprint(&text, token.NewFileSet(), t) // writing to memory does not fail
	return "*new(" + text.String() + ")"
}
