package goplugin_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/pluginbuild/plugintest"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
)

// shop is a lab with an author's module, whose folders are main packages that are
// built by hand.
type shop struct {
	*plugintest.Lab
	work []string
}

func newShop(t testing.TB) shop {
	s := shop{Lab: plugintest.New(t)}
	s.Write("author/go.mod", "module example.org/author\n\ngo 1.26.0\n\nrequire "+plugintest.Third+" v1.1.0\n")
	s.work = s.Workspace("author-work", "author")
	return s
}

func (s shop) plugin(name, source string, flags ...string) string {
	s.Write("author/"+name+"/main.go", source)
	out := s.Path(name + ".so")
	s.Go("author", s.work, append(append([]string{"build", "-buildmode=plugin", "-ldflags=-w", "-o", out}, flags...), "./"+name)...)
	return out
}

// refused returns why a daemon refuses a plugin.
func refused(t testing.TB, daemon, plugin string) *vehicle.Refusal {
	t.Helper()
	_, ok, err := goplugin.New(daemon).Recognise(vehicle.File{Path: plugin})
	assert.True(t, ok)
	var refusal *vehicle.Refusal
	require.ErrorAs(t, err, &refusal)
	return refusal
}

func TestVehicle(t *testing.T) {
	s := newShop(t)
	daemon := s.Host("host", "")
	good := s.plugin("good", plugintest.Calc("main", ""))

	t.Run("a plugin that fits is recognised from its bytes", func(t *testing.T) {
		v := goplugin.New(daemon)
		d, ok, err := v.Recognise(vehicle.File{Path: good})
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, "goplugin", v.Name())
		assert.Equal(t, "goplugin", d.Vehicle)
		assert.False(t, d.Complete)
		assert.Empty(t, d.Modules)
		require.Greater(t, len(d.Build), 5)
		assert.Equal(t, "go", d.Build[0].Key)
		assert.Equal(t, vehicle.Setting{Key: "path", Value: "example.org/author/good"}, d.Build[1])
		assert.Equal(t, vehicle.Setting{Key: "module", Value: "example.org/author (devel)"}, d.Build[2])
		assert.Equal(t, vehicle.Setting{Key: "-buildmode", Value: "plugin"}, d.Build[3])
		assert.Equal(t, "modules", d.Build[len(d.Build)-2].Key)

		again, _, err := v.Recognise(vehicle.File{Path: good})
		require.NoError(t, err)
		assert.Equal(t, d, again)
	})

	t.Run("what is no plugin is left to others", func(t *testing.T) {
		for _, path := range []string{daemon, s.Path("author/go.mod"), s.Path("missing"), s.Dir, "/bin/sh"} {
			_, ok, err := goplugin.New(daemon).Recognise(vehicle.File{Path: path})
			assert.NoError(t, err, path)
			assert.False(t, ok, path)
		}
	})

	t.Run("a plugin that is cut short is not opened", func(t *testing.T) {
		content, err := os.ReadFile(good)
		require.NoError(t, err)
		for _, keep := range []int{0, 3, 64, 4096, len(content) / 2, len(content) - 1} {
			_, ok, err := goplugin.New(daemon).Recognise(vehicle.File{Path: s.Write("cut.so", string(content[:keep]))})
			assert.True(t, !ok || err != nil, "%d bytes", keep)
		}
	})

	t.Run("a daemon that cannot be read is named", func(t *testing.T) {
		r := refused(t, s.Path("author/go.mod"), good)
		assert.Equal(t, finding.LibraryBuild, r.Rule)
		assert.Contains(t, r.Mend, s.Path("author/go.mod"))
		require.Error(t, r.Cause)
	})

	t.Run("the trial child describes it and the daemon opens it", func(t *testing.T) {
		lines := strings.Split(s.Run(daemon, "describe="+good, "open="+good, "open="+good), "\n")
		require.Len(t, lines, 4)
		var d vehicle.Description
		require.NoError(t, json.Unmarshal([]byte(lines[0]), &d))
		assert.True(t, d.Complete)
		assert.NotEmpty(t, d.Build)
		require.Len(t, d.Modules, 1)
		assert.Equal(t, "Calculator", d.Modules[0].Role)
		assert.Equal(t, "opened 75 <nil> unloads false", lines[1])
		assert.Equal(t, lines[1], lines[2], "the same file again")
	})

	t.Run("Library may be a pointer", func(t *testing.T) {
		source := strings.Replace(plugintest.Calc("main", ""), "facade.Library{Mod", "&facade.Library{Mod", 1)
		assert.Equal(t, "opened 75 <nil> unloads false\n", s.Run(daemon, "open="+s.plugin("pointer", source)))
	})

	for name, c := range map[string]struct{ source, problem string }{
		"null": {"package main\n\nimport \"github.com/mesos-modules/mms/facade\"\n\nvar Library *facade.Library\n", "is a nil pointer"},
		"text": {"package main\n\nvar Library = \"calculator\"\n", "Library is a string, and a variable of type facade.Library is asked for"},
		"make": {"package main\n\nimport \"github.com/mesos-modules/mms/facade\"\n\nfunc Library() facade.Library { return facade.Library{} }\n",
			"Library is a func() facade.Library, and a variable"},
	} {
		t.Run("Library may be nothing else: "+name, func(t *testing.T) {
			said := s.Run(daemon, "open="+s.plugin(name, c.source))
			assert.True(t, strings.HasPrefix(said, "*vehicle.Refusal"), said)
			assert.Contains(t, said, c.problem)
		})
	}

	t.Run("a plugin without Library is refused unopened", func(t *testing.T) {
		r := refused(t, daemon, s.plugin("nothing", "package main\n\nvar Other = 1\n"))
		assert.Equal(t, finding.Handshake, r.Rule)
		assert.Contains(t, r.Problem, "no exported variable Library")
		assert.Contains(t, r.Mend, "mesos-module build --daemon="+daemon+" example.org/author/nothing")
	})

	t.Run("a plugin may be built from a list of files, and its folder may have dots", func(t *testing.T) {
		listed := s.Path("listed.so")
		s.Go("author", s.work, "build", "-buildmode=plugin", "-o", listed, "good/main.go")
		dotted := s.plugin("v1.2", plugintest.Calc("main", ""))
		for _, path := range []string{listed, dotted} {
			_, ok, err := goplugin.New(daemon).Recognise(vehicle.File{Path: path})
			require.NoError(t, err)
			assert.True(t, ok)
			assert.Equal(t, "opened 75 <nil> unloads false\n", s.Run(daemon, "open="+path))
		}
	})

	t.Run("a copy of an open plugin is refused with the reason", func(t *testing.T) {
		content, err := os.ReadFile(good)
		require.NoError(t, err)
		said := s.Run(daemon, "open="+good, "open="+s.Write("copy.so", string(content)))
		assert.Contains(t, said, "opened 75")
		assert.Contains(t, said, "another build or copy of this Go plugin is loaded")
	})

	t.Run("a newer build in the place of an open plugin is refused", func(t *testing.T) {
		content, err := os.ReadFile(good)
		require.NoError(t, err)
		for _, between := range [][]string{nil, {"fresh"}} {
			place := s.Write("place.so", string(content))
			newer := s.Write("newer.so", string(content)+"\n")
			args := append([]string{"open=" + place, "replace=" + place + "=" + newer}, between...)
			said := s.Run(daemon, append(args, "open="+place)...)
			assert.Contains(t, said, "opened 75")
			assert.Contains(t, said, "another build of this Go plugin has been opened in this process")
			assert.Contains(t, said, "restart the daemon")
		}
	})

	t.Run("two plugins that share what the daemon has not are told apart", func(t *testing.T) {
		one := s.plugin("one", plugintest.Calc("main", "third.A"))
		s.Write("author/go.mod", "module example.org/author\n\ngo 1.26.0\n\nrequire "+plugintest.Third+" v1.2.0\n")
		two := s.plugin("two", plugintest.Calc("main", "third.A"))
		said := s.Run(daemon, "open="+one, "open="+two)
		assert.Contains(t, said, "opened 75")
		assert.Contains(t, said, "because of package example.org/third")
	})
}

