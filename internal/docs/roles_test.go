package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles"
)

// sections are the headings that the page of every role has, in this order. A native
// role has the one about C++ as well.
var sections = []string{
	"Who calls, and when", "Cancelling, errors, lifetime", "Messages", "What ships",
	"A module in Go", "Binding it", "Testing it", inCpp, "What differs from Apache Mesos",
}

const inCpp = "A module in C++"

// TestRolePages holds that every role has a page, and that the page is whole.
func TestRolePages(t *testing.T) {
	byName := map[string]*page{}
	for _, p := range pagesIn(t, rolePages) {
		byName[p.name()] = p
	}
	index := readPage(t, "../../docs/roles/README.md")
	delete(byName, index.name())
	for _, role := range roles.Table() {
		name := strings.ToLower(role.Name)
		p := byName[name]
		delete(byName, name)
		t.Run(role.Name, func(t *testing.T) {
			require.NotNil(t, p, "the role has no page: write %s/%s.md", rolePages, name)
			assert.Contains(t, index.prose, "]("+name+".md)", "the index names the page")
			assert.Equal(t, "# The role "+role.Name, p.lines[0])
			want := slices.DeleteFunc(slices.Clone(sections), func(s string) bool { return s == inCpp && !role.Native })
			assert.Equal(t, want, p.headings("## "))
			for _, site := range role.Sites {
				assert.Contains(t, p.lines, siteLine(site), "the table of binding sites has another line for this one")
			}
			assert.True(t, p.binds(t), "no manifest of the page names a module of its program in Go")
		})
	}
	for name := range byName {
		assert.Fail(t, "there is no role for the page "+name+".md")
	}
}

// siteLine is the line of a binding site in the table of its role's page.
func siteLine(s roles.Site) string {
	flag := "every loaded module"
	if s.Flag != "" {
		flag = "`--" + strings.Join(append([]string{s.Flag}, s.Aliases...), "`, `--") + "`"
	}
	standard := "-"
	if s.Default != "" {
		standard = "`" + s.Default + "`"
	}
	return fmt.Sprintf("| %s | %v | %v | %s |", flag, s.On, s.Takes, standard)
}

// headings are those of one level.
func (p *page) headings(mark string) (all []string) {
	for line := range strings.SplitSeq(p.prose, "\n") {
		if text, ok := strings.CutPrefix(line, mark); ok {
			all = append(all, text)
		}
	}
	return all
}

// binds reports whether a manifest names a module that the page's Go declares.
func (p *page) binds(t *testing.T) bool {
	var programs string
	for _, b := range p.blocks {
		if b.lang == "go" {
			programs += b.text()
		}
	}
	for _, b := range p.blocks {
		if b.lang != "json" {
			continue
		}
		m, _, err := manifest.ParseJSON(p.path, []byte(b.text()), manifest.Options{})
		require.NoError(t, err)
		for _, l := range m.Libraries {
			for _, one := range l.Modules {
				if strings.Contains(programs, `"`+one.Name+`"`) {
					return true
				}
			}
		}
	}
	return false
}

// TestModulesOfRoles builds what the pages of roles hold, and runs the tests that stand
// beside it: a library in C++ lies where its test is.
func TestModulesOfRoles(t *testing.T) {
	at := workshop(t)
	home := filepath.Join(at.home, "authors")
	require.NoError(t, os.Mkdir(home, 0o755))
	put := func(path, content string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	put(filepath.Join(home, "go.mod"), "module example.org\n\ngo 1.26.0\n")
	put(filepath.Join(home, "go.work"), fmt.Sprintf("go 1.26.0\n\nuse .\n\nuse %q\n", at.root))
	var tested []string
	for _, p := range pagesIn(t, rolePages) {
		for _, b := range p.blocks {
			if b.values["file"] == "" {
				continue
			}
			path := filepath.Join(home, p.name(), b.values["file"])
			put(path, b.text())
			switch {
			case strings.HasSuffix(path, "_test.go"):
				tested = append(tested, "example.org/"+p.name()+"/"+filepath.Dir(b.values["file"]))
			case b.lang == "cpp":
				library := filepath.Join(filepath.Dir(path), "lib"+strings.TrimSuffix(filepath.Base(path), ".cpp")+".so")
				at.compile(t, b, "g++", "-std=c++11", "-shared", "-o", library, path)
			}
		}
	}
	cmd := exec.Command("go", "test", "-vet=off", "-ldflags=-s -w", "./...")
	cmd.Dir = home
	cmd.Env = append(environment(), "PWD="+home)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s", out)
	for _, name := range tested {
		assert.Contains(t, string(out), "ok  \t"+name+"\t", "what stands in the page is tested")
	}
	assert.NotContains(t, string(out), "[no test files]", "what stands in the page is not tested")
}
