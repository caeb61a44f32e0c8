package manager

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
)

// stateDirOf makes the folder that a module keeps its state in.
func (m *Manager) stateDirOf(name string) (string, error) {
	if m.cfg.StateDir == "" {
		return "", fmt.Errorf("module %s: the daemon keeps no state; start it with --work_dir", name)
	}
	// A module's name is no path: posix/cpu has a folder, and .. has one too.
	dir := filepath.Join(m.cfg.StateDir, "module-"+url.PathEscape(name))
	// The process of a module may be another user: it passes through the folder above,
	// and sees nothing there but its own.
	err := os.MkdirAll(m.cfg.StateDir, 0o711)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("module %s: make the state folder: %w", name, err)
	}
	return dir, nil
}

// confinement is what the process of a library may do: what the manifest says, and that
// its modules may use their state folders in any case.
func (m *Manager) confinement(c *candidate) (vehicle.Confinement, error) {
	allowed := c.process.Confinement()
	files := len(allowed.ReadOnly)+len(allowed.ReadWrite) > 0
	if m.cfg.StateDir == "" || !files && allowed.User == "" {
		return allowed, nil
	}
	for _, wanted := range c.wanted {
		for _, mod := range wanted.Modules {
			dir, err := m.stateDirOf(mod.Name)
			if err != nil {
				return allowed, err
			}
			if err := confine.Give(dir, allowed.User); err != nil {
				return allowed, fmt.Errorf("module %s: give its state folder to the user of its process: %w", mod.Name, err)
			}
			if files {
				allowed.ReadWrite = append(allowed.ReadWrite, dir)
			}
		}
	}
	return allowed, nil
}