func TestDifferences(t *testing.T) {
	s := newShop(t)
	plain := s.Host("host", "v1.1.0")
	plugin := s.plugin("calc", plugintest.Calc("main", "third.A"))

	t.Run("linker flags are harmless", func(t *testing.T) {
		stripped := s.plugin("stripped", plugintest.Calc("main", "third.A"), "-ldflags=-s -w")
		_, ok, err := goplugin.New(plain).Recognise(vehicle.File{Path: stripped})
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, "opened 75 <nil> unloads false\n", s.Run(plain, "open="+stripped))
	})

	for _, c := range []struct {
		name, third string
		flags       []string
		says        []string
	}{
		{"trimpath", "v1.1.0", []string{"-trimpath"}, []string{"-trimpath: the plugin has none, the daemon true", "example.org/third", "of the standard library"}},
		{"race", "v1.1.0", []string{"-race"}, []string{"-race: the plugin has none, the daemon true"}},
		{"tags", "v1.1.0", []string{"-tags=special"}, []string{"1 package that both link: example.org/third", "-tags: the plugin has none, the daemon special"}},
		{"older", "v1.0.0", nil, []string{"module example.org/third: the plugin has v1.1.0, the daemon v1.0.0"}},
		{"newer", "v1.2.0", nil, []string{"module example.org/third: the plugin has v1.1.0, the daemon v1.2.0"}},
	} {
		t.Run("a daemon that differs is told apart before Go refuses: "+c.name, func(t *testing.T) {
			daemon := s.Host(c.name, c.third, c.flags...)
			r := refused(t, daemon, plugin)
			assert.Equal(t, finding.LibraryBuild, r.Rule)
			for _, says := range c.says {
				assert.Contains(t, r.Problem, says)
			}
			assert.Equal(t, "build it for this daemon, in the folder of its sources: mesos-module build --daemon="+daemon+" example.org/author/calc", r.Mend)
			assert.Contains(t, s.Run(daemon, "open="+plugin), "Go refuses the plugin because of package", "the fingerprints tell the truth")
		})
	}

	t.Run("sources that have changed since are told apart", func(t *testing.T) {
		s.Write("changed/go.mod", "module "+plugintest.Third+"\n\ngo 1.26.0\n")
		s.Write("changed/third.go", "package third\n\nconst A = 7\n\nfunc Version() string { return \"\" }\n")
		work := s.Workspace("changed-work", "author", "changed")
		first, second := s.Path("first.so"), s.Path("second.so")
		s.Go("author", work, "build", "-buildmode=plugin", "-o", first, "./calc")
		s.Write("changed/third.go", "package third\n\nconst A = 8\n\nfunc Version() string { return \"\" }\n")
		s.Go("author", work, "build", "-buildmode=plugin", "-o", second, "./calc")

		r := refused(t, first, second)
		assert.Contains(t, r.Problem, "those of example.org/third have changed")
	})
}

func TestRefusalIsAnError(t *testing.T) {
	_, err := goplugin.New("").Open(t.Context(), vehicle.File{Path: "relative.so"}, vehicle.Description{})
	require.EqualError(t, err, "open relative.so: only absolute paths are opened")
	_, err = goplugin.New("").Describe(vehicle.File{Path: "/nowhere/x.so"}, vehicle.Description{})
	require.True(t, errors.Is(err, os.ErrNotExist), err)
}
