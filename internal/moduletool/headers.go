package moduletool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mesos-modules/mms/facade/include"
)

// headersWritten is what headers did, for programs.
type headersWritten struct {
	Dir   string   `json:"dir"`
	Flags []string `json:"flags"` // for the compiler
	Files []header `json:"files"`
}

type header struct {
	Path  string `json:"path"`  // below Dir
	State string `json:"state"` // written, unchanged, overwritten
}

func (t *Tool) headers() *cobra.Command {
	force := false
	cmd := &cobra.Command{
		Use:   "headers DIR",
		Short: "Write the headers for modules in C and C++",
		Long: `headers writes the headers that modules in C and C++ are compiled against into DIR,
and prints the flag that puts them on the compiler's path. There is nothing to link.

Headers that are there already and the same are left alone. Others are not touched,
and none is written, unless --force is given; then each that was overwritten is named.`,
		Example: `  mesos-module headers include
  g++ -shared -fPIC $(mesos-module headers include) adder.cpp -o libadder.so`,
		Args: between(1, 1, "the folder to write to"),
		RunE: func(_ *cobra.Command, args []string) error {
			done, err := writeHeaders(args[0], force)
			if err != nil {
				return err
			}
			if t.json() {
				return writeJSON(t.Stdout, done)
			}
			for _, h := range done.Files {
				if h.State == "overwritten" {
					fmt.Fprintf(t.Stderr, "overwritten: %s\n", filepath.Join(done.Dir, h.Path))
				}
			}
			_, err = fmt.Fprintln(t.Stdout, strings.Join(done.Flags, " "))
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "overwrite headers that differ")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return cmd
}

func writeHeaders(dir string, force bool) (headersWritten, error) {
	files, err := headerFiles()
	if err != nil {
		return headersWritten{}, err
	}
	done := headersWritten{Dir: dir, Flags: []string{"-I" + dir}}
	var differ []string
	for _, f := range files {
		h := header{Path: f.path, State: "written"}
		switch old, err := os.ReadFile(filepath.Join(dir, f.path)); {
		case err == nil && bytes.Equal(old, f.content):
			h.State = "unchanged"
		case err == nil:
			h.State = "overwritten"
			differ = append(differ, filepath.Join(dir, f.path))
		case !errors.Is(err, fs.ErrNotExist):
			return headersWritten{}, fmt.Errorf("look for headers that are there already: %w", err)
		}
		done.Files = append(done.Files, h)
	}
	if len(differ) > 0 && !force {
		return headersWritten{}, fmt.Errorf("nothing was written, because there are other files under these names: %s; remove them, choose another folder, or overwrite them with --force",
			strings.Join(differ, ", "))
	}
	for i, f := range files {
		if done.Files[i].State == "unchanged" {
			continue
		}
		if err := writeFile(filepath.Join(dir, f.path), f.content); err != nil {
			return headersWritten{}, err
		}
	}
	return done, nil
}

// textFile is a file to be written; its path is relative and has slashes.
type textFile struct {
	path    string
	content []byte
}

// headerFiles returns all headers, sorted by path.
func headerFiles() ([]textFile, error) {
	var files []textFile
	err := fs.WalkDir(include.Files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := include.Files.ReadFile(path)
		files = append(files, textFile{path, content})
		return err
	})
	return files, err
}

// writeFile writes a file and the folders it lies in.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	return nil
}
