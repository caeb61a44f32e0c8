package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/slave/paths"
)

// folder is an open folder that nothing written in it leaves. Its methods return the
// path of the file below it.
type folder struct{ root *os.Root }

func (f folder) save(dir, name string, m proto.Message) (string, error) {
	b, err := record(m)
	if err != nil {
		return filepath.Join(dir, name), err
	}
	return f.put(dir, name, b)
}

// put writes a file whole or not at all, in a folder that is made if it is missing.
func (f folder) put(dir, name string, content []byte) (string, error) {
	path := filepath.Join(dir, name)
	err := f.making(dir, func() error { return f.root.WriteFile(path+temporary, content, fileMode) })
	if err != nil {
		_ = f.root.Remove(path + temporary) // it may be half there
		return path, err
	}
	return path, f.root.Rename(path+temporary, path)
}

// append adds a record at the end of a file. Of one that does not fit nothing is left:
// else what is appended later could not be read.
func (f folder) append(dir, name string, m proto.Message) (path string, err error) {
	path = filepath.Join(dir, name)
	b, err := record(m)
	if err != nil {
		return path, err
	}
	var file *os.File
	err = f.making(dir, func() (err error) {
		file, err = f.root.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
		return err
	})
	if err != nil {
		return path, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	n, err := file.Write(b)
	if err == nil {
		return path, nil
	}
	if info, wrong := file.Stat(); wrong == nil {
		err = errors.Join(err, file.Truncate(info.Size()-int64(n)))
	}
	return path, err
}

// making does something in a folder, and again after making it if it is missing.
func (f folder) making(dir string, do func() error) error {
	err := do()
	if dir == "" || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.root.MkdirAll(dir, folderMode); err != nil {
		return err
	}
	return do()
}

// link makes dir/latest point to a neighbour.
func (f folder) link(dir, target string) (string, error) {
	path := filepath.Join(dir, paths.Latest)
	err := f.root.Symlink(target, path)
	if !errors.Is(err, fs.ErrExist) {
		return path, err
	}
	_ = f.root.Remove(path + temporary) // of an agent that was killed
	if err := f.root.Symlink(target, path+temporary); err != nil {
		return path, err
	}
	return path, f.root.Rename(path+temporary, path)
}

// maxRuns is how many folders of runs are kept open.
const maxRuns = 128

// runs are the folders of runs in which something was written last: a way through
// all folders above, each time anew, would cost more than the writing.
type runs struct {
	roots map[string]*os.Root
	order []string // the one that was opened first is closed first
}

// open returns the folder of a run, which is made if it is missing.
func (r *runs) open(root *os.Root, dir string) (*os.Root, error) {
	if run, ok := r.roots[dir]; ok {
		return run, nil
	}
	run, err := root.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.MkdirAll(dir, folderMode); err != nil {
			return nil, err
		}
		run, err = root.OpenRoot(dir)
	}
	if err != nil {
		return nil, err
	}
	if r.roots == nil {
		r.roots = map[string]*os.Root{}
	}
	if len(r.order) == maxRuns {
		_ = r.forget(r.order[0]) // nothing was written through it that closing could lose
	}
	r.roots[dir] = run
	r.order = append(r.order, dir)
	return run, nil
}

// forget closes the folder of a run that has ended.
func (r *runs) forget(dir string) error {
	run, ok := r.roots[dir]
	if !ok {
		return nil
	}
	delete(r.roots, dir)
	r.order = slices.DeleteFunc(r.order, func(o string) bool { return o == dir })
	return run.Close()
}

func (r *runs) close() error {
	var errs []error
	for _, run := range r.roots {
		errs = append(errs, run.Close())
	}
	r.roots, r.order = nil, nil
	return errors.Join(errs...)
}
