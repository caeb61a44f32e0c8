package pluginbuild_test

import (
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/pluginbuild"
	"github.com/mesos-modules/mms/internal/pluginbuild/plugintest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/process"
)

// requires is what an author's go.mod says who works with a checkout of the module system.
func requires(l *plugintest.Lab) string {
	return "require github.com/mesos-modules/mms v1.12.0\n\nreplace github.com/mesos-modules/mms => " + l.Repo + "\n"
}

// programs builds programs in a lab and holds what is true of every build.
type programs struct{ *plugintest.Lab }

func (p programs) build(t *testing.T, dir string, change func(*pluginbuild.Request)) (pluginbuild.Result, string, error) {
	t.Helper()
	var said strings.Builder
	request := pluginbuild.Request{
		Package: "./calc", As: vehicle.Process, Dir: p.Path(dir), Env: p.Env,
		Output: filepath.Join(t.TempDir(), "program"), Stderr: &said,
	}
	if change != nil {
		change(&request)
	}
	before := contents(t, p.Path(dir))
	result, err := pluginbuild.Build(t.Context(), request)
	after := contents(t, p.Path(dir))
	delete(after, result.Output)
	assert.Equal(t, before, after, "the author's folder is not touched")
	if err == nil {
		served(t, result.Output)
		return result, said.String(), nil
	}
	left, _ := os.ReadDir(filepath.Dir(request.Output))
	assert.Empty(t, left, "nothing is left behind")
	return result, said.String(), err
}

// author writes an author's module, with the sums that the go command writes.
func (p programs) author(dir, mod string, files map[string]string) {
	author(p.Lab, dir, mod, files)
	if strings.Contains(mod, "=> "+p.Repo) || strings.Contains(mod, plugintest.Third) {
		p.Go(dir, []string{"GOFLAGS=-modcacherw -mod=mod"}, "list", "-e", "-deps", "./...")
	}
}

// served holds that a daemon takes the file for a library, and that a person who runs it
// is told what it is.
func served(t *testing.T, path string) {
	t.Helper()
	f, err := file.Look(path, file.Options{})
	require.NoError(t, err)
	d, ok, err := process.New(process.Options{}).Recognise(f)
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, vehicle.Process, d.Vehicle)
	var exit *exec.ExitError
	_, err = exec.Command(path).Output()
	require.True(t, errors.As(err, &exit), "%v", err)
	assert.Equal(t, 2, exit.ExitCode())
	assert.Contains(t, string(exit.Stderr), "this program is a library of Mesos modules")
}

func digest(t *testing.T, path string) [32]byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return sha256.Sum256(content)
}

// needsLoader reports whether the program needs libraries of the system.
func needsLoader(t *testing.T, path string) bool {
	t.Helper()
	f, err := elf.Open(path)
	require.NoError(t, err)
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return false
}

// modulesIn are the paths of the modules that the program was built with.
func modulesIn(t *testing.T, path string) (paths []string) {
	t.Helper()
	info, err := buildinfo.ReadFile(path)
	require.NoError(t, err)
	for _, m := range info.Deps {
		paths = append(paths, m.Path)
	}
	return paths
}

// linked returns the version of a module that the program was built with.
func linked(t *testing.T, path, module string) string {
	t.Helper()
	info, err := buildinfo.ReadFile(path)
	require.NoError(t, err)
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}

