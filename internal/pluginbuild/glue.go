package pluginbuild

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// glue is a main package of a few lines that takes the author's Library.
type glue struct {
	folder string // that is added to the author's package
	of     string // what it is the main package of, for people
	body   string // behind the import of the author's package
}

// lay writes the main package into dir, and the overlay that puts it below the
// author's, where it may import what is internal there. It returns the overlay's path.
func (g glue) lay(dir string, pkg located) (string, error) {
	folder := filepath.Join(pkg.Dir, g.folder)
	if _, err := os.Stat(folder); err == nil {
		return "", fmt.Errorf("%s is in the way of the %s's main package; rename that folder", folder, g.of)
	}
	source, overlay := filepath.Join(dir, "glue.go.txt"), filepath.Join(dir, "overlay.json")
	content, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(folder, "main.go"): source}})
	if err != nil {
		return "", err
	}
	text := "package main\n\nimport author " + strconv.Quote(pkg.ImportPath) + "\n" + g.body
	return overlay, errors.Join(os.WriteFile(source, []byte(text), 0o600), os.WriteFile(overlay, content, 0o600))
}
