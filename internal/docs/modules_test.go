package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/catalog"
	"github.com/mesos-modules/mms/internal/docs"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
)

// takesAnything are modules without a schema, on purpose.
var takesAnything = []string{"org_apache_mesos_TestModule"} // as in Apache Mesos

// TestModules holds that what ships says all of itself, is held against its role, and
// has a page that is true.
func TestModules(t *testing.T) {
	folders, err := docs.Folders("../..")
	require.NoError(t, err)
	byPage := map[string]*page{}
	for _, p := range pagesIn(t, modulePages) {
		byPage[filepath.Base(p.path)] = p
	}
	delete(byPage, "README.md")
	descriptions := described()
	for _, m := range catalog.Modules() {
		folder := folders[m.Name]
		file := docs.PageOf(folder)
		p := byPage[file]
		delete(byPage, file)
		t.Run(m.Name, func(t *testing.T) {
			require.NotEmpty(t, folder, `no package below modules has the line: const Name = "%s"`, m.Name)
			conformance(t, filepath.Join("../..", folder), m.Name)

			require.NotNil(t, p, "there is no page: write %s/%s", modulePages, file)
			assert.Contains(t, p.spans(), m.Name, "%s names the module in code font", p.path)
			assert.True(t, strings.HasPrefix(p.lines[0], "# "), "%s begins with a heading", p.path)
			for _, heading := range []string{"Binding it", "What can go wrong", "In Apache Mesos"} {
				assert.Contains(t, p.headings("## "), heading, "%s has a section %q", p.path, "## "+heading)
			}

			d, builtin := descriptions[m.Name]
			if !builtin { // its own Go module has tests
				p.bindsModule(t, m.Name, nil)
				return
			}
			whole(t, d)
			p.bindsModule(t, m.Name, &d)
			p.tellsParameters(t, d)
		})
	}
	for name := range byPage {
		assert.Fail(t, fmt.Sprintf("%s/%s is the page of no module that ships; pages are called after the folder: isolator-posixcpu.md", modulePages, name))
	}
}

// described is what libraries say of their modules, by name.
func described() map[string]vehicle.Module {
	all := map[string]vehicle.Module{}
	for _, lib := range catalog.Libraries() {
		for _, m := range golib.Describe(vehicle.Builtin, lib).Modules {
			all[m.Name] = m
		}
	}
	return all
}

// whole holds that a module says of itself what people want to know.
func whole(t *testing.T, d vehicle.Module) {
	if slices.Contains(takesAnything, d.Name) {
		return
	}
	_, err := semver.StrictNewVersion(d.Version)
	assert.NoError(t, err, "its version is %q", d.Version)
	assert.NotEmpty(t, d.Author)
	assert.NotEmpty(t, d.Email)
	assert.NotEmpty(t, d.Description)
	assert.True(t, d.HasSchema, "it has no schema, so that any key is passed on; one that takes none says Parameters: facade.SchemaOf[struct{}]()")
	for _, p := range d.Parameters {
		assert.NotEmpty(t, p.Doc, "parameter %s says what it is (tag doc)", p.Key)
	}
}

// bindsModule holds that a manifest of the page names the module, with parameters that
// it has.
func (p *page) bindsModule(t *testing.T, name string, d *vehicle.Module) {
	found := false
	for _, b := range p.blocks {
		if b.lang != "json" || b.has("refused") || b.has("document") {
			continue
		}
		m, _, err := manifest.ParseJSON(p.path, []byte(b.text()), manifest.Options{})
		require.NoError(t, err, "%s:%d", p.path, b.first)
		for _, l := range m.Libraries {
			for _, one := range l.Modules {
				if one.Name != name {
					continue
				}
				found = true
				for _, parameter := range one.Parameters {
					known := d == nil || !d.HasSchema || slices.ContainsFunc(d.Parameters, func(s facade.ParameterSpec) bool { return s.Key == parameter.Key })
					assert.True(t, known, "%s:%d: the module has no parameter %s", p.path, b.first, parameter.Key)
				}
			}
		}
	}
	assert.True(t, found, "%s has no manifest (a block of the language json) that names %s", p.path, name)
}

var tableKey = regexp.MustCompile("`([^`]+)`")

// tellsParameters holds that the table below "## Parameters" lists the schema's keys, no
// more and no less.
func (p *page) tellsParameters(t *testing.T, d vehicle.Module) {
	var keys, listed []string
	for _, s := range d.Parameters {
		keys = append(keys, s.Key)
	}
	_, section, _ := strings.Cut("\n"+p.prose, "\n## Parameters\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.SplitSeq(section, "\n") {
		if !strings.HasPrefix(line, "|") {
			if len(listed) > 0 {
				break // the first table
			}
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		for _, m := range tableKey.FindAllStringSubmatch(first, -1) {
			listed = append(listed, m[1])
		}
	}
	slices.Sort(keys)
	slices.Sort(listed)
	assert.Equal(t, keys, listed, "%s: the first table below the heading \"## Parameters\" has a line for each key of the schema, with the key in code font in its first column", p.path)
}

// conformance holds that a test of the package puts the module to its role's suite.
func conformance(t *testing.T, folder, module string) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, content, parser.SkipObjectResolution)
		require.NoError(t, err)
		calls := false
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Conformance" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "moduletest" {
					calls = true
				}
			}
			return true
		})
		if calls {
			return
		}
	}
	assert.Fail(t, fmt.Sprintf("no test in %s calls moduletest.Conformance for %s", strings.TrimPrefix(folder, "../../"), module))
}
