package skew_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/pluginbuild"
	"github.com/mesos-modules/mms/manager/finding"
)

// decorator needs what daemons link as well: the facade, a role, protocol buffers.
const decorator = `package decorator

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/hook"
)

var Library = facade.Library{Modules: []facade.Declared{facade.Module[hook.Hook]{
	Name: "org_example_decorator", Version: "1.0.0", Compatible: func(context.Context, facade.View) error { return nil },
	New: func(context.Context, facade.Host, facade.Parameters) (hook.Hook, error) { return decorator{}, nil },
}}}

type decorator struct{ hook.Unimplemented }

func (decorator) SlaveExecutorEnvironmentDecorator(context.Context, *mesosv1.ExecutorInfo) (*mesosv1.Environment, error) {
	return &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: proto.String("A"), Value: proto.String("1")}}}, nil
}
`

// slave is a real daemon, which is asked what it says to a library.
type slave struct{ path string }

func newSlave(t *testing.T) slave {
	t.Helper()
	repo, err := filepath.Abs("../..")
	require.NoError(t, err)
	s := slave{filepath.Join(t.TempDir(), "mesos-slave")}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", s.path, "./cmd/mesos-slave")
	cmd.Dir = repo
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return s
}

// holds returns the rules that the daemon finds broken by the decorator in a library.
func (s slave) holds(t *testing.T, library string) []finding.Rule {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.path, "--verify_only", "--report=verification", "--format=json", "--work_dir="+t.TempDir(),
		"--modules="+library+":org_example_decorator", "--hooks=org_example_decorator")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	require.True(t, err == nil || errors.As(err, &exit) && exit.ExitCode() == 2, "%v\n%s%s", err, out, &stderr)
	var report struct{ Findings []struct{ Rule finding.Rule } }
	require.NoError(t, json.Unmarshal(out, &report), string(out))
	rules := []finding.Rule{}
	for _, f := range report.Findings {
		rules = append(rules, f.Rule)
	}
	require.Equal(t, err != nil, len(rules) > 0, "the exit status says the same")
	return rules
}

// plugin builds the decorator as a plugin, as its author's go.mod says.
func plugin(t *testing.T, dir string) string {
	t.Helper()
	write(t, filepath.Join(dir, "plugin/main.go"), "package main\n\nimport \"example.org/author/decorator\"\n\nvar Library = decorator.Library\n\nfunc main() {}\n")
	file := filepath.Join(t.TempDir(), "libdecorator.so")
	command(t, dir, "go", "build", "-buildmode=plugin", "-o", file, "./plugin")
	return file
}

// protobuf returns a copy of the library for protocol buffers that calls itself another
// version.
func protobuf(t *testing.T) string {
	t.Helper()
	from := strings.TrimSpace(command(t, "../..", "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/protobuf"))
	to := filepath.Join(t.TempDir(), "protobuf")
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	path := filepath.Join(to, "internal/version/version.go")
	require.NoError(t, os.Chmod(path, 0o600))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := strings.Replace(string(content), "Patch      = ", "Patch      = 10", 1)
	require.NotEqual(t, string(content), changed)
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o600))
	return to
}

// A Go plugin loads in the one daemon that it was built for; the same module as a program
// does wherever the rules of the role and of the connection let it.
func TestSurvival(t *testing.T) {
	s := newSlave(t)
	repo, err := filepath.Abs("../..")
	require.NoError(t, err)
	present := author(t, release(t), "", map[string]string{"decorator": decorator})

	t.Run("built for the daemon both load", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "libdecorator.so")
		_, err := pluginbuild.Build(t.Context(), pluginbuild.Request{Package: "./decorator", Daemon: s.path, Source: repo, Dir: present, Env: environment(), Output: file})
		require.NoError(t, err)
		assert.Empty(t, s.holds(t, file))
		assert.Empty(t, s.holds(t, program(t, present, "decorator")))
	})

	for _, c := range []struct {
		name string
		dir  func(t *testing.T) string
	}{
		{"with the flags and files of its author", func(*testing.T) string { return present }},
		{"with the sources of another release", func(t *testing.T) string {
			another := release(t, edit{"facade/host.go", "	Lifetime() context.Context\n", "	Lifetime() context.Context\n\n	// Colour is of that release.\n	Colour() string\n"},
				edit{"manager/vehicle/process/serve/host.go", "// Lifetime implements", "func (h *host) Colour() string { return \"blue\" }\n\n// Lifetime implements"})
			return author(t, another, "", map[string]string{"decorator": decorator})
		}},
		{"with another version of a dependency that daemons have", func(t *testing.T) string {
			return author(t, release(t), "\nreplace google.golang.org/protobuf => "+protobuf(t)+"\n", map[string]string{"decorator": decorator})
		}},
	} {
		t.Run("built "+c.name, func(t *testing.T) {
			dir := c.dir(t)
			assert.Equal(t, []finding.Rule{finding.LibraryBuild}, s.holds(t, plugin(t, dir)), "the plugin is refused")
			assert.Empty(t, s.holds(t, program(t, dir, "decorator")), "the program loads")
		})
	}

	t.Run("a program may have the race detector in it", func(t *testing.T) {
		assert.Empty(t, s.holds(t, program(t, present, "decorator", "-race")))
	})
}
