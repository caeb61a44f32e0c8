package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func itoa(n int) string { return strconv.Itoa(n) }

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinks(t *testing.T) {
	anchors := map[string]map[string]bool{}
	for _, p := range pages(t) {
		anchors[p.path] = p.anchors()
	}
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(p.prose, -1) {
			u, err := url.Parse(m[1])
			require.NoError(t, err)
			if u.Scheme != "" {
				continue
			}
			target := p.path
			if u.Path != "" {
				target = filepath.Join(filepath.Dir(p.path), u.Path)
				_, err := os.Stat(filepath.Join("../..", target))
				assert.NoError(t, err, "%s links to %s", p.path, m[1])
			}
			if u.Fragment != "" {
				assert.True(t, anchors[target][u.Fragment], "%s links to %s, and %s has no such heading", p.path, m[1], target)
			}
		}
	}
}

// TestNames looks up what stands in code font: Go names, flags, and the names that
// C and C++ see.
func TestNames(t *testing.T) {
	declared, helps := declarations(t), helpTexts(t, workshop(t).bin)
	headers, sources := textOf(t, "../../facade/include", "../../manager/vehicle/native"), textOf(t, "../../modules")
	measures := textOf(t, "../metrics")
	inGo := regexp.MustCompile(`^([a-z][a-z0-9]*)\.([A-Z]\w*(?:\.[A-Z]\w*)?)(?:\[[A-Za-z.]*\])?(?:\([^()]*\))?$`)
	inC := regexp.MustCompile(`\b(?:mesos_[a-z_]+|MESOS_[A-Z_]+)\b`)
	camel := regexp.MustCompile(`^[A-Z][a-z]+(?:[A-Z][a-z]+)+$`)
	dashed := regexp.MustCompile(`^--(?:no-)?[a-z][a-z0-9_-]*`)
	for _, p := range pages(t) {
		for _, span := range p.spans() {
			if m := inGo.FindStringSubmatch(span); m != nil {
				if names, ours := declared[m[1]]; ours {
					assert.True(t, names[m[2]], "%s: `%s`: there is no %s in a package %s", p.path, span, m[2], m[1])
				} else {
					assert.Contains(t, foreign, m[1], "%s: `%s`: no package of that name", p.path, span)
				}
			}
			if f := dashed.FindString(span); f != "" {
				assert.True(t, slices.ContainsFunc(helps, func(h string) bool { return mentions(h, f) }), "%s: `%s`: no program has this flag", p.path, span)
			}
			if camel.MatchString(span) {
				known := strings.Contains(headers, span) || slices.ContainsFunc(slices.Collect(maps.Values(declared)), func(names map[string]bool) bool { return names[span] || names["."+span] })
				assert.True(t, known, "%s: `%s`: no package declares it", p.path, span)
			}
			if strings.HasPrefix(span, "mms_") {
				assert.True(t, strings.Contains(measures, `"`+span+`"`), "%s: `%s`: there is no such measure", p.path, span)
			}
			for _, name := range inC.FindAllString(span, -1) {
				known := strings.Contains(headers, name) || strings.Contains(sources, name) || slices.ContainsFunc(helps, func(h string) bool { return strings.Contains(h, name) })
				assert.True(t, known, "%s: `%s`: neither in the headers nor in a module's sources, and no environment variable of a daemon", p.path, span)
			}
		}
	}
}

var limitRow = regexp.MustCompile("(?m)^\\| `--([a-z_]+)` \\| (\\d+secs) \\|")

func TestDefaults(t *testing.T) {
	help, err := exec.Command(filepath.Join(workshop(t).bin, "mesos-slave"), "--help").Output()
	require.NoError(t, err)
	rows := limitRow.FindAllStringSubmatch(readPage(t, "../../docs/operators.md").prose, -1)
	require.Len(t, rows, 5)
	for _, row := range rows {
		_, rest, _ := strings.Cut(string(help), "--"+row[1]+"=")
		_, standard, _ := strings.Cut(rest, "Default: ")
		assert.True(t, strings.HasPrefix(standard, row[2]+"."), "--%s is not %s by default", row[1], row[2])
	}
}

// foreign are packages of others that pages speak of.
var foreign = []string{"fx", "context", "plugin", "slog", "graph", "proto", "runtime", "errors", "testing", "time", "semver", "os", "io", "fs"}

