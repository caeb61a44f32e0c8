package policy

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A wall says what the packages below some folders may import.
type wall struct {
	of      []string // folders
	but     []string // folders below them that stand outside
	ours    []string // folders of ours that may be imported
	others  []string // other modules' packages, with everything below
	because string
}

var walls = []wall{
	{of: []string{"facade"}, but: []string{"facade/moduletest", "facade/include"},
		ours: []string{"facade"}, others: []string{"google.golang.org/protobuf"},
		because: "every module links the facade, and a Go plugin shares each package of it with the daemon bit for bit"},
	{of: []string{"facade/include"}, ours: []string{},
		because: "the headers are files"},
	{of: []string{"roles"}, ours: []string{"roles", "facade/mesos"}, others: []string{"google.golang.org/protobuf"},
		because: "a role is a contract; handles and bridges are generated below manager"},
	{of: []string{"depgraph"}, ours: []string{"depgraph"},
		others:  []string{"github.com/Masterminds/semver/v3", "github.com/dominikbraun/graph"},
		because: "the graph is pure"},
	{of: []string{"lifecycle"}, ours: []string{"lifecycle"}, others: []string{"go.uber.org/fx", "github.com/hashicorp/go-multierror"},
		because: "phases and steps know nothing of modules"},
	{of: []string{"manager/vehicle/process"},
		ours:    []string{"facade", "roles", "manager/finding", "manager/handle", "manager/vehicle"},
		others:  []string{"google.golang.org/protobuf", "golang.org/x/", "github.com/containerd/ttrpc", "github.com/containerd/log", "github.com/sirupsen/logrus"},
		because: "programs of module authors link it: it stays small and starts fast"},
	{of: []string{"modules"}, ours: []string{"facade", "roles", "modules", "internal/resources", "internal/mesosjson"}, others: []string{"google.golang.org/protobuf", "github.com/", "go.uber.org/", "golang.org/"},
		because: "a module that ships with Mesos is a module like any other"},
}

func TestWalls(t *testing.T) {
	for _, p := range list(t, "./...") {
		path := local(p.ImportPath)
		for _, w := range walls {
			if !below(path, w.of...) || below(path, w.but...) {
				continue
			}
			for _, imported := range p.Imports {
				assert.True(t, w.allows(imported), "%s imports %s, and must not: %s", path, imported, w.because)
			}
		}
	}
}

func (w wall) allows(imported string) bool {
	if ours := local(imported); ours != "" {
		return below(ours, w.ours...)
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	for _, o := range w.others {
		if strings.HasPrefix(imported, o) {
			return true
		}
	}
	return false
}

// TestOnlyTheManagerOpensLibraries looks for the two ways in: the package plugin,
// and dlopen through cgo.
func TestOnlyTheManagerOpensLibraries(t *testing.T) {
	for _, p := range list(t, "./...") {
		path := local(p.ImportPath)
		if below(path, "manager/vehicle") {
			continue
		}
		assert.NotContains(t, p.Imports, "plugin", "%s opens Go plugins", path)
		for _, name := range p.CgoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			require.NoError(t, err)
			if strings.Contains(path, "internal") && strings.Contains(path, "test") {
				continue // helpers of tests, which cgo does not allow in test files
			}
			assert.NotContains(t, string(text), "dlopen(", "%s/%s opens libraries", path, name)
		}
	}
}

// maxMain is a screen.
const maxMain = 60

func TestMainFitsOnAScreen(t *testing.T) {
	files, err := filepath.Glob("../../cmd/*/main.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.LessOrEqual(t, strings.Count(string(text), "\n"), maxMain, name)
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range list(t, "./...") {
		if len(p.GoFiles)+len(p.CgoFiles) > 0 {
			assert.NotEmpty(t, p.Doc, "%s has no package comment", local(p.ImportPath))
		}
	}
}

// TestTestsNeitherSleepNorSkip looks at calls, not at text.
func TestTestsNeitherSleepNorSkip(t *testing.T) {
	for _, p := range list(t, "./...") {
		for _, name := range append(p.TestGoFiles, p.XTestGoFiles...) {
			path := filepath.Join(p.Dir, name)
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, call := range callsOf(f, "time.Sleep", "t.Skip", "t.Skipf", "t.SkipNow", "b.Skip", "tb.Skip") {
				assert.Fail(t, fmt.Sprintf("%s/%s:%d calls %s", local(p.ImportPath), name, set.Position(call.pos).Line, call.name))
			}
		}
	}
}
