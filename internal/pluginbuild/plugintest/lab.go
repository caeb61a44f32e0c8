// Package plugintest is a workshop for tests of Go plugins: modules outside of
// the repository, a module proxy made of files with a third-party module in
// several versions, and small daemons that open plugins.
//
// A test binary cannot be the daemon: its flags are those of the test run, and
// plugins would have to follow them.
package plugintest

import (
	"archive/zip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Third is a module in three versions, each of which has more to import than the
// one before: A; A and B; A, B and C. With the tag "special" it differs as well.
const Third = "example.org/third"

// Lab is a temporary folder with a module cache and proxy of its own.
type Lab struct {
	t    testing.TB
	Dir  string
	Repo string // the sources of this module

	// Env is the environment for go commands and for what runs them.
	Env []string
}

// New makes a lab that goes away with the test.
func New(t testing.TB) *Lab {
	t.Helper()
	l := &Lab{t: t, Dir: t.TempDir(), Repo: repository(t)}
	cache := strings.TrimSpace(output(t, l.Repo, os.Environ(), "go", "env", "GOMODCACHE"))
	proxy := strings.TrimSpace(output(t, l.Repo, os.Environ(), "go", "env", "GOPROXY"))
	l.Env = append(os.Environ(),
		"GOPROXY=file://"+l.Path("proxy")+",file://"+cache+"/cache/download,"+proxy,
		"GOMODCACHE="+l.Path("mod"), "GOFLAGS=-modcacherw -buildvcs=false",
		"GONOSUMDB=example.org,github.com/mesos-modules", "GOWORK=off",
	)
	const mod = "module " + Third + "\n\ngo 1.26.0\n"
	const special = "//go:build special\n\npackage third\n\nconst Special = true\n"
	for version, consts := range map[string]string{"v1.0.0": "A = 1", "v1.1.0": "A, B = 1, 2", "v1.2.0": "A, B, C = 1, 2, 3"} {
		l.Publish(Third, version, map[string]string{
			"go.mod":     mod,
			"special.go": special,
			"third.go":   "package third\n\nconst " + consts + "\n\nfunc Version() string { return \"" + version + "\" }\n",
		})
	}
	return l
}

// Path returns the absolute path of a file in the lab.
func (l *Lab) Path(name string) string { return filepath.Join(l.Dir, name) }

// Write makes a file, with its folders, and returns its path.
func (l *Lab) Write(name, content string) string {
	l.t.Helper()
	path := l.Path(name)
	require.NoError(l.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(l.t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

// Publish puts a version of a module, which has a go.mod, into the proxy.
func (l *Lab) Publish(module, version string, files map[string]string) {
	l.t.Helper()
	base := "proxy/" + module + "/@v/"
	info, err := json.Marshal(map[string]string{"Version": version, "Time": "2026-01-02T03:04:05Z"})
	require.NoError(l.t, err)
	l.Write(base+version+".info", string(info))
	l.Write(base+version+".mod", files["go.mod"])

	archive, err := os.Create(l.Path(base + version + ".zip"))
	require.NoError(l.t, err)
	z := zip.NewWriter(archive)
	for name, content := range files {
		w, err := z.Create(module + "@" + version + "/" + name)
		require.NoError(l.t, err)
		_, err = w.Write([]byte(content))
		require.NoError(l.t, err)
	}
	require.NoError(l.t, z.Close())
	require.NoError(l.t, archive.Close())

	list, err := os.OpenFile(l.Path(base+"list"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(l.t, err)
	_, err = list.WriteString(version + "\n")
	require.NoError(l.t, err)
	require.NoError(l.t, list.Close())
}

// PublishRepo publishes the part of this module that a daemon of Host and an author's
// program link, as the given version.
func (l *Lab) PublishRepo(version string) {
	l.t.Helper()
	files := map[string]string{}
	for _, dir := range []string{"facade", "roles", "manager/finding", "manager/vehicle"} {
		require.NoError(l.t, filepath.WalkDir(filepath.Join(l.Repo, dir), func(path string, e os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				l.take(files, path)
			}
			return err
		}))
	}
	l.take(files, filepath.Join(l.Repo, "go.mod"))
	l.take(files, filepath.Join(l.Repo, "go.sum"))
	l.Publish("github.com/mesos-modules/mms", version, files)
}

func (l *Lab) take(files map[string]string, path string) {
	content, err := os.ReadFile(path)
	require.NoError(l.t, err)
	name, err := filepath.Rel(l.Repo, path)
	require.NoError(l.t, err)
	files[filepath.ToSlash(name)] = string(content)
}

// Go runs a go command in a folder of the lab, with settings on top of Env, and
// requires that it succeeds.
func (l *Lab) Go(dir string, settings []string, args ...string) string {
	l.t.Helper()
	return output(l.t, l.Path(dir), append(l.Env[:len(l.Env):len(l.Env)], settings...), "go", args...)
}

// Workspace writes a go.work over this repository and folders of the lab, and
// returns the setting that selects it.
func (l *Lab) Workspace(name string, folders ...string) []string {
	l.t.Helper()
	work := "go 1.26.0\n\nuse " + l.Repo + "\n"
	for _, f := range folders {
		work += "use " + l.Path(f) + "\n"
	}
	return []string{"GOWORK=" + l.Write(name+"/go.work", work)}
}

// Run runs a program and returns what it prints; it has to succeed.
func (l *Lab) Run(program string, args ...string) string {
	l.t.Helper()
	return output(l.t, l.Dir, l.Env, program, args...)
}

func output(t testing.TB, dir string, env []string, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s\n%s%s", program, strings.Join(args, " "), out, &stderr)
	return string(out)
}

// repository is the folder above the test's that holds go.mod.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "a folder above holds go.mod")
		dir = filepath.Dir(dir)
	}
}
