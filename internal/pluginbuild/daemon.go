package pluginbuild

import (
	"debug/buildinfo"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// modulePath is the module that the facade is part of.
const modulePath = "github.com/mesos-modules/mms"

// daemon is what a binary says of its build.
type daemon struct {
	path      string
	goVersion string // go1.26.8
	flags     []string
	env       []string
	modules   map[string]*debug.Module // by path, without the main module
	mms       *debug.Module            // the module of the facade
}

// linkedOnly are settings that do not reach the packages that are shared.
var linkedOnly = map[string]bool{"-buildmode": true, "-ldflags": true, "DefaultGODEBUG": true}

func readDaemon(path string) (daemon, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return daemon{}, fmt.Errorf("read the daemon's build info: %w; --daemon wants the Go binary that is to open the plugin", err)
	}
	version, _, _ := strings.Cut(info.GoVersion, " ") // an experiment may follow
	d := daemon{path: path, goVersion: version, modules: map[string]*debug.Module{}}
	for _, s := range info.Settings {
		switch {
		case linkedOnly[s.Key] || strings.HasPrefix(s.Key, "vcs"):
		case strings.HasPrefix(s.Key, "-"):
			d.flags = append(d.flags, s.Key+"="+s.Value)
		default:
			d.env = append(d.env, s.Key+"="+s.Value)
		}
	}
	for _, m := range info.Deps {
		d.modules[m.Path] = m
	}
	d.mms = d.modules[modulePath]
	if info.Main.Path == modulePath {
		d.mms = &info.Main
	}
	if d.mms == nil {
		return daemon{}, fmt.Errorf("%s does not link %s, so it is no daemon that opens modules", path, modulePath)
	}
	if slices.Contains(d.env, "CGO_ENABLED=0") {
		return daemon{}, fmt.Errorf("the daemon %s was built without cgo and opens no plugins; build it with CGO_ENABLED=1", path)
	}
	return d, nil
}

// released reports whether the facade comes from the module cache.
func (d daemon) released() bool { return d.mms.Sum != "" && d.mms.Replace == nil }

var releaseNumber = regexp.MustCompile(`go(1\.[0-9]+(?:\.[0-9]+|rc[0-9]+|beta[0-9]+)?)`)

// language is the Go version as go.work spells it. Development versions are those
// of the release they lead to.
func (d daemon) language() string {
	if m := releaseNumber.FindStringSubmatch(d.goVersion); m != nil {
		return m[1]
	}
	return "1.26.0"
}
