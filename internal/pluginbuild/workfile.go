package pluginbuild

import (
	"context"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// workfile is a go.work in the temporary folder.
type workfile struct {
	dir       string
	language  string // the go line
	toolchain string
	use       []string // folders
	taken     map[string]bool
	replace   map[string][]string // module -> directives
}

func newWorkfile(dir, language string) *workfile {
	return &workfile{dir: dir, language: language, taken: map[string]bool{}, replace: map[string][]string{}}
}

// add uses a module's folder, unless the module is there already.
func (w *workfile) add(module, folder string) {
	if !w.taken[module] {
		w.use, w.taken[module] = append(w.use, folder), true
	}
}

func (w *workfile) env() []string { return []string{"GOWORK=" + filepath.Join(w.dir, "go.work")} }

// ownWorkspace returns the path of the workspace that counts in a folder, or "".
func (t *tool) ownWorkspace(ctx context.Context, dir string) (string, error) {
	out, err := t.output(ctx, dir, nil, "env", "GOWORK")
	if file := strings.TrimSpace(out); err == nil && file != "off" {
		return file, nil
	}
	return "", err
}

// adopt takes over what the author's own workspace says, but for modules that are
// there already.
func (w *workfile) adopt(file string) error {
	if file == "" {
		return nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the author's workspace: %w", err)
	}
	work, err := modfile.ParseWork(file, content, nil)
	if err != nil {
		return fmt.Errorf("read the author's workspace: %w", err)
	}
	base := filepath.Dir(file)
	for _, u := range work.Use {
		folder := u.Path
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(base, folder)
		}
		if name := declared(folder); name != "" {
			w.add(name, folder)
		}
	}
	for _, r := range work.Replace {
		if w.taken[r.Old.Path] {
			continue
		}
		to := r.New.Path
		if r.New.Version == "" && !filepath.IsAbs(to) {
			to = filepath.Join(base, to)
		}
		w.replace[r.Old.Path] = append(w.replace[r.Old.Path], strings.TrimSpace(r.Old.Path+" "+r.Old.Version)+" => "+strings.TrimSpace(modfile.AutoQuote(to)+" "+r.New.Version))
	}
	if work.Go != nil {
		w.raise(work.Go.Version)
	}
	if work.Toolchain != nil {
		w.toolchain = work.Toolchain.Name
	}
	return nil
}

// copy makes the file a copy of the author's workspace, with its sums.
func (w *workfile) copy(file string) error {
	if err := w.adopt(file); err != nil {
		return err
	}
	sums, err := readIfThere(file + ".sum")
	if err != nil {
		return fmt.Errorf("read the sums of the author's workspace: %w", err)
	}
	return errors.Join(w.raiseAll(), w.writeWork(), w.write("go.work.sum", sums))
}

// raise makes the go line at least this one.
func (w *workfile) raise(language string) {
	if version.Compare("go"+w.language, "go"+language) < 0 {
		w.language = language
	}
}

// raiseAll makes the go line what all modules in use want: the go command demands it.
func (w *workfile) raiseAll() error {
	for _, folder := range w.use {
		mod, err := readMod(folder)
		if err != nil {
			return err
		}
		if mod.Go != nil {
			w.raise(mod.Go.Version)
		}
		if mod.Toolchain != nil && version.Compare(w.toolchain, mod.Toolchain.Name) < 0 {
			w.toolchain = mod.Toolchain.Name
		}
	}
	return nil
}

func (w *workfile) writeWork() error {
	work := "go " + w.language + "\n\n"
	if w.toolchain != "" {
		work += "toolchain " + w.toolchain + "\n\n"
	}
	for _, folder := range w.use {
		work += "use " + modfile.AutoQuote(folder) + "\n"
	}
	for _, path := range slices.Sorted(maps.Keys(w.replace)) {
		for _, r := range w.replace[path] {
			work += "replace " + r + "\n"
		}
	}
	return w.write("go.work", work)
}

func (w *workfile) write(name, content string) error {
	return os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600)
}

// readMod reads the go.mod of a folder.
func readMod(folder string) (*modfile.File, error) {
	path := filepath.Join(folder, "go.mod")
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a go.mod: %w", err)
	}
	mod, err := modfile.ParseLax(path, content, nil)
	if err != nil {
		return nil, fmt.Errorf("read a go.mod: %w", err)
	}
	return mod, nil
}

// readIfThere is a file's content, or nothing where there is none.
func readIfThere(path string) (string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(content), err
}