// declarations are the names that the packages of the repository declare, by the
// package's name: functions, types, constants, variables, fields and methods.
func declarations(t *testing.T) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	require.NoError(t, filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "testdata" || e.Name() == "build" || strings.HasPrefix(e.Name(), ".") && path != "../.."):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if all[f.Name.Name] == nil {
			all[f.Name.Name] = map[string]bool{}
		}
		declare(all[f.Name.Name], f)
		return nil
	}))
	return all
}

func declare(names map[string]bool, f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = true
			} else {
				names[receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
				names["."+d.Name.Name] = true // of any type
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				case *ast.TypeSpec:
					names[s.Name.Name] = true
					for _, n := range members(s.Type) {
						names[s.Name.Name+"."+n] = true
						names["."+n] = true
					}
				}
			}
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	default:
		return ""
	}
}

func members(e ast.Expr) (names []string) {
	var list *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		list = e.Fields
	case *ast.InterfaceType:
		list = e.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		for _, n := range f.Names {
			names = append(names, n.Name)
		}
	}
	return names
}

// textOf is all that stands in the headers and sources of folders.
func textOf(t *testing.T, dirs ...string) string {
	var all strings.Builder
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !slices.Contains([]string{".h", ".hpp", ".c", ".go"}, filepath.Ext(path)) {
				return err
			}
			content, err := os.ReadFile(path)
			all.Write(content)
			return err
		}))
	}
	return all.String()
}

// helpTexts are what the programs say of themselves.
func helpTexts(t *testing.T, bin string) (all []string) {
	lines := [][]string{{"mesos-master", "--help"}, {"mesos-slave", "--help"}, {"mesos-module", "--help"}}
	for _, c := range []string{"build", "graph", "headers", "inspect", "new", "plan", "roles", "rules", "verify"} {
		lines = append(lines, []string{"mesos-module", c, "--help"})
	}
	for _, l := range lines {
		out, err := exec.Command(filepath.Join(bin, l[0]), l[1:]...).CombinedOutput()
		require.NoError(t, err, string(out))
		all = append(all, string(out))
	}
	return all
}

// mentions reports whether a help text has a flag, also as --[no-]flag.
func mentions(help, f string) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(f, "--"), "no-")
	return regexp.MustCompile(`--(\[no-\])?` + regexp.QuoteMeta(name) + `\b`).MatchString(help)
}

// shellLines are the commands of a block: without comments, each part of a pipe or
// list for itself.
func shellLines(text string) (all []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, " #")
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for part := range strings.SplitSeq(strings.ReplaceAll(line, "&&", "|"), "|") {
			all = append(all, strings.TrimSpace(part))
		}
	}
	return all
}

// others are programs of the system, which pages may use.
var others = []string{"go", "g++", "gcc", "curl", "mkdir", "cd", "kill", "dot", "jq", "chmod", "cp", "install", "readelf", "ls"}

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// look finds the program of a command, its subcommand and its flags.
func (s *shell) look(where, command string) {
	words := strings.Fields(quoted.ReplaceAllString(command, "QUOTED"))
	for len(words) > 1 && regexp.MustCompile(`^[A-Z_]+=`).MatchString(words[0]) {
		words = words[1:]
	}
	program := filepath.Base(words[0])
	var args []string
	switch program {
	case "mesos-master", "mesos-slave":
	case "mesos-module":
		if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
			args = append(args, words[1])
		}
	case "make":
		makefile, err := os.ReadFile(filepath.Join(s.root, "Makefile"))
		require.NoError(s.t, err)
		for _, target := range words[1:] {
			if !strings.Contains(target, "=") {
				assert.True(s.t, strings.Contains(string(makefile), "\n"+target+":"), "%s: make has no target %s", where, target)
			}
		}
		return
	default:
		assert.Contains(s.t, others, program, "%s: the program %s is not known", where, program)
		return
	}
	help, err := exec.Command(filepath.Join(s.bin, program), append(args, "--help")...).CombinedOutput()
	require.NoError(s.t, err, "%s: %s", where, help)
	for _, w := range words[1:] {
		if w == "--" {
			break // the rest is a daemon's
		}
		if f := regexp.MustCompile(`^--[a-z][a-z_-]*`).FindString(w); f != "" {
			assert.True(s.t, mentions(string(help), f), "%s: %s has no flag %s", where, program, f)
		}
	}
}
