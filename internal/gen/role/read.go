package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

var strictVersion = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$`)

// read returns the contracts of the rows. overlay replaces files by absolute path. All problems come in one error, each with
// its place in the source and the way out.
func read(root string, rows []row, overlay map[string][]byte) ([]contract, error) {
	paths := make([]string, len(rows))
	for i, r := range rows {
		paths[i] = r.Package
	}
	overlay, err := withoutGenerated(root, overlay)
	if err != nil {
		return nil, err
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir: root, Overlay: overlay,
	}, paths...)
	if err != nil {
		return nil, fmt.Errorf("load the roles' packages: %w", err)
	}
	byPath := map[string]*packages.Package{}
	for _, p := range loaded {
		byPath[p.PkgPath] = p
	}
	var all []contract
	var errs []error
	for _, r := range rows {
		c, err := readOne(r, byPath[r.Package])
		if err != nil {
			errs = append(errs, fmt.Errorf("role %s: %w", r.Name, err))
		}
		all = append(all, c)
	}
	return all, errors.Join(errs...)
}

// withoutGenerated empties the generated files of the roles, so that stale ones do not keep them from being generated again.
func withoutGenerated(root string, overlay map[string][]byte) (map[string][]byte, error) {
	all := maps.Clone(overlay)
	if all == nil {
		all = map[string][]byte{}
	}
	stale, err := filepath.Glob(filepath.Join(root, "roles", "*", "zz_*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range stale {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.PackageClauseOnly)
		if err != nil {
			return nil, err
		}
		all[path] = []byte("package " + file.Name.Name + "\n")
	}
	return all, nil
}

func readOne(r row, p *packages.Package) (contract, error) {
	c := contract{row: r}
	if p == nil {
		return c, fmt.Errorf("package %s is not there", r.Package)
	}
	if len(p.Errors) > 0 {
		return c, fmt.Errorf("package %s does not compile: %w", r.Package, p.Errors[0])
	}
	c.Go = p.Types
	spec, doc, body := find(p, r.Type)
	c.Doc = linesOf(doc)
	if body == nil {
		return c, fmt.Errorf("%s has no interface %s", r.Package, r.Type)
	}
	if spec.TypeParams != nil {
		return c, fmt.Errorf("%s: %s has type parameters; a role is one interface", p.Fset.Position(spec.Pos()), r.Type)
	}
	var errs []error
	for _, field := range body.Methods.List {
		m, err := readMethod(p, field)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.Fset.Position(field.Pos()), err))
			continue
		}
		c.Methods = append(c.Methods, m)
	}
	if len(body.Methods.List) == 0 {
		errs = append(errs, fmt.Errorf("%s: %s has no method; a role has at least one", p.Fset.Position(spec.Pos()), r.Type))
	}
	return c, errors.Join(errs...)
}

// find returns the interface and its comment.
func find(p *packages.Package, name string) (*ast.TypeSpec, *ast.CommentGroup, *ast.InterfaceType) {
	for _, file := range p.Syntax {
		for _, decl := range file.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok || general.Tok != token.TYPE {
				continue
			}
			for _, s := range general.Specs {
				spec := s.(*ast.TypeSpec)
				if body, ok := spec.Type.(*ast.InterfaceType); ok && spec.Name.Name == name {
					if spec.Doc != nil {
						return spec, spec.Doc, body
					}
					return spec, general.Doc, body
				}
			}
		}
	}
	return nil, nil, nil
}

// linesOf returns a comment without its marks and directives.
func linesOf(doc *ast.CommentGroup) []string {
	if doc == nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(doc.Text()), "\n")
}

func readMethod(p *packages.Package, field *ast.Field) (method, error) {
	if len(field.Names) != 1 {
		return method{}, errors.New("interfaces are not embedded in a role; write its methods out")
	}
	name := field.Names[0]
	m := method{Name: name.Name, Doc: linesOf(field.Doc), At: p.Fset.Position(field.Pos())}
	if !name.IsExported() {
		return m, fmt.Errorf("%s is not exported; a role's methods are", name.Name)
	}
	signature := p.TypesInfo.Defs[name].Type().(*types.Signature)
	if err := m.takeSignature(signature); err != nil {
		return m, fmt.Errorf("%s: %w", name.Name, err)
	}
	if err := m.takeDirectives(field.Doc); err != nil {
		return m, fmt.Errorf("%s: %w", name.Name, err)
	}
	if err := m.checkDefault(p, field.Pos()); err != nil {
		return m, fmt.Errorf("%s: %w", name.Name, err)
	}
	return m, nil
}

func (m *method) takeSignature(s *types.Signature) error {
	params, results := s.Params(), s.Results()
	if params.Len() == 0 || params.At(0).Type().String() != "context.Context" {
		return errors.New("the first parameter is a context.Context in every method of a role")
	}
	if results.Len() == 0 || results.At(results.Len()-1).Type() != types.Universe.Lookup("error").Type() {
		return errors.New("the last result is an error in every method of a role")
	}
	if s.Variadic() {
		return errors.New("a role's methods are not variadic; take a slice")
	}
	for i := 1; i < params.Len(); i++ {
		m.Params = append(m.Params, value{Name: nameOf(params.At(i), "p", i), Type: params.At(i).Type()})
	}
	for i := range results.Len() - 1 {
		m.Results = append(m.Results, value{Name: nameOf(results.At(i), "r", i+1), Type: results.At(i).Type()})
	}
	return nil
}

func nameOf(v *types.Var, prefix string, i int) string {
	if v.Name() == "" || v.Name() == "_" {
		return fmt.Sprint(prefix, i)
	}
	return v.Name()
}

// takeDirectives reads //mms:since VERSION, //mms:default EXPRESSIONS, //mms:optional PARAMETERS and //mms:lasting from the
// comment of a method.
func (m *method) takeDirectives(doc *ast.CommentGroup) error {
	if doc == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, line := range doc.List {
		text, ok := strings.CutPrefix(line.Text, "//mms:")
		if !ok {
			continue
		}
		word, rest, _ := strings.Cut(text, " ")
		if seen[word] {
			return fmt.Errorf("//mms:%s stands twice", word)
		}
		seen[word] = true
		switch word {
		case "since":
			m.Since = strings.TrimSpace(rest)
			if !strictVersion.MatchString(m.Since) {
				return fmt.Errorf("//mms:since wants a release, like 1.12.0, and has %q", m.Since)
			}
		case "default":
			m.Default = strings.TrimSpace(rest)
		case "lasting":
			m.Lasting = true
		case "optional":
			if err := m.takeOptional(strings.FieldsFunc(rest, func(c rune) bool { return c == ' ' || c == ',' })); err != nil {
				return err
			}
		default:
			return fmt.Errorf("unknown directive //mms:%s; there are since, default, optional and lasting", word)
		}
	}
	if seen["since"] != seen["default"] {
		return errors.New("//mms:since and //mms:default go together: a library too old to have the method is answered with the default (nothing behind the word: zero values)")
	}
	return nil
}

// takeOptional marks the parameters that may be nil. In C++ they say whether they are there; all other messages are.
func (m *method) takeOptional(names []string) error {
	if len(names) == 0 {
		return errors.New("//mms:optional names the parameters that may be nil")
	}
	for _, name := range names {
		i := slices.IndexFunc(m.Params, func(v value) bool { return v.Name == name })
		if i < 0 {
			return fmt.Errorf("//mms:optional %s: the method has no parameter of that name", name)
		}
		if w, err := wireOf(m.Params[i].Type); err != nil || w.Kind != "message" || w.List || w.Sink {
			return fmt.Errorf("//mms:optional %s: only an API message can be nil", name)
		}
		m.Params[i].Optional = true
	}
	return nil
}

// checkDefault compares the default with the results.
func (m *method) checkDefault(p *packages.Package, at token.Pos) error {
	if m.Default == "" {
		return nil
	}
	exprs, err := m.defaults()
	if err != nil {
		return err
	}
	for i, e := range exprs {
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
		if err := types.CheckExpr(p.Fset, p.Types, at, e, info); err != nil {
			return fmt.Errorf("//mms:default %s: %w", m.Default, err)
		}
		if t := info.Types[e].Type; !types.AssignableTo(t, m.Results[i].Type) {
			return fmt.Errorf("//mms:default %s: %s is no %s", m.Default, types.ExprString(e), m.Results[i].Type)
		}
	}
	return nil
}

// defaults returns the expressions of the default, one per result.
func (m *method) defaults() ([]ast.Expr, error) {
	call, err := parser.ParseExpr("f(" + m.Default + ")")
	if err != nil {
		return nil, fmt.Errorf("//mms:default %s: no Go expression", m.Default)
	}
	exprs := call.(*ast.CallExpr).Args
	if len(exprs) != len(m.Results) {
		return nil, fmt.Errorf("//mms:default %s: has %d values, and the method returns %d before the error", m.Default, len(exprs), len(m.Results))
	}
	selects := func(n ast.Node) bool { _, ok := n.(*ast.SelectorExpr); return ok }
	for _, e := range exprs {
		if slices.ContainsFunc(nodes(e), selects) {
			return nil, fmt.Errorf("//mms:default %s: names another package; declare a constant in the role's", m.Default)
		}
	}
	return exprs, nil
}

func nodes(e ast.Expr) []ast.Node {
	var all []ast.Node
	ast.Inspect(e, func(n ast.Node) bool {
		if n != nil {
			all = append(all, n)
		}
		return true
	})
	return all
}
