// Package goplugin is the vehicle of Go plugins: shared libraries that are built
// with -buildmode=plugin and export a variable Library of type facade.Library.
//
// Go opens a plugin only in a daemon that shares every package with it, bit for
// bit, and names one package and no cause when it refuses. So this package looks
// before it opens: the linker leaves a fingerprint of every package in plugin and
// daemon, which are exactly what plugin.Open compares, and both carry their build
// info, which says where the difference comes from.
//
// A plugin that has been opened stays for as long as the process, and no second
// build of it can be opened beside it.
package goplugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
)

// Vehicle recognises and opens Go plugins. It is safe for concurrent use.
type Vehicle struct {
	daemonPath string // for people
	daemon     func() (image, error)

	mu     sync.Mutex
	opened map[string][32]byte // real path -> digest of what was opened there
}

var _ vehicle.Vehicle = (*Vehicle)(nil)

// New returns the vehicle for plugins of one daemon. daemon is the path of its
// binary; empty means the binary that is running, also where its file has been
// replaced meanwhile. It is read once, when the first plugin is recognised.
func New(daemon string) *Vehicle {
	read := daemon
	if daemon == "" {
		read = "/proc/self/exe"
		daemon, _ = os.Executable() // shown only
	}
	return &Vehicle{
		daemonPath: daemon,
		daemon:     sync.OnceValues(func() (image, error) { return readImage(read) }),
		opened:     map[string][32]byte{},
	}
}

// Name implements vehicle.Vehicle.
func (v *Vehicle) Name() string { return vehicle.GoPlugin }

// Recognise implements vehicle.Vehicle. Go programs and c-shared libraries are no
// plugins. The description is not complete: a plugin's Library is filled when it
// is opened.
func (v *Vehicle) Recognise(f vehicle.File) (vehicle.Description, bool, error) {
	plugin, err := readImage(f.Path)
	var refusal *vehicle.Refusal
	switch {
	case errors.As(err, &refusal):
		return vehicle.Description{}, true, refusal
	case err != nil || plugin.buildMode() != "plugin":
		return vehicle.Description{}, false, nil
	}
	d := vehicle.Description{Vehicle: vehicle.GoPlugin, Build: plugin.settings()}
	if !plugin.library {
		return d, true, &vehicle.Refusal{
			Rule:    finding.Handshake,
			Problem: "the Go plugin has no exported variable Library",
			Mend:    "declare var Library = facade.Library{…} in its main package, or build the package that has one by: " + buildLine(v.daemonPath, plugin),
		}
	}
	daemon, err := v.daemon()
	if err != nil {
		return d, true, &vehicle.Refusal{
			Rule:    finding.LibraryBuild,
			Problem: "the daemon's own binary cannot be read, so nobody can tell whether the plugin fits",
			Mend:    "see to it that " + v.daemonPath + " is a readable Go binary",
			Cause:   err,
		}
	}
	if problem := differ(plugin, daemon); problem != "" {
		return d, true, &vehicle.Refusal{
			Rule:    finding.LibraryBuild,
			Problem: problem,
			Mend:    "build it for this daemon, in the folder of its sources: " + buildLine(v.daemonPath, plugin),
		}
	}
	return d, true, nil
}

// Describe implements vehicle.Vehicle.
func (v *Vehicle) Describe(f vehicle.File, d vehicle.Description) (vehicle.Description, error) {
	library, err := v.open(f)
	if err != nil {
		return d, err
	}
	described := golib.Describe(vehicle.GoPlugin, library)
	described.Build = d.Build
	return described, nil
}

// Open implements vehicle.Vehicle. It runs the plugin's initialisers and cannot
// be interrupted: ctx is looked at before, and the caller's guard holds the limit.
func (v *Vehicle) Open(ctx context.Context, f vehicle.File, _ vehicle.Description) (vehicle.Library, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", f.Path, err)
	}
	library, err := v.open(f)
	if err != nil {
		return nil, err
	}
	return golib.Open(library), nil
}

func (v *Vehicle) open(f vehicle.File) (facade.Library, error) {
	if !filepath.IsAbs(f.Path) {
		return facade.Library{}, fmt.Errorf("open %s: only absolute paths are opened", f.Path)
	}
	real, err := filepath.EvalSymlinks(f.Path)
	if err != nil {
		return facade.Library{}, fmt.Errorf("open Go plugin: %w", err)
	}
	if err := v.unchanged(real, f); err != nil {
		return facade.Library{}, err
	}
	library, err := openLibrary(f.Path)
	if err != nil {
		return facade.Library{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened[real] = f.Digest
	return library, nil
}

// unchanged refuses a file that was opened before with another content. The
// plugin package goes by the path alone and would hand out the old one.
func (v *Vehicle) unchanged(real string, f vehicle.File) error {
	v.mu.Lock()
	digest, known := v.opened[real]
	v.mu.Unlock()
	if (known && digest != f.Digest) || mappedDeleted(real) {
		return &vehicle.Refusal{
			Rule:    finding.LibraryOpens,
			Problem: "another build of this Go plugin has been opened in this process, and Go can neither unload nor replace it",
			Mend:    "restart the daemon to use the new build",
		}
	}
	return nil
}
