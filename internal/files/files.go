// Package files lets clients of a daemon look into folders of its machine, under other names: sandboxes, logs.
//
// Folders and files are attached under virtual paths. A path that a client asks for belongs to the longest attached one;
// what is left of it is looked up below the real folder, links resolved, and must not lead out of it.
//
// Tasks own what is in sandboxes and may change it at any time: nothing here opens a pipe or a device, follows a link
// out of the attached folder, however it is put there meanwhile, or reads more at a time than is allowed.
package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/mesos-modules/mms/internal/apihttp"
)

var (
	// ErrNotFound: nothing is attached there, or there is no such file.
	ErrNotFound = errors.New("there is no such file")

	// ErrOutside: the path leads out of what is attached.
	ErrOutside = errors.New("the path leads out of the attached folder")

	// ErrForbidden: the principal may not look there.
	ErrForbidden = errors.New("access is not allowed")

	// ErrNotRegular: what is there cannot be read: a folder, a pipe, a device.
	ErrNotRegular = errors.New("this is not a regular file")

	// ErrRange: an offset or length that is none.
	ErrRange = errors.New("the range is not valid")
)

// Authorize says whether somebody, nil if nobody asked who, may look at what is attached: nil or ErrForbidden, and any
// other error if it cannot tell. It is called for every request, from many goroutines.
type Authorize func(ctx context.Context, principal *apihttp.Principal) error

// attachment is a folder or file behind a virtual path.
type attachment struct {
	real      string
	authorize Authorize // nil lets everybody look
}

// Files is what a daemon has attached. Its methods may be called from any number of goroutines. The zero Files has
// nothing attached and is ready for use.
type Files struct {
	mu       sync.RWMutex
	attached map[string]attachment // by virtual path, clean
}

// Attach makes a real folder or file, which need not be there yet, visible under a virtual path; what was attached there
// before is replaced. authorize may be nil.
func (f *Files) Attach(virtual, real string, authorize Authorize) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.attached == nil {
		f.attached = map[string]attachment{}
	}
	f.attached[clean(virtual)] = attachment{real: real, authorize: authorize}
}

// Detach takes a virtual path away. Reads that have begun go on.
func (f *Files) Detach(virtual string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.attached, clean(virtual))
}

func clean(virtual string) string { return path.Clean("/" + virtual) }

// Pair is a virtual path and what is behind it.
type Pair struct{ Virtual, Real string }

// Attached lists what is attached, by virtual path.
func (f *Files) Attached() []Pair {
	f.mu.RLock()
	defer f.mu.RUnlock()
	pairs := make([]Pair, 0, len(f.attached))
	for _, virtual := range slices.Sorted(maps.Keys(f.attached)) {
		pairs = append(pairs, Pair{virtual, f.attached[virtual].real})
	}
	return pairs
}

// find returns the attachment of the longest prefix and what is left of the path, not cleaned.
func (f *Files) find(virtual string) (attachment, string, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	prefix := "/" + strings.Trim(virtual, "/")
	for {
		if a, ok := f.attached[prefix]; ok {
			return a, strings.Trim(strings.TrimPrefix("/"+strings.Trim(virtual, "/"), prefix), "/"), true
		}
		cut := strings.LastIndexByte(prefix, '/')
		if cut <= 0 {
			a, ok := f.attached["/"]
			return a, strings.Trim(virtual, "/"), ok
		}
		prefix = strings.TrimRight(prefix[:cut], "/")
	}
}

// place is a file that a virtual path leads to: a name, without links in it, below a folder that is held open.
type place struct {
	root *os.Root
	name string
	info fs.FileInfo
}

func (p *place) close() { _ = p.root.Close() }

// resolve follows a virtual path. The caller closes the place.
func (f *Files) resolve(ctx context.Context, who *apihttp.Principal, virtual string) (*place, error) {
	a, rest, found := f.find(virtual)
	if !found {
		return nil, fmt.Errorf("%s: %w", virtual, ErrNotFound)
	}
	if a.authorize != nil {
		if err := a.authorize(ctx, who); err != nil {
			return nil, fmt.Errorf("%s: %w", virtual, err)
		}
	}
	p, err := locate(a.real, rest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", virtual, err)
	}
	return p, nil
}

// locate looks up a path below a real folder or, if it is empty, the folder or file itself. Links are resolved first,
// absolute ones too, and judged by where they lead; then the result is opened below the folder, where nothing that was
// changed meanwhile, nor a name that begins with "..", can lead out.
func locate(real, rest string) (*place, error) {
	top, err := filepath.EvalSymlinks(real)
	if err != nil {
		return nil, cause(err)
	}
	target := top
	if rest != "" {
		if target, err = filepath.EvalSymlinks(top + "/" + rest); err != nil {
			return nil, cause(err)
		}
	}
	name, err := filepath.Rel(top, target)
	if err != nil {
		return nil, ErrOutside
	}
	info, err := os.Stat(top)
	if err != nil {
		return nil, cause(err)
	}
	if !info.IsDir() {
		top, name = filepath.Dir(top), filepath.Base(top)
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, cause(err)
	}
	if info, err = root.Stat(name); err != nil {
		_ = root.Close()
		return nil, cause(err)
	}
	return &place{root: root, name: name, info: info}, nil
}

// cause is what an error of the file system means to a client, without real paths.
func cause(err error) error {
	var number syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return ErrNotFound
	case errors.As(err, &number):
		return number
	default: // os.Root says so of links that lead out; so does EvalSymlinks of too many of them
		return ErrOutside
	}
}

// open opens a place that is a regular file. Opening neither waits nor follows links.
func (p *place) open() (*os.File, error) {
	if !p.info.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	file, err := p.root.OpenFile(p.name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, cause(err)
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return nil, ErrNotRegular // it has been replaced meanwhile
	}
	return file, nil
}
