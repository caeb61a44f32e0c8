package ldso

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"

	"github.com/mesos-modules/mms/manager/vehicle/native/internal/image"
)

// find searches a library by name for the one that needs it; nil if it is
// nowhere. Files that are no library for this machine are passed over, as the
// loader does.
func (r *Resolver) find(name string, by *step) *object {
	if strings.Contains(name, "/") {
		for _, path := range expand(name, by, r.machine) {
			if o := r.open(path); o != nil {
				return o
			}
		}
		return nil
	}
	for _, list := range r.searched(by) {
		for _, folder := range list {
			if o := r.open(filepath.Join(folder, name)); o != nil {
				return o
			}
		}
	}
	if path, ok := r.indexed()[name]; ok {
		if o := r.open(path); o != nil {
			return o
		}
	}
	for _, folder := range defaults(r.machine) {
		if o := r.open(filepath.Join(folder, name)); o != nil {
			return o
		}
	}
	return nil
}

// searched are the folders before the loader's index: RPATH of the library and of
// those above it, unless it has a RUNPATH, LD_LIBRARY_PATH, RUNPATH.
func (r *Resolver) searched(by *step) [][]string {
	if by == nil {
		return [][]string{r.folders}
	}
	var all [][]string
	if by.runpath == "" {
		for at := by; at != nil; at = at.parent {
			if at.runpath == "" && at.rpath != "" {
				all = append(all, split(at.rpath, at, r.machine))
			}
		}
	}
	all = append(all, r.folders)
	if by.runpath != "" {
		all = append(all, split(by.runpath, by, r.machine))
	}
	return all
}

func split(list string, by *step, machine elf.Machine) []string {
	var all []string
	for folder := range strings.SplitSeq(list, ":") {
		if folder == "" {
			folder = "." // as ld.so reads it
		}
		all = append(all, expand(folder, by, machine)...)
	}
	return all
}

// expand replaces the tokens of ld.so(8). $LIB differs between distributions, so
// it gives several candidates.
func expand(path string, by *step, machine elf.Machine) []string {
	if !strings.Contains(path, "$") {
		return []string{path}
	}
	origin := "."
	if by != nil {
		origin = filepath.Dir(by.path)
	}
	platform, triplet := "x86_64", "x86_64-linux-gnu"
	if machine == elf.EM_AARCH64 {
		platform, triplet = "aarch64", "aarch64-linux-gnu"
	}
	path = strings.NewReplacer("${ORIGIN}", origin, "$ORIGIN", origin, "${PLATFORM}", platform, "$PLATFORM", platform).Replace(path)
	if !strings.Contains(path, "$LIB") && !strings.Contains(path, "${LIB}") {
		return []string{path}
	}
	var all []string
	for _, lib := range []string{"lib/" + triplet, "lib64", "lib"} {
		all = append(all, strings.NewReplacer("${LIB}", lib, "$LIB", lib).Replace(path))
	}
	return all
}

func defaults(machine elf.Machine) []string {
	triplet := "x86_64-linux-gnu"
	if machine == elf.EM_AARCH64 {
		triplet = "aarch64-linux-gnu"
	}
	return []string{"/lib/" + triplet, "/usr/lib/" + triplet, "/lib64", "/usr/lib64", "/lib", "/usr/lib"}
}

func (r *Resolver) indexed() map[string]string {
	now, _ := stampOf(cachePath)
	if r.cache == nil || now != r.stamp {
		r.cache, r.stamp = readCache(cachePath, r.machine), now
		if r.cache == nil {
			r.cache = map[string]string{}
		}
	}
	return r.cache
}

// open reads the tables of a library, or takes them from an earlier look at the
// same file.
func (r *Resolver) open(path string) *object {
	now, ok := stampOf(path)
	if !ok {
		return nil
	}
	if o := r.loaded[path]; o != nil && o.stamp == now {
		return o
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // nothing was written
	im, err := image.ReadExports(f, now.size, r.machine)
	if err != nil {
		return nil
	}
	im.Release()
	o := &object{path: path, image: im, stamp: now, rpath: im.Rpath, runpath: im.Runpath}
	r.loaded[path] = o
	return o
}
