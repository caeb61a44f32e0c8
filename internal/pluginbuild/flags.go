package pluginbuild

import (
	"fmt"
	"slices"
	"strings"
)

// flagName is the name of a flag of the go command, without hyphens, quotes and value.
func flagName(flag string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(flag, `-'"`), "=")
	return name
}

// checkFlags refuses flags that would take the build out of our hands. Flags have their
// value behind "=", so that none is taken for a package.
func checkFlags(flags []string) error {
	for _, f := range flags {
		switch name := flagName(f); {
		case !strings.HasPrefix(f, "-") || name == "":
			return fmt.Errorf("%q is no flag for the go command; write values behind =, as in -ldflags=-s", f)
		case name == "o":
			return fmt.Errorf("%s: name the file to write with --output", f)
		case slices.Contains([]string{"C", "overlay", "mod", "modfile", "buildmode", "n"}, name):
			return fmt.Errorf("%s: this flag is given already, and cannot be given twice", f)
		}
	}
	return nil
}

// listFlags are those that decide which files and packages count.
func listFlags(flags []string) []string {
	return slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return flagName(f) != "tags" && !checks(f) })
}

// checks reports a flag for one of the checkers that need cgo.
func checks(flag string) bool {
	return slices.Contains([]string{"race", "msan", "asan"}, flagName(flag))
}
