package pluginbuild_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/internal/pluginbuild"
	"github.com/mesos-modules/mms/internal/pluginbuild/plugintest"
)

const opened = "opened 75 <nil> unloads false\n"

// author writes an author's module into a folder of the lab.
func author(l *plugintest.Lab, dir, mod string, files map[string]string) {
	l.Write(dir+"/go.mod", "module example.org/author\n\ngo 1.26.0\n\n"+mod+"\n")
	for name, content := range files {
		l.Write(dir+"/"+name, content)
	}
}

// contents reads a whole folder, to see that nothing in it changes.
func contents(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[path] = string(content)
		return err
	}))
	return all
}

func TestBuild(t *testing.T) {
	l := plugintest.New(t)
	l.Publish("example.org/wants", "v1.0.0", map[string]string{
		"go.mod":   "module example.org/wants\n\ngo 1.26.0\n\nrequire " + plugintest.Third + " v1.2.0\n",
		"wants.go": "package wants\n\nimport \"" + plugintest.Third + "\"\n\nvar V = third.Version()\n",
	})
	daemon := l.Host("host", "v1.1.0", "-tags=special")
	calc := map[string]string{"calc/calc.go": plugintest.Calc("calc", "third.A")}

	build := func(t *testing.T, dir string, change func(*pluginbuild.Request)) (pluginbuild.Result, string, error) {
		t.Helper()
		var said strings.Builder
		request := pluginbuild.Request{
			Package: "./calc", Daemon: daemon, Source: l.Repo, Dir: l.Path(dir), Env: l.Env,
			Output: filepath.Join(t.TempDir(), "plugin.so"), Stderr: &said,
		}
		if change != nil {
			change(&request)
		}
		before := contents(t, l.Path(dir))
		result, err := pluginbuild.Build(t.Context(), request)
		if filepath.Dir(result.Output) == l.Path(dir) {
			require.NoError(t, os.Rename(result.Output, filepath.Join(t.TempDir(), filepath.Base(result.Output))))
		}
		assert.Equal(t, before, contents(t, l.Path(dir)), "the author's folder is not touched")
		if err != nil {
			left, _ := os.ReadDir(filepath.Dir(request.Output))
			assert.Empty(t, left, "nothing is left behind")
		}
		return result, said.String(), err
	}

	for _, c := range []struct {
		name, mod string
		pins      []pluginbuild.Pin
	}{
		{"the same version", "require example.org/third v1.1.0", nil},
		{"an older version", "require example.org/third v1.0.0", nil},
		{"a newer version", "require example.org/third v1.2.0", []pluginbuild.Pin{{Module: plugintest.Third, Wanted: "v1.2.0", Used: "v1.1.0"}}},
		{"a fork of its own", "require example.org/third v1.2.0\n\nreplace example.org/third => ../fork",
			[]pluginbuild.Pin{{Module: plugintest.Third, Wanted: "v1.2.0 => " + l.Path("fork"), Used: "v1.1.0"}}},
		{"a checkout of the daemon", "require example.org/third v1.1.0\n\nrequire github.com/mesos-modules/mms v1.12.0\n\nreplace github.com/mesos-modules/mms => " + l.Repo, nil},
	} {
		t.Run("an author who requires "+c.name+" gets a plugin that opens", func(t *testing.T) {
			l.Write("fork/go.mod", "module example.org/third\n\ngo 1.26.0\n")
			l.Write("fork/third.go", "package third\n\nconst A = 9\n\nfunc Version() string { return \"\" }\n")
			author(l, "author", c.mod, calc)
			result, said, err := build(t, "author", nil)
			require.NoError(t, err, said)
			assert.Equal(t, "example.org/author/calc", result.Package)
			assert.Equal(t, c.pins, result.Pins)
			for _, p := range c.pins {
				assert.Contains(t, said, "notice: building with example.org/third "+p.Used+" instead of "+p.Wanted+", because the daemon links it")
			}
			assert.Equal(t, opened, l.Run(daemon, "open="+result.Output))
		})
	}

	t.Run("what a dependency requires is settled as well", func(t *testing.T) {
		author(l, "deep", "require (\n\texample.org/third v1.1.0\n\texample.org/wants v1.0.0\n)", map[string]string{
			"calc/calc.go": plugintest.Calc("calc", "third.A"), "calc/more.go": "package calc\n\nimport \"example.org/wants\"\n\nvar _ = wants.V\n",
		})
		result, said, err := build(t, "deep", nil)
		require.NoError(t, err, said)
		assert.Equal(t, []pluginbuild.Pin{{Module: plugintest.Third, Wanted: "v1.2.0", Used: "v1.1.0"}}, result.Pins)
		assert.Equal(t, opened, l.Run(daemon, "open="+result.Output))
	})

	t.Run("what needs the newer version does not compile, and the reason is named", func(t *testing.T) {
		author(l, "newer", "require example.org/third v1.2.0", map[string]string{"calc/calc.go": plugintest.Calc("calc", "third.C")})
		_, said, err := build(t, "newer", nil)
		require.ErrorContains(t, err, "build example.org/author/calc with the daemon's versions (example.org/third v1.1.0 instead of v1.2.0)")
		assert.Contains(t, said, "undefined: third.C")
		assert.NotContains(t, err.Error(), "undefined: third.C", "it was shown already")
		_, _, err = build(t, "newer", func(r *pluginbuild.Request) { r.Stderr = nil })
		require.ErrorContains(t, err, "undefined: third.C")
		assert.Contains(t, said, "undefined: third.C")
	})

	t.Run("other packages", func(t *testing.T) {
		author(l, "other", "require example.org/third v1.1.0", map[string]string{
			"plain/main.go":                 plugintest.Calc("main", "third.A"),
			"internal/hidden/h.go":          plugintest.Calc("hidden", ""),
			"empty/e.go":                    "package empty\n",
			"taken/t.go":                    plugintest.Calc("taken", ""),
			"taken/mms_plugin/something.go": "package mms_plugin\n",
		})
		t.Run("a package main is built as it is", func(t *testing.T) {
			result, said, err := build(t, "other", func(r *pluginbuild.Request) { r.Package = "example.org/author/plain" })
			require.NoError(t, err, said)
			assert.Equal(t, opened, l.Run(daemon, "open="+result.Output))
		})
		t.Run("an internal package is one like others, and the file is called after it", func(t *testing.T) {
			result, said, err := build(t, "other", func(r *pluginbuild.Request) { r.Package, r.Output = l.Path("other/internal/hidden"), "" })
			require.NoError(t, err, said)
			assert.Equal(t, l.Path("other/libhidden.so"), result.Output)
		})
		for pkg, says := range map[string]string{
			"./empty":   "package example.org/author/empty has no exported variable Library",
			"./taken":   "mms_plugin is in the way of the plugin's main package",
			"./missing": "find the package ./missing",
			"./...":     "./... are several packages",
			"fmt":       "package fmt is in no Go module",
		} {
			t.Run("refused: "+pkg, func(t *testing.T) {
				_, _, err := build(t, "other", func(r *pluginbuild.Request) { r.Package = pkg })
				require.ErrorContains(t, err, says)
			})
		}
	})

	t.Run("the author's own workspace counts, and folders may have spaces", func(t *testing.T) {
		l.Write("my work/beside/go.mod", "module example.org/beside\n\ngo 1.26.0\n")
		l.Write("my work/beside/b.go", "package beside\n\nconst B = 1\n")
		author(l, "my work/author", "require example.org/third v1.2.0", map[string]string{
			"calc/calc.go": plugintest.Calc("calc", "third.A"), "calc/more.go": "package calc\n\nimport \"example.org/beside\"\n\nvar _ = beside.B\n",
		})
		work := l.Write("my work/go.work", "go 1.26.0\n\nuse (\n\t./author\n\t./beside\n\t"+l.Repo+"\n)\n\nreplace example.org/third => ../changed\n")
		l.Write("changed/go.mod", "module example.org/third\n\ngo 1.26.0\n")
		l.Write("changed/third.go", "package third\n\nconst A = 9\n\nfunc Version() string { return \"\" }\n")
		result, said, err := build(t, "my work/author", func(r *pluginbuild.Request) { r.Env = append(r.Env[:len(r.Env):len(r.Env)], "GOWORK="+work) })
		require.NoError(t, err, said)
		assert.Equal(t, opened, l.Run(daemon, "open="+result.Output))
	})

	t.Run("sources that are not the daemon's are told at once", func(t *testing.T) {
		source := filepath.Join(t.TempDir(), "copy")
		for _, part := range []string{"facade", "roles"} {
			require.NoError(t, os.CopyFS(filepath.Join(source, part), os.DirFS(filepath.Join(l.Repo, part))))
		}
		for _, part := range []string{"go.mod", "go.sum"} {
			content, err := os.ReadFile(filepath.Join(l.Repo, part))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(source, part), content, 0o600))
		}
		author(l, "author", "require example.org/third v1.1.0", calc)
		_, _, err := build(t, "author", func(r *pluginbuild.Request) { r.Source = source })
		require.ErrorContains(t, err, "example.org/author/calc was built, and "+daemon+" would not open it: the Go plugin differs")
		require.ErrorContains(t, err, "give --source their folder, or build the daemon again")
	})

	t.Run("a daemon without cgo opens no plugins", func(t *testing.T) {
		content, err := os.ReadFile(daemon)
		require.NoError(t, err)
		static := l.Write("static", strings.ReplaceAll(string(content), "CGO_ENABLED=1", "CGO_ENABLED=0"))
		_, _, err = build(t, "other", func(r *pluginbuild.Request) { r.Daemon = static })
		require.ErrorContains(t, err, "was built without cgo and opens no plugins; build it with CGO_ENABLED=1")
	})

	t.Run("refused before anything is built", func(t *testing.T) {
		author(l, "author", "require example.org/third v1.1.0", calc)
		goCommand := strings.TrimSpace(l.Go(".", nil, "env", "GOROOT")) + "/bin/go"
		for name, c := range map[string]struct {
			change func(*pluginbuild.Request)
			says   string
		}{
			"flags":           {func(r *pluginbuild.Request) { r.Flags = []string{"-race"} }, "-race: a plugin is built with the flags of its daemon and no others"},
			"balloon":         {func(r *pluginbuild.Request) { r.As = "balloon" }, "--as=balloon: there is no such vehicle"},
			"no daemon":       {func(r *pluginbuild.Request) { r.Daemon = "" }, "name its binary with --daemon"},
			"no Go binary":    {func(r *pluginbuild.Request) { r.Daemon = "/bin/sh" }, "read the daemon's build info"},
			"another program": {func(r *pluginbuild.Request) { r.Daemon = goCommand }, "does not link github.com/mesos-modules/mms"},
			"wrong source":    {func(r *pluginbuild.Request) { r.Source = "." }, "--source=. holds no go.mod of github.com/mesos-modules/mms"},
			"no source":       {func(r *pluginbuild.Request) { r.Source = "" }, "give its folder with --source"},
			"no output":       {func(r *pluginbuild.Request) { r.Output = filepath.Join(filepath.Dir(r.Output), "no/such/x.so") }, "write into the output folder"},
		} {
			t.Run(name, func(t *testing.T) {
				_, _, err := build(t, "author", c.change)
				require.ErrorContains(t, err, c.says)
			})
		}
	})

	t.Run("another Go version is named with the way out", func(t *testing.T) {
		bin := t.TempDir()
		require.NoError(t, os.WriteFile(bin+"/go", []byte("#!/bin/sh\nprintf 'go1.20.1\\nlocal\\n\\n'\n"), 0o700))
		author(l, "author", "require example.org/third v1.1.0", calc)
		t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
		_, _, err := build(t, "author", nil)
		require.ErrorContains(t, err, "and the go command is go1.20.1 (GOTOOLCHAIN=local)")
		require.ErrorContains(t, err, "first in PATH, or set GOTOOLCHAIN=go")
	})

	t.Run("a build that is given up ends with all that it has started", func(t *testing.T) {
		bin := t.TempDir()
		pipe := filepath.Join(bin, "pipe")
		require.NoError(t, unix.Mkfifo(pipe, 0o600))
		require.NoError(t, os.WriteFile(bin+"/go", []byte("#!/bin/sh\nexec 9>"+pipe+"\necho >&9\nsleep 3600\n"), 0o700))
		t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
		author(l, "author", "require example.org/third v1.1.0", calc)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out := t.TempDir()
		result := make(chan error, 1)
		go func() {
			_, err := pluginbuild.Build(ctx, pluginbuild.Request{
				Package: "./calc", Daemon: daemon, Source: l.Repo, Dir: l.Path("author"), Env: l.Env, Output: out + "/x.so",
			})
			result <- err
		}()
		r, err := os.Open(pipe)
		require.NoError(t, err)
		defer r.Close()
		_, err = io.ReadFull(r, make([]byte, 1))
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, <-result, context.Canceled)
		_, err = io.ReadAll(r)
		require.NoError(t, err, "the end comes when the last process is gone")
		left, err := os.ReadDir(out)
		require.NoError(t, err)
		assert.Empty(t, left)
	})
}

func TestBuildForARelease(t *testing.T) {
	l := plugintest.New(t)
	l.PublishRepo("v1.12.0")
	l.WriteHost("host", "v1.1.0", "require github.com/mesos-modules/mms v1.12.0\n")
	daemon := l.Path("host/daemon")
	l.Go("host", []string{"GOFLAGS=-modcacherw -buildvcs=false -mod=mod"}, "build", "-trimpath", "-o", daemon, ".")

	author(l, "author", "require (\n\texample.org/third v1.2.0\n\tgithub.com/mesos-modules/mms v1.11.0\n)\n\nreplace github.com/mesos-modules/mms => "+l.Repo,
		map[string]string{"calc/calc.go": plugintest.Calc("calc", "third.A")})
	result, err := pluginbuild.Build(t.Context(), pluginbuild.Request{
		Package: "./calc", Daemon: daemon, Dir: l.Path("author"), Env: l.Env, Output: l.Path("x.so"),
	})
	require.NoError(t, err)
	assert.Equal(t, []pluginbuild.Pin{{Module: plugintest.Third, Wanted: "v1.2.0", Used: "v1.1.0"}}, result.Pins)
	assert.Equal(t, opened, l.Run(daemon, "open="+result.Output))
}
