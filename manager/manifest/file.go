package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hashicorp/go-multierror"
)

// MaxFiles bounds how many entries a folder of manifests may have.
const MaxFiles = 10_000

// ReadFile reads one manifest in the JSON form from a regular file; symbolic links are followed. Positions carry path.
func ReadFile(path string, o Options) (Manifest, []Notice, error) {
	data, err := readRegular(path, o.maxBytes())
	if err != nil {
		return Manifest{}, nil, join([]*Problem{{At: Position{Source: path}, Text: "manifest file: " + cause(err), Err: err}})
	}
	return ParseJSON(path, data, o)
}

// ReadDir reads every file of a folder as one manifest in the JSON form, whatever its name ends in, sorted by name, and
// strings their libraries together. What editors and packagers leave behind, and files whose names begin with a dot, are
// passed over with a notice each. A sub-folder, and whatever else is not a file, is an error, as in Apache Mesos. Files
// that ask for the same are accepted here, and so are files that contradict each other: that needs to be judged together
// with what is loaded already. The problems of all files are reported together.
func ReadDir(dir string, o Options) (Manifest, []Notice, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Manifest{}, nil, join([]*Problem{{At: Position{Source: dir}, Text: "folder of manifests: " + cause(err), Err: err}})
	}
	if len(entries) > MaxFiles {
		return fail(dir, fmt.Sprintf("more than %d entries; this is hardly a folder of manifests", MaxFiles))
	}
	var (
		all      Manifest
		notices  []Notice
		problems []*Problem
		read     int
	)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if why := leftover(entry); why != "" {
			notices = append(notices, Notice{At: Position{Source: path}, Text: "passed over: " + why})
			continue
		}
		if entry.IsDir() {
			problems = append(problems, &Problem{At: Position{Source: path}, Text: "a folder among the manifests; move it away: folders in it are not read"})
			continue
		}
		m, n, err := ReadFile(path, o)
		read++
		all.Libraries = append(all.Libraries, m.Libraries...)
		notices = append(notices, n...)
		problems = append(problems, problemsOf(err)...)
	}
	if read == 0 {
		notices = append(notices, Notice{At: Position{Source: dir}, Text: "there is no manifest in this folder"})
	}
	if len(problems) > maxProblems {
		problems = append(problems[:maxProblems:maxProblems], &Problem{At: Position{Source: dir}, Text: moreProblems})
	}
	if len(problems) > 0 {
		return Manifest{}, notices, join(problems)
	}
	return all, notices, nil
}

// leftovers are the endings by which editors, patch, dpkg and rpm mark what they leave beside a file.
var leftovers = []struct{ suffix, what string }{
	{"~", "an editor's backup"}, {".bak", "a backup"}, {".swp", "an editor's swap file"}, {".orig", "left by a merge"},
	{".rej", "left by a patch"}, {".dpkg-old", "left by dpkg"}, {".dpkg-new", "left by dpkg"}, {".dpkg-dist", "left by dpkg"},
	{".dpkg-bak", "left by dpkg"}, {".dpkg-tmp", "left by dpkg"}, {".ucf-old", "left by ucf"}, {".ucf-new", "left by ucf"},
	{".ucf-dist", "left by ucf"}, {".rpmsave", "left by rpm"}, {".rpmnew", "left by rpm"}, {".rpmorig", "left by rpm"},
}

// leftover says why an entry is no manifest by its name, "" if it may be one. A name that begins with a dot covers
// folders too: a Kubernetes ConfigMap keeps its versions in such ones.
func leftover(entry fs.DirEntry) string {
	name := entry.Name()
	switch {
	case strings.HasPrefix(name, ".#"):
		return "an editor's lock"
	case strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".swp"):
		return "an editor's swap file"
	case strings.HasPrefix(name, "."):
		return "its name begins with a dot"
	case entry.IsDir():
		return ""
	case strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"):
		return "an editor's autosave"
	}
	for _, l := range leftovers {
		if strings.HasSuffix(name, l.suffix) {
			return l.what
		}
	}
	return ""
}

// problemsOf takes apart what join made.
func problemsOf(err error) []*Problem {
	var several *multierror.Error
	if !errors.As(err, &several) {
		return nil
	}
	var problems []*Problem
	for _, e := range several.Errors {
		var p *Problem
		if errors.As(e, &p) {
			problems = append(problems, p)
		}
	}
	return problems
}

// What a folder, pipe or device in place of a manifest gives.
var (
	errFolder     = errors.New("a folder; --modules_dir takes folders")
	errNotRegular = errors.New("not a regular file; write the path of one")
)

// readRegular reads at most limit bytes and one more, so that the caller sees that there are too many. Opening does not
// wait for the other end of a named pipe.
func readRegular(path string, limit int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errFolder
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}

// cause is err without the path, which the position shows already.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
