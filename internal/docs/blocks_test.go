package docs_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/docs"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles"
)

var update = flag.Bool("update", false, "write what sessions print into the pages, and docs/rules.md")

func TestGeneratedPages(t *testing.T) {
	if *update {
		require.NoError(t, docs.Write("../.."))
	}
	index, err := docs.ModulesPage("../..")
	require.NoError(t, err)
	want := map[string]string{"../../docs/rules.md": docs.RulesPage(), "../../docs/modules/README.md": index}
	read := func(path string) string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(text)
	}
	for _, r := range roles.Table() {
		path := "../../" + rolePages + "/" + strings.ToLower(r.Name) + ".md"
		want[path], err = docs.RolePage("../..", read(path), r.Name)
		require.NoError(t, err)
	}
	for path, text := range want {
		assert.Equal(t, text, read(path), "%s: run \"make generate\"", path)
	}
}

// TestBlocks goes through the fenced blocks of every page, in their order: a session
// finds the files that stand above it.
func TestBlocks(t *testing.T) {
	at := workshop(t)
	for _, p := range pages(t) {
		t.Run(p.path, func(t *testing.T) {
			dir := filepath.Join(at.home, strings.TrimSuffix(p.path, ".md"))
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.Symlink(at.bin, filepath.Join(dir, "bin")))
			s := &shell{t: t, site: at, dir: dir, daemons: map[string]*daemon{}}
			if *update {
				defer func() {
					require.NoError(t, os.WriteFile(filepath.Join(at.root, p.path), []byte(strings.Join(p.lines, "\n")+"\n"), 0o644))
				}()
			}
			for _, b := range p.blocks {
				s.check(b)
			}
			if !p.ofRole() { // those are tested
				s.vet(p)
			}
		})
	}
}

func (s *shell) check(b *block) {
	where := func() string { return b.page.path + ":" + itoa(b.first) }
	if b.values["from"] != "" {
		s.verbatim(b)
		return
	}
	switch b.lang {
	case "go", "cpp", "c":
		if b.values["file"] == "" {
			assert.Fail(s.t, where()+": a program is a whole file (file=) or lines of one (from=)")
			return
		}
		s.write(b)
	case "json":
		if b.has("document") {
			assert.True(s.t, documents(b.text()), "%s: this is no JSON", where())
			return
		}
		_, _, err := manifest.ParseJSON(where(), []byte(b.text()), manifest.Options{})
		if b.has("refused") {
			assert.Error(s.t, err, where())
		} else {
			assert.NoError(s.t, err, where())
		}
		if b.values["file"] != "" {
			s.write(b)
		}
	case "sh":
		if b.has("script") {
			cmd := exec.Command("sh", "-n")
			cmd.Stdin = strings.NewReader(b.text())
			out, err := cmd.CombinedOutput()
			assert.NoError(s.t, err, "%s: %s", where(), out)
			return
		}
		for _, c := range shellLines(b.text()) {
			s.look(where(), c)
		}
	case "console":
		s.session(b)
	case "text":
		assert.True(s.t, b.has("drawing"), "%s: text is a drawing, or from a file; what a program prints is a console block", where())
	default:
		assert.Fail(s.t, where()+": a block of the language "+b.lang+" cannot be checked")
	}
}

// documents reports whether a text is JSON documents, one behind the other.
func documents(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	for {
		var any json.RawMessage
		if err := d.Decode(&any); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// write puts a whole file where a session and the compilers find it.
func (s *shell) write(b *block) {
	path := filepath.Join(s.dir, b.values["file"])
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s.t, os.WriteFile(path, []byte(b.text()), 0o644))
	compile := map[string][]string{"cpp": {"g++", "-std=c++11"}, "c": {"gcc", "-std=c11"}}[b.lang]
	if compile == nil || b.page.ofRole() { // what is in a role's page is built as a library, and tested
		return
	}
	s.site.compile(s.t, b, append(compile, "-c", "-o", os.DevNull, path)...)
}

// compile runs a compiler that takes no warning.
func (s site) compile(t *testing.T, b *block, command ...string) {
	args := append(command[1:], "-Wall", "-Wextra", "-Werror", "-fPIC", "-I"+filepath.Join(s.root, "facade/include"))
	out, err := exec.Command(command[0], args...).CombinedOutput()
	assert.NoError(t, err, "%s:%d: %s", b.page.path, b.first, out)
}

// vet compiles all that is written in Go in the page, tests included.
func (s *shell) vet(p *page) {
	var done []string
	for _, b := range p.blocks {
		dir := filepath.Dir(filepath.Join(s.dir, b.values["file"]))
		if b.lang != "go" || b.values["file"] == "" || slices.Contains(done, dir) {
			continue
		}
		done = append(done, dir)
		cmd := exec.Command("go", "vet", ".")
		cmd.Dir = dir
		cmd.Env = append(environment(), "PWD="+dir)
		out, err := cmd.CombinedOutput()
		assert.NoError(s.t, err, "%s: %s", p.path, out)
	}
}

// verbatim finds the block's lines in the file that they are said to be from.
func (s *shell) verbatim(b *block) {
	content, err := os.ReadFile(filepath.Join(s.root, b.values["from"]))
	require.NoError(s.t, err, "%s:%d", b.page.path, b.first)
	assert.True(s.t, strings.Contains("\n"+dedented(string(content)), "\n"+dedented(b.text())), "%s:%d: these lines do not stand so in %s", b.page.path, b.first, b.values["from"])
}

// dedented is a text without what its lines begin with: a fragment may be moved to the left.
func dedented(text string) string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		all = append(all, strings.TrimSpace(line))
	}
	return strings.Join(all, "\n")
}

// session runs a session and compares, or writes, what it prints.
func (s *shell) session(b *block) {
	shift := 0 // lines that updating has put in or taken out
	all := commands(s.t, b)
	for i, c := range all {
		got := linesOf(s.shown(s.run(c.text)))
		if s.status != 0 && (i+1 == len(all) || all[i+1].text != askStatus) {
			require.Fail(s.t, b.page.path+":"+itoa(c.line)+": "+c.text+" fails, and the page does not ask for its status", strings.Join(got, "\n"))
		}
		if matches(c.want, got) {
			continue
		}
		if !*update {
			assert.Fail(s.t, b.page.path+":"+itoa(c.line)+": "+c.text+" prints something else (go test ./internal/docs -update writes it)",
				"in the page:\n%s\n\nprinted:\n%s", strings.Join(c.want, "\n"), strings.Join(got, "\n"))
			continue
		}
		at := c.line + shift
		b.page.lines = slices.Replace(b.page.lines, at, at+len(c.want), got...)
		moved := len(got) - len(c.want)
		shift += moved
		for _, x := range b.page.blocks {
			if x.first > at {
				x.first += moved
			}
			if x.last >= at {
				x.last += moved
			}
		}
	}
}