func TestBuildProgram(t *testing.T) {
	l := programs{plugintest.New(t)}
	calc := map[string]string{"calc/calc.go": plugintest.Calc("calc", "third.C")}

	t.Run("the author's own versions are built, whatever a daemon links", func(t *testing.T) {
		l.author("author", "require "+plugintest.Third+" v1.2.0\n\n"+requires(l.Lab), calc)
		result, said, err := l.build(t, "author", nil)
		require.NoError(t, err, said)
		assert.NotContains(t, said, "notice")
		assert.Equal(t, "example.org/author/calc", result.Package)
		assert.Equal(t, l.Repo, result.Facade)
		assert.Empty(t, result.Pins)
		assert.Equal(t, "v1.2.0", linked(t, result.Output, plugintest.Third))
		assert.False(t, needsLoader(t, result.Output), "without C it runs on any system")
		assert.ElementsMatch(t, []string{
			"github.com/containerd/log", "github.com/containerd/ttrpc", "github.com/mesos-modules/mms", "github.com/sirupsen/logrus",
			"golang.org/x/sync", "golang.org/x/sys", "google.golang.org/genproto/googleapis/rpc", "google.golang.org/grpc", "google.golang.org/protobuf",
			plugintest.Third,
		}, modulesIn(t, result.Output), "nothing of a daemon is in it: it is small, and starts fast")

		t.Run("the same sources give the same bytes, wherever they lie", func(t *testing.T) {
			l.author("deep/down/elsewhere", "require "+plugintest.Third+" v1.2.0\n\n"+requires(l.Lab), calc)
			t.Setenv("TMPDIR", t.TempDir())
			again, said, err := l.build(t, "deep/down/elsewhere", nil)
			require.NoError(t, err, said)
			assert.Equal(t, digest(t, result.Output), digest(t, again.Output))
		})
		t.Run("it is called after its package, and lies in the package's folder if that is in the way", func(t *testing.T) {
			result, said, err := l.build(t, "author", func(r *pluginbuild.Request) { r.Output = "" })
			require.NoError(t, err, said)
			assert.Equal(t, l.Path("author/calc/calc"), result.Output)
			require.NoError(t, os.Remove(result.Output))
		})
	})

	t.Run("without a version of the module system, its sources are put beside", func(t *testing.T) {
		l.author("bare", "require "+plugintest.Third+" v1.2.0", calc)
		result, said, err := l.build(t, "bare", func(r *pluginbuild.Request) { r.Source = l.Repo })
		require.NoError(t, err, said)
		assert.Equal(t, l.Repo, result.Facade)
		assert.Contains(t, said, "notice: building with the module system in "+l.Repo+", because example.org/author requires no version of it")

		_, _, err = l.build(t, "bare", nil)
		require.ErrorContains(t, err, "module example.org/author does not require github.com/mesos-modules/mms, and the sources of that are not above "+l.Path("bare"))
		require.ErrorContains(t, err, "run go get github.com/mesos-modules/mms there, or name the folder of its sources with --source")

		result, said, err = l.build(t, "bare", func(r *pluginbuild.Request) { r.Near = filepath.Join(l.Repo, "bin/mesos-module") })
		require.NoError(t, err, said)
		assert.Equal(t, l.Repo, result.Facade)
	})

	t.Run("the author's own workspace counts", func(t *testing.T) {
		l.Write("my work/beside/go.mod", "module example.org/beside\n\ngo 1.26.0\n")
		l.Write("my work/beside/b.go", "package beside\n\nconst B = 1\n")
		l.author("my work/author", "require "+plugintest.Third+" v1.0.0", map[string]string{
			"calc/calc.go": plugintest.Calc("calc", "third.A"), "calc/more.go": "package calc\n\nimport \"example.org/beside\"\n\nvar _ = beside.B\n",
		})
		work := l.Write("my work/go.work", "go 1.26.0\n\nuse (\n\t./author\n\t./beside\n\t"+l.Repo+"\n)\n\nreplace "+plugintest.Third+" => "+plugintest.Third+" v1.1.0\n")
		result, said, err := l.build(t, "my work/author", func(r *pluginbuild.Request) { r.Env = append(r.Env[:len(r.Env):len(r.Env)], "GOWORK="+work) })
		require.NoError(t, err, said)
		info, err := buildinfo.ReadFile(result.Output)
		require.NoError(t, err)
		for _, m := range info.Deps {
			if m.Path == plugintest.Third {
				assert.Equal(t, "v1.1.0", m.Replace.Version)
			}
		}
		assert.NoFileExists(t, work+".sum")
	})

	t.Run("flags are passed on", func(t *testing.T) {
		whole, said, err := l.build(t, "author", nil)
		require.NoError(t, err, said)
		stripped, said, err := l.build(t, "author", func(r *pluginbuild.Request) { r.Flags = []string{"-ldflags=-s -w"} })
		require.NoError(t, err, said)
		size := func(path string) int64 {
			info, err := os.Stat(path)
			require.NoError(t, err)
			return info.Size()
		}
		assert.Less(t, size(stripped.Output), size(whole.Output)*4/5)
		for flag, says := range map[string]string{
			"extra": `"extra" is no flag`, "-o=x": "name the file to write with --output", "-mod=vendor": "given already",
		} {
			_, _, err := l.build(t, "author", func(r *pluginbuild.Request) { r.Flags = []string{flag} })
			require.ErrorContains(t, err, says)
		}
	})

	t.Run("C is linked where a package needs it, and the environment has the last word", func(t *testing.T) {
		const c = "package calc\n\n// static int one(void) { return 1; }\nimport \"C\"\n\nvar _ = C.one()\n"
		l.author("cgo", requires(l.Lab), map[string]string{
			"calc/calc.go": plugintest.Calc("calc", ""), "calc/c.go": c, "calc/none.go": "//go:build !cgo\n\npackage calc\n",
		})
		result, said, err := l.build(t, "cgo", nil)
		require.NoError(t, err, said)
		assert.True(t, needsLoader(t, result.Output))
		result, said, err = l.build(t, "cgo", func(r *pluginbuild.Request) { r.Env = append(r.Env[:len(r.Env):len(r.Env)], "CGO_ENABLED=0") })
		require.NoError(t, err, said)
		assert.False(t, needsLoader(t, result.Output))
	})

	t.Run("a main package is built as it is", func(t *testing.T) {
		const serve = "\nimport \"github.com/mesos-modules/mms/manager/vehicle/process/serve\"\n\nfunc main() { serve.Main(Library) }\n"
		l.author("mains", requires(l.Lab), map[string]string{
			"serves/calc.go": plugintest.Calc("main", ""), "serves/main.go": "package main\n" + serve,
			"idle/calc.go": plugintest.Calc("main", ""), "idle/main.go": "package main\n\nfunc main() {}\n",
		})
		result, said, err := l.build(t, "mains", func(r *pluginbuild.Request) { r.Package = "./serves" })
		require.NoError(t, err, said)
		assert.Equal(t, "example.org/author/serves", result.Package)
		_, _, err = l.build(t, "mains", func(r *pluginbuild.Request) { r.Package = "./idle" })
		require.ErrorContains(t, err, "its main has to end with serve.Main(Library)")
	})

	t.Run("what is wrong is named with the way out", func(t *testing.T) {
		l.Publish("github.com/mesos-modules/mms", "v1.11.0", map[string]string{
			"go.mod":           "module github.com/mesos-modules/mms\n\ngo 1.26.0\n",
			"facade/facade.go": "package facade\n\ntype Library struct{}\n",
		})
		const library = "package calc\n\nimport \"github.com/mesos-modules/mms/facade\"\n\nvar Library = facade.Library{}\n"
		for name, c := range map[string]struct {
			mod   string
			files map[string]string
			says  string
		}{
			"no Library":   {requires(l.Lab), map[string]string{"calc/c.go": "package calc\n"}, "package example.org/author/calc has no exported variable Library; declare var Library"},
			"another type": {requires(l.Lab), map[string]string{"calc/c.go": "package calc\n\nvar Library = 5\n"}, "the variable Library of package example.org/author/calc is no facade.Library"},
			"an old module system": {"require github.com/mesos-modules/mms v1.11.0", map[string]string{"calc/c.go": library},
				"(v1.11.0) is older than the process vehicle; raise it with go get github.com/mesos-modules/mms@latest"},
			"the folder of the main package": {requires(l.Lab), map[string]string{"calc/c.go": library, "calc/mms_process/x.go": "package x\n"}, "mms_process is in the way of the program's main package"},
			"a package that is not there":    {requires(l.Lab), map[string]string{"calc/c.go": "package calc\n\nimport _ \"example.org/nowhere\"\n"}, "example.org/nowhere"},
			"what does not compile":          {requires(l.Lab), map[string]string{"calc/c.go": library + "\nvar x int = \"\"\n"}, "build example.org/author/calc: go build"},
		} {
			t.Run(name, func(t *testing.T) {
				dir := "wrong " + strings.ReplaceAll(name, " ", "-")
				l.author(dir, c.mod, c.files)
				if strings.Contains(c.mod, "v1.11.0") {
					l.Go(dir, []string{"GOFLAGS=-modcacherw -mod=mod"}, "mod", "download", "github.com/mesos-modules/mms")
				}
				_, _, err := l.build(t, dir, nil)
				require.ErrorContains(t, err, c.says)
			})
		}
	})
}

// An author who has never seen these sources gets the module system from a proxy.
func TestBuildProgramWithARelease(t *testing.T) {
	l := programs{plugintest.New(t)}
	l.PublishRepo("v1.12.0")
	l.author("author", "require github.com/mesos-modules/mms v1.12.0\n", map[string]string{"calc/calc.go": plugintest.Calc("calc", "")})
	l.Go("author", []string{"GOFLAGS=-modcacherw -mod=mod"}, "list", "-deps", "./...")
	for name, more := range map[string]string{
		"which is on this machine": "GONOPROXY=", "which is not on this machine yet": "GOMODCACHE=" + filepath.Join(t.TempDir(), "mod"),
	} {
		t.Run(name, func(t *testing.T) {
			result, said, err := l.build(t, "author", func(r *pluginbuild.Request) {
				r.Env = append(r.Env[:len(r.Env):len(r.Env)], more)
				r.Source, r.Near = t.TempDir(), l.Repo // neither counts
			})
			require.NoError(t, err, said)
			assert.Equal(t, "v1.12.0", result.Facade)
			assert.Equal(t, "v1.12.0", linked(t, result.Output, "github.com/mesos-modules/mms"))
		})
	}
}
