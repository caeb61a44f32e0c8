package goplugin

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// GlueDir is the folder that "mesos-module build" adds to a package, for the main
// package of the plugin. The plugin's build info names it.
const GlueDir = "mms_plugin"

// maxStandard is how many differing packages of the standard library are named.
const maxStandard = 6

// differ says why a plugin cannot be opened in a daemon; empty when it can. It
// judges by fingerprints, and explains by build info. Where one of the two has no
// fingerprints, the build info alone decides, and is stricter.
func differ(plugin, daemon image) string {
	if plugin.machine != daemon.machine {
		return fmt.Sprintf("the plugin is for another machine: %v, and the daemon for %v", plugin.machine, daemon.machine)
	}
	if len(plugin.packages) == 0 {
		return withReasons("the Go plugin was built otherwise than this daemon", decidingReasons(plugin, daemon))
	}
	if len(daemon.packages) == 0 {
		return withReasons("this daemon cannot open Go plugins",
			[]string{"it was built without cgo or without the plugin package, and so carries no package fingerprints"})
	}
	packages := differing(plugin.packages, daemon.packages)
	if len(packages) == 0 {
		return ""
	}
	reasons := decidingReasons(plugin, daemon)
	if len(reasons) == 0 {
		reasons = sourceReasons(packages, plugin, daemon)
	}
	return withReasons("the Go plugin differs from this daemon", append(reasons,
		fmt.Sprintf("in %s that both link: %s", count(len(packages), "package"), list(packages, plugin, daemon))))
}

func withReasons(problem string, reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return problem + ": " + strings.Join(reasons, "; ")
}

// differing returns the packages that both link in different form, sorted.
func differing(plugin, daemon map[string]string) []string {
	var packages []string
	for _, name := range slices.Sorted(maps.Keys(plugin)) {
		if own, both := daemon[name]; both && own != plugin[name] {
			packages = append(packages, name)
		}
	}
	return packages
}

// list names the packages. Of the standard library only a few, since all of it
// differs at once.
func list(packages []string, plugin, daemon image) string {
	var named, standard []string
	for _, p := range packages {
		if owner(p, plugin, daemon) == "" {
			standard = append(standard, p)
		} else {
			named = append(named, p)
		}
	}
	if len(standard) > maxStandard {
		standard = append(standard[:maxStandard:maxStandard],
			fmt.Sprintf("and %d more of the standard library", len(standard)-maxStandard))
	}
	return strings.Join(append(named, standard...), ", ")
}

// decidingReasons are the differences between two builds that keep a plugin out:
// Go version, settings, versions of shared modules.
func decidingReasons(plugin, daemon image) []string {
	var reasons []string
	if plugin.info.GoVersion != daemon.info.GoVersion {
		reasons = append(reasons, fmt.Sprintf("Go version: the plugin has %s, the daemon %s", plugin.info.GoVersion, daemon.info.GoVersion))
	}
	for _, key := range settingKeys(plugin, daemon) {
		if p, d := plugin.setting(key), daemon.setting(key); p != d {
			reasons = append(reasons, fmt.Sprintf("%s: the plugin has %s, the daemon %s", key, orNone(p), orNone(d)))
		}
	}
	own := modules(daemon)
	for _, m := range modules(plugin) {
		at := slices.IndexFunc(own, func(x *debug.Module) bool { return x.Path == m.Path })
		if at >= 0 && !sameModule(m, own[at]) {
			reasons = append(reasons, fmt.Sprintf("module %s: the plugin has %s, the daemon %s", m.Path, version(m), version(own[at])))
		}
	}
	return reasons
}

// sourceReasons explains packages whose versions and settings are the same.
func sourceReasons(packages []string, plugin, daemon image) []string {
	var owners []string
	for _, p := range packages {
		owners = append(owners, cmp.Or(owner(p, plugin, daemon), "the standard library"))
	}
	slices.Sort(owners)
	return []string{fmt.Sprintf("version and settings are the same, so the sources are not: those of %s have changed since the daemon was built, or lie in another folder",
		strings.Join(slices.Compact(owners), ", "))}
}

// harmless are settings that may differ: they say how the pieces are linked or
// where they come from, and not how packages are compiled.
var harmless = map[string]bool{"-buildmode": true, "-ldflags": true, "DefaultGODEBUG": true}

// settingKeys returns the settings to compare, sorted.
func settingKeys(images ...image) []string {
	var keys []string
	for _, im := range images {
		for _, s := range im.info.Settings {
			if !harmless[s.Key] && !strings.HasPrefix(s.Key, "vcs") {
				keys = append(keys, s.Key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// modules returns the main module and the dependencies, sorted by path.
func modules(im image) []*debug.Module {
	all := slices.Clone(im.info.Deps)
	if im.info.Main.Path != "" {
		main := im.info.Main
		all = append(all, &main)
	}
	slices.SortStableFunc(all, func(a, b *debug.Module) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// sameModule compares what is compiled. Without a checksum a module comes from a
// checkout, whose version one binary may have stamped and the other not, or from
// a vendor folder.
func sameModule(a, b *debug.Module) bool {
	a, b = effective(a), effective(b)
	switch {
	case a.Path != b.Path:
		return false
	case a.Sum == "" && b.Sum == "":
		return true
	default:
		return a.Version == b.Version && (a.Sum == b.Sum || a.Sum == "" || b.Sum == "")
	}
}

func effective(m *debug.Module) *debug.Module {
	if m.Replace != nil {
		return m.Replace
	}
	return m
}

// owner returns the module that a package belongs to; empty for the standard
// library.
func owner(pkg string, images ...image) string {
	longest := ""
	for _, im := range images {
		for _, m := range modules(im) {
			if (pkg == m.Path || strings.HasPrefix(pkg, m.Path+"/")) && len(m.Path) > len(longest) {
				longest = m.Path
			}
		}
	}
	return longest
}

// version tells where the module's files come from.
func version(m *debug.Module) string {
	switch {
	case m.Replace != nil:
		return orNone(m.Version) + " replaced by " + spell(m.Replace)
	case m.Sum == "":
		return "a checkout (" + orNone(m.Version) + ")"
	default:
		return m.Version
	}
}

func spell(m *debug.Module) string { return strings.TrimSpace(m.Path + " " + m.Version) }

func orNone(s string) string { return cmp.Or(s, "none") }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// buildLine is the command that makes the plugin fit.
func buildLine(daemon string, plugin image) string {
	pkg := strings.TrimSuffix(plugin.info.Path, "/"+GlueDir)
	if pkg == "" || pkg == "command-line-arguments" {
		pkg = "."
	}
	if strings.ContainsAny(daemon, " '\"\\$`") {
		daemon = "'" + strings.ReplaceAll(daemon, "'", `'\''`) + "'"
	}
	return fmt.Sprintf("mesos-module build --daemon=%s %s", filepath.Clean(daemon), pkg)
}
