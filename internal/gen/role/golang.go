package main

import (
	"cmp"
	"fmt"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// goFile is what the templates of Go files have in common.
type goFile struct {
	contract
	Imports []string // lines of the import block: "path", or name "path"
	Methods []goMethod
}

// goMethod is a method in the words of one Go file.
type goMethod struct {
	method
	Signature string // (ctx context.Context, a byte) (r1 int32, err error)
	Types     string // (context.Context, byte) (int32, error)
	Call      string // ctx, a
	Returned  string // r1, err
	Defaults  string // -1, nil
}

// unimplementedOf describes the file in the role's own package.
func unimplementedOf(c contract) goFile {
	in := newScope(c.Go)
	f := goFile{contract: c}
	added := slices.DeleteFunc(slices.Clone(c.Methods), func(m method) bool { return m.Since == "" })
	in.scan(added)
	for _, m := range added {
		f.Methods = append(f.Methods, in.method(m))
	}
	f.Imports = in.imports(len(f.Methods) > 0)
	return f
}

// handleOf describes a handle's file.
func handleOf(c contract) goFile {
	in := newScope(nil)
	f := goFile{contract: c}
	in.use(c.Go)
	in.scan(c.Methods)
	for _, m := range c.Methods {
		f.Methods = append(f.Methods, in.method(m))
	}
	f.Imports = in.imports(true)
	return f
}

// PackageName is what the role's package is called.
func (f goFile) PackageName() string { return f.Go.Name() }

// scope collects the packages that a file names.
type scope struct {
	self  *types.Package // written without qualifier; may be nil
	used  map[string]string
	known messageIndex // for C++
	extra []string     // names that this file's methods use, beside taken
}

func newScope(self *types.Package) *scope { return &scope{self: self, used: map[string]string{}} }

func (s *scope) use(p *types.Package) string {
	if p == s.self {
		return ""
	}
	if name, ok := s.used[p.Path()]; ok {
		return name
	}
	name := p.Name()
	for taken := func() bool {
		for _, other := range s.used {
			if other == name {
				return true
			}
		}
		return false
	}; taken(); {
		name = path.Base(path.Dir(p.Path())) + name
	}
	s.used[p.Path()] = name
	return name
}

// scan names the packages of all methods, before any parameter gets its name.
func (s *scope) scan(methods []method) {
	for _, m := range methods {
		for _, v := range slices.Concat(m.Params, m.Results) {
			s.typeOf(v.Type)
		}
	}
}

// imports returns the lines of the import block, sorted by path, the standard library first.
func (s *scope) imports(context bool) []string {
	all := map[string]string{}
	for p, name := range s.used {
		all[p] = name
	}
	if context {
		all["context"] = "context"
	}
	paths := make([]string, 0, len(all))
	for p := range all {
		paths = append(paths, p)
	}
	standard := func(p string) int {
		if strings.Contains(strings.Split(p, "/")[0], ".") {
			return 1
		}
		return 0
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Or(standard(a)-standard(b), cmp.Compare(a, b)) })
	var lines []string
	for i, p := range paths {
		if i > 0 && standard(p) != standard(paths[i-1]) {
			lines = append(lines, "")
		}
		line := fmt.Sprintf("%q", p)
		if all[p] != path.Base(p) {
			line = all[p] + " " + line
		}
		lines = append(lines, line)
	}
	return lines
}

func (s *scope) typeOf(t types.Type) string { return types.TypeString(t, s.use) }

// method writes m for this file. Names that would hide what the file uses get an underscore.
func (s *scope) method(m method) goMethod {
	g := goMethod{method: m}
	params, call, kinds := []string{"ctx context.Context"}, []string{"ctx"}, []string{"context.Context"}
	for _, p := range m.Params {
		t := s.typeOf(p.Type)
		name := s.free(p.Name)
		params, call, kinds = append(params, name+" "+t), append(call, name), append(kinds, t)
	}
	var results, returned, out, zero []string
	for i, r := range m.Results {
		t := s.typeOf(r.Type)
		name := fmt.Sprintf("r%d", i+1)
		results, returned, out = append(results, name+" "+t), append(returned, name), append(out, t)
		zero = append(zero, zeroOf(r.Type, t))
	}
	results, returned, out = append(results, "err error"), append(returned, "err"), append(out, "error")
	if m.Default != "" {
		zero = []string{m.Default}
	}
	g.Signature = "(" + strings.Join(params, ", ") + ") (" + strings.Join(results, ", ") + ")"
	g.Types = "(" + strings.Join(kinds, ", ") + ") " + tuple(out)
	g.Call = strings.Join(call, ", ")
	g.Returned = strings.Join(returned, ", ")
	g.Defaults = strings.Join(append(zero, "nil"), ", ")
	return g
}

func tuple(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// taken are the names that generated methods use themselves.
var taken = strings.Fields(`ctx h s o c x C done err nil len recover unsafe
	bool byte int32 int64 uint32 uint64 float32 float64 string uintptr
	watch watched failure badResult drop one every text copied message scalar truth boolean pack marshal marshalAll taker`)

func (s *scope) free(name string) string {
	for {
		clash := slices.Contains(taken, name) || slices.Contains(s.extra, name) || token.IsKeyword(name) || len(name) == 2 && name[0] == 'r'
		for _, used := range s.used {
			clash = clash || used == name
		}
		if !clash {
			return name
		}
		name += "_"
	}
}

func zeroOf(t types.Type, text string) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return `""`
		case u.Info()&types.IsBoolean != 0:
			return "false"
		default:
			return "0"
		}
	case *types.Struct, *types.Array:
		return text + "{}"
	default:
		return "nil"
	}
}
