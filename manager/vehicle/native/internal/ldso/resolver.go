// Package ldso answers, without opening anything, whether the dynamic loader
// would find every library and symbol that a library needs. It searches where
// ld.so(8) says that glibc's loader searches.
package ldso

import (
	"cmp"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/mesos-modules/mms/manager/vehicle/native/internal/image"
)

// The libraries that are there before any module library is opened: the daemon
// opens the C++ library for all, and links the C library itself.
var base = []string{"libstdc++.so.6", "libc.so.6"}

const maxClosure = 512 // libraries

// Report is what a library misses. Empty slices mean that it would open.
type Report struct {
	Libraries []MissingLibrary
	Versions  []MissingVersion
	Symbols   []string // only looked for when no library is missing
}

// MissingLibrary is one that was found nowhere.
type MissingLibrary struct {
	Name string
	By   string // the library that needs it, as a path; the checked one or one below it
}

// MissingVersion is a symbol version that the library found does not define.
type MissingVersion struct{ Library, Version, Path string }

// OK reports whether nothing is missing.
func (r Report) OK() bool {
	return len(r.Libraries) == 0 && len(r.Versions) == 0 && len(r.Symbols) == 0
}

// Resolver keeps what it has read of system libraries, as long as these do not
// change on disk. It is safe for concurrent use.
type Resolver struct {
	machine elf.Machine
	folders []string // LD_LIBRARY_PATH

	mu     sync.Mutex
	cache  map[string]string // of ld.so; nil until it is read
	stamp  stamp             // of the cache file
	loaded map[string]*object
}

// New makes a resolver for libraries of a machine. libraryPath is what
// LD_LIBRARY_PATH was when the process began.
func New(machine elf.Machine, libraryPath string) *Resolver {
	r := &Resolver{machine: machine, loaded: map[string]*object{}}
	for _, folder := range strings.FieldsFunc(libraryPath, func(c rune) bool { return c == ':' || c == ';' }) {
		if absolute, err := filepath.Abs(folder); err == nil {
			r.folders = append(r.folders, absolute)
		}
	}
	return r
}

// object is a library in a scope.
type object struct {
	path    string
	image   *image.Image // its tables only
	stamp   stamp
	runpath string
	rpath   string
}

// stamp tells whether a file is still the one that was read.
type stamp struct {
	device, inode uint64
	size, changed int64
}

func stampOf(path string) (stamp, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return stamp{}, false
	}
	s := stamp{size: info.Size(), changed: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode = sys.Dev, sys.Ino
	}
	return s, true
}

// Check says what the library at path misses.
func (r *Resolver) Check(path string, im *image.Image) Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	root := &object{path: path, image: im, rpath: im.Rpath, runpath: im.Runpath}
	scope, missing := r.closure(root)
	if len(missing) > 0 {
		return Report{Libraries: missing}
	}
	// What is there in any case is not missed when it is not there: a library
	// in plain C does not care.
	var common []*object
	for _, name := range base {
		if o := r.find(name, nil); o != nil {
			below, _ := r.closure(o)
			common = append(append(common, o), below...)
		}
	}
	scope = append(common, scope...)
	return Report{Versions: missingVersions(im, scope), Symbols: missingSymbols(im, scope)}
}

// step is one library on the way down, with the one that needs it.
type step struct {
	*object
	parent *step
}

// closure returns the libraries below root, breadth first, as the loader has
// them.
func (r *Resolver) closure(root *object) (scope []*object, missing []MissingLibrary) {
	seen := map[string]bool{root.path: true, filepath.Base(root.path): true, root.image.Soname: true}
	queue := []*step{{object: root}}
	for len(queue) > 0 && len(seen) < maxClosure {
		at := queue[0]
		queue = queue[1:]
		for _, name := range at.image.Needed {
			if seen[name] {
				continue
			}
			seen[name] = true
			o := r.find(name, at)
			if o == nil {
				missing = append(missing, MissingLibrary{Name: name, By: at.path})
				continue
			}
			scope = append(scope, o)
			queue = append(queue, &step{object: o, parent: at})
		}
	}
	return scope, missing
}

func missingVersions(im *image.Image, scope []*object) []MissingVersion {
	var missing []MissingVersion
	for _, need := range im.Needs() {
		for _, o := range scope {
			if cmp.Or(o.image.Soname, filepath.Base(o.path)) != need.Library {
				continue
			}
			if !need.Weak && !o.image.HasVersion(need.Version) {
				missing = append(missing, MissingVersion{need.Library, need.Version, o.path})
			}
			break
		}
	}
	return missing
}

func missingSymbols(im *image.Image, scope []*object) []string {
	var missing []string
next:
	for _, name := range im.Undefined() {
		for _, o := range scope {
			if o.image.Defines(name) {
				continue next
			}
		}
		missing = append(missing, name)
	}
	return missing
}
