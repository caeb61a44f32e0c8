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
	if r.Source != "" {
		dir := r.absolute(r.Source)
		if declared(dir) != modulePath {
			return "", fmt.Errorf("--source=%s holds no go.mod of %s", r.Source, modulePath)
		}
		return dir, nil
	}
	if d.released() {
		return "", nil
	}
	for _, start := range []string{r.Dir, filepath.Dir(d.path)} {
		for dir := start; ; dir = filepath.Dir(dir) {
			if declared(dir) == modulePath {
				return dir, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", fmt.Errorf("the daemon was built from a checkout of %s, which is neither above %s nor above the daemon; give its folder with --source", modulePath, r.Dir)
}

// declared returns the path of the module whose go.mod is in the folder, or "".
func declared(dir string) string {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return ""
	}
	return modfile.ModulePath(content)
}
