package goplugin

import (
	"debug/elf"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// built makes an image from settings ("key=value"), and modules of one package
// each ("path version sum" and an optional "=> path version sum").
func built(goVersion string, settings []string, modules ...string) image {
	im := image{machine: elf.EM_X86_64, info: &debug.BuildInfo{GoVersion: goVersion}, packages: map[string]string{}}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		im.info.Settings = append(im.info.Settings, debug.BuildSetting{Key: key, Value: value})
	}
	for _, m := range modules {
		own, replaced, _ := strings.Cut(m, " => ")
		f := strings.Fields(own + " - -")
		d := &debug.Module{Path: f[0], Version: f[1], Sum: strings.TrimPrefix(f[2], "-")}
		if replaced != "" {
			r := strings.Fields(replaced + " - -")
			d.Replace = &debug.Module{Path: r[0], Version: r[1], Sum: strings.TrimPrefix(r[2], "-")}
		}
		im.info.Deps = append(im.info.Deps, d)
		im.packages[f[0]+"/pkg"] = m
	}
	im.packages["runtime"] = goVersion
	return im
}

func TestDiffer(t *testing.T) {
	base := []string{"-buildmode=exe", "GOAMD64=v1", "CGO_CFLAGS=-O2"}
	noPrints := func(im image) image { im.packages = nil; return im }
	arm := built("go1.26.8", base)
	arm.machine = elf.EM_AARCH64

	for _, c := range []struct {
		name           string
		plugin, daemon image
		want           string
	}{
		{"the same", built("go1.26.8", base, "m/a v1.0.0 h1"), built("go1.26.8", base, "m/a v1.0.0 h1"), ""},
		{"settings that reach no package", built("go1.26.8", []string{"GOAMD64=v3", "-buildmode=plugin"}), built("go1.26.8", base), ""},
		{"what one of them links", built("go1.26.8", base, "m/a v1.0.0 h1"), built("go1.26.8", base, "m/b v1.0.0 h1"), ""},
		{"another machine", arm, built("go1.26.8", base), "the plugin is for another machine: EM_AARCH64, and the daemon for EM_X86_64"},
		{"Go version", built("go1.26.7", base), built("go1.26.8", base),
			"the Go plugin differs from this daemon: Go version: the plugin has go1.26.7, the daemon go1.26.8; in 1 package that both link: runtime"},
		{"experiment", built("go1.26.8 X:arenas", base), built("go1.26.8", base),
			"the Go plugin differs from this daemon: Go version: the plugin has go1.26.8 X:arenas, the daemon go1.26.8; in 1 package that both link: runtime"},
		{"all settings at once", built("go1.26.7", []string{"GOAMD64=v3", "-trimpath=true"}), built("go1.26.8", base),
			"the Go plugin differs from this daemon: Go version: the plugin has go1.26.7, the daemon go1.26.8" +
				"; -trimpath: the plugin has true, the daemon none; CGO_CFLAGS: the plugin has none, the daemon -O2; GOAMD64: the plugin has v3, the daemon v1" +
				"; in 1 package that both link: runtime"},
		{"all modules at once", built("go1.26.8", base, "m/a v1.0.0 h1", "m/b v1.0.0 h1", "m/c v1.0.0 h1"), built("go1.26.8", base, "m/a v1.1.0 h2", "m/b v1.1.0 h2", "m/c v1.0.0 h1"),
			"the Go plugin differs from this daemon: module m/a: the plugin has v1.0.0, the daemon v1.1.0; module m/b: the plugin has v1.0.0, the daemon v1.1.0; in 2 packages that both link: m/a/pkg, m/b/pkg"},
		{"a replaced module", built("go1.26.8", base, "m/a v1.0.0 h1 => fork/a v1.0.1 h3"), built("go1.26.8", base, "m/a v1.0.0 h1"),
			"the Go plugin differs from this daemon: module m/a: the plugin has v1.0.0 replaced by fork/a v1.0.1, the daemon v1.0.0; in 1 package that both link: m/a/pkg"},
		{"a checkout beside a release", built("go1.26.8", base, "m/a v1.0.0 h1"), built("go1.26.8", base, "m/a (devel)"),
			"the Go plugin differs from this daemon: module m/a: the plugin has v1.0.0, the daemon a checkout ((devel)); in 1 package that both link: m/a/pkg"},
		{"two checkouts", built("go1.26.8", base, "m/a (devel)"), built("go1.26.8", base, "m/a v0.0.0-2026"),
			"the Go plugin differs from this daemon: version and settings are the same, so the sources are not: those of m/a have changed since the daemon was built, or lie in another folder; in 1 package that both link: m/a/pkg"},
		{"no fingerprints and the same build", noPrints(built("go1.26.8", base, "m/a v1.0.0 h1")), built("go1.26.8", base, "m/a v1.0.0"), ""},
		{"no fingerprints and another build", noPrints(built("go1.26.8", base, "m/a v1.0.0 h1")), built("go1.26.8", base, "m/a v1.1.0 h1"),
			"the Go plugin was built otherwise than this daemon: module m/a: the plugin has v1.0.0, the daemon v1.1.0"},
		{"a daemon that opens no plugins", built("go1.26.8", base), noPrints(built("go1.26.8", base)),
			"this daemon cannot open Go plugins: it was built without cgo or without the plugin package, and so carries no package fingerprints"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, differ(c.plugin, c.daemon)) })
	}
}

func TestBuildLine(t *testing.T) {
	for path, want := range map[string]string{
		"example.org/calc":               "mesos-module build --daemon=/usr/sbin/mesos-master example.org/calc",
		"example.org/calc/" + GlueDir:    "mesos-module build --daemon=/usr/sbin/mesos-master example.org/calc",
		"command-line-arguments":         "mesos-module build --daemon=/usr/sbin/mesos-master .",
		"example.org/mms_plugin_example": "mesos-module build --daemon=/usr/sbin/mesos-master example.org/mms_plugin_example",
	} {
		assert.Equal(t, want, buildLine("/usr/sbin/mesos-master", image{info: &debug.BuildInfo{Path: path}}))
	}
	assert.Equal(t, `mesos-module build --daemon='/my daemon' .`, buildLine("/my daemon", image{info: &debug.BuildInfo{}}))
}

// FuzzImage feeds the reader what is no binary, or no longer one.
func FuzzImage(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := t.TempDir() + "/x.so"
		assert.NoError(t, os.WriteFile(path, content, 0o600))
		im, err := readImage(path)
		if err == nil {
			assert.NotNil(t, im.info)
		}
	})
}
