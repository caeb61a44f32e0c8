package manifest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/internal/nearest"
)

// maxListed bounds how many entries of a folder are looked through for a name like the missing one.
const maxListed = 10_000

// NotFoundError says that a library is nowhere to be found.
type NotFoundError struct {
	Library Library
	Tried   []string // absolute paths, in the order they were tried
	Near    []string // files in the folders looked at whose names resemble the missing one
	reasons []string // for each of Tried why it will not do
}

// Resolve finds the file of a library. It does not open it, and does not follow symbolic links: two paths may lead to
// one library.
//
//   - File wins over Name; Name "calc" stands for the file name libcalc.so.
//   - A file name without a slash is searched in the folders of search in their order: usually the entries of
//     LD_LIBRARY_PATH and then those of --modules_path. Relative ones count from workDir; empty ones, which the dynamic
//     loader takes for the working directory, are passed over.
//   - A path with a slash that is not absolute counts from workDir, which must be absolute.
//
// abs is always absolute. tried lists the paths looked at, the found one last. The error is a [NotFoundError], or says
// that the call is wrong.
func Resolve(lib Library, workDir string, search []string) (abs string, tried []string, err error) {
	if !filepath.IsAbs(workDir) {
		return "", nil, fmt.Errorf("working directory %q is not an absolute path", workDir)
	}
	wanted := wantedFile(lib)
	if wanted == "" {
		return "", nil, &Problem{At: lib.At, Text: `a library with neither "file" nor "name"`}
	}
	missing := &NotFoundError{Library: lib}
	for _, path := range places(wanted, workDir, search) {
		missing.Tried = append(missing.Tried, path)
		reason := unfit(path)
		if reason == "" {
			return path, missing.Tried, nil
		}
		missing.reasons = append(missing.reasons, reason)
	}
	missing.Near = similar(wanted, missing.Tried)
	return "", missing.Tried, missing
}

// wantedFile is the path or file name that stands for a library.
func wantedFile(lib Library) string {
	if lib.File != "" || lib.Name == "" {
		return lib.File
	}
	return "lib" + lib.Name + ".so"
}

// places lists where a file may be, each once.
func places(wanted, workDir string, search []string) []string {
	if strings.Contains(wanted, "/") {
		return []string{absolute(workDir, wanted)}
	}
	var paths []string
	for _, dir := range search {
		if dir == "" {
			continue
		}
		if path := absolute(workDir, strings.TrimRight(dir, "/")+"/"+wanted); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// absolute leaves ".." in place: only the file system knows where it leads past a symbolic link.
func absolute(workDir, path string) string {
	if !filepath.IsAbs(path) {
		path = workDir + "/" + path
	}
	if strings.Contains(path, "..") {
		return path
	}
	return filepath.Clean(path)
}

// unfit says why there is no library at path, "" if there may be one.
func unfit(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return cause(err)
	case info.IsDir():
		return "a folder"
	default:
		return ""
	}
}

// similar lists up to three files beside the tried paths whose names, apart from "lib" and what follows ".so", resemble
// the wanted one.
func similar(wanted string, tried []string) []string {
	type candidate struct{ stem, path string }
	var (
		all   []candidate
		stems []string
	)
	for _, path := range tried {
		dir := filepath.Dir(path)
		f, err := os.Open(dir)
		if err != nil {
			continue // Tried shows it
		}
		names, _ := f.Readdirnames(maxListed) // what could be listed will do for a hint
		f.Close()
		for _, name := range names {
			all = append(all, candidate{stem(name), filepath.Join(dir, name)})
			stems = append(stems, stem(name))
		}
	}
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Compare(a.path, b.path) })
	var near []string
	for _, s := range nearest.Names(stem(filepath.Base(wanted)), stems, 3) {
		for _, c := range all {
			if c.stem == s && len(near) < 3 && !slices.Contains(tried, c.path) {
				near = append(near, c.path)
			}
		}
	}
	return near
}

// stem is "calc" of calc, libcalc.so, libcalc.so.1 and liblibcalc.so.so.
func stem(file string) string {
	file, _, _ = strings.Cut(file, ".so")
	file, _, _ = strings.Cut(file, ".dylib")
	for strings.HasPrefix(file, "lib") {
		file = strings.TrimPrefix(file, "lib")
	}
	return file
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	if e.Library.At != (Position{}) {
		b.WriteString(e.Library.At.String() + ": ")
	}
	fmt.Fprintf(&b, "library %s not found", quote(wantedFile(e.Library)))
	if len(e.Tried) == 0 {
		b.WriteString(": there is no folder to search; write a path, or set --modules_path or LD_LIBRARY_PATH")
	}
	for i, path := range e.Tried {
		separator := ", "
		if i == 0 {
			separator = "; tried "
		}
		fmt.Fprintf(&b, "%s%s (%s)", separator, path, e.reasons[i])
	}
	if len(e.Near) > 0 {
		b.WriteString("; did you mean " + strings.Join(e.Near, " or ") + "?")
	}
	return b.String()
}
