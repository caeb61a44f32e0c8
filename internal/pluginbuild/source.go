package pluginbuild

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// findSource returns the folder of the sources that the daemon was built from;
// empty when they are in the module cache. In this order: the folder that was
// given; the module cache, when the daemon says that it was built from a release;
// the working directory and the folders above it; those above the daemon.
func findSource(r Request, d daemon) (string, error) {
	if dir, err := r.givenSource(); dir != "" || err != nil {
		return dir, err
	}
	if d.released() {
		return "", nil
	}
	if dir := above(r.Dir, filepath.Dir(d.path)); dir != "" {
		return dir, nil
	}
	return "", fmt.Errorf("the daemon was built from a checkout of %s, which is neither above %s nor above the daemon; give its folder with --source", modulePath, r.Dir)
}

// givenSource returns the folder that was named with --source, or "".
func (r *Request) givenSource() (string, error) {
	if r.Source == "" {
		return "", nil
	}
	dir := r.absolute(r.Source)
	if declared(dir) != modulePath {
		return "", fmt.Errorf("--source=%s holds no go.mod of %s", r.Source, modulePath)
	}
	return dir, nil
}

// above returns the nearest folder with the sources of the module system: one of these,
// or one above it.
func above(folders ...string) string {
	for _, start := range folders {
		for dir := start; ; dir = filepath.Dir(dir) {
			if declared(dir) == modulePath {
				return dir
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return ""
}

// declared returns the path of the module whose go.mod is in the folder, or "".
func declared(dir string) string {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return ""
	}
	return modfile.ModulePath(content)
}
