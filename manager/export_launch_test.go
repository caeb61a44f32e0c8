package manager

import "github.com/mesos-modules/mms/manager/vehicle"

// MortalForTest returns the process of a library.
func MortalForTest(m *Manager, path string) vehicle.Mortal {
	for _, lib := range m.libraries {
		if lib.path == path {
			return m.openOf(lib).(vehicle.Mortal)
		}
	}
	return nil
}

// SideBySide is how many processes are started at the same time.
func SideBySide() int { return sideBySide() }
