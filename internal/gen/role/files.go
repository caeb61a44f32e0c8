package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// files are what is generated: text by slash-separated path below the root.
type files map[string][]byte

// owned are the places where nothing but generated files may be: what matches and is not generated any more goes away.
var owned = []string{
	"roles/*/zz_*.go",
	"manager/handle/zz_*.go",
	"manager/vehicle/native/bridge/zz_*.go",
	"facade/include/*.hpp",
	"facade/include/mesos/roles/*.h",
	"facade/include/mesos/module/*.hpp",
}

// differing returns the paths whose content is not what was generated, sorted: changed, missing, or not wanted any more.
func differing(root string, generated files) ([]string, error) {
	var changed []string
	for name, text := range generated {
		have, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil || !bytes.Equal(have, text) {
			changed = append(changed, name)
		}
	}
	for _, pattern := range owned {
		present, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range present {
			if _, ok := generated[name]; !ok {
				changed = append(changed, name)
			}
		}
	}
	slices.Sort(changed)
	return changed, nil
}

// write brings the changed paths to what was generated.
func write(root string, generated files, changed []string) error {
	for _, name := range changed {
		path := filepath.Join(root, filepath.FromSlash(name))
		text, ok := generated[name]
		if !ok {
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
