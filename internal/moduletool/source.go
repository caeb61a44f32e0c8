package moduletool

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

const modulePath = "github.com/mesos-modules/mms"

// findSource returns the folder with the sources of the module system: the one
// that was named, or else one around dir or around this program.
func findSource(named, dir string) (string, error) {
	if named != "" {
		absolute, err := filepath.Abs(named)
		if err != nil {
			return "", fmt.Errorf("the sources of the module system: %w", err)
		}
		if !isSource(absolute) {
			return "", fmt.Errorf("%s does not hold the sources of the module system: it has no go.mod of %s; correct --source", named, modulePath)
		}
		return absolute, nil
	}
	program, err := executable()
	if err != nil {
		return "", err
	}
	for _, start := range []string{dir, program} {
		absolute, err := filepath.Abs(start)
		if err != nil {
			return "", fmt.Errorf("the sources of the module system: %w", err)
		}
		for at := absolute; ; at = filepath.Dir(at) {
			if isSource(at) {
				return at, nil
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return "", fmt.Errorf("a module in Go is compiled against the sources of the module system, and they are neither around %s nor around this program; name their folder with --source", dir)
}

func isSource(dir string) bool {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && modfile.ModulePath(content) == modulePath
}
