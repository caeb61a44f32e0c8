package goplugin

import (
	"bufio"
	"fmt"
	"os"
	"plugin"
	"strings"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// openLibrary opens a plugin and returns its Library, a variable or a pointer.
func openLibrary(path string) (facade.Library, error) {
	p, err := plugin.Open(path)
	if err != nil {
		return facade.Library{}, explain(err)
	}
	symbol, err := p.Lookup("Library")
	if err != nil {
		return facade.Library{}, &vehicle.Refusal{
			Rule:    finding.Handshake,
			Problem: "the Go plugin has no exported variable Library",
			Mend:    "declare var Library = facade.Library{…} in its main package",
			Cause:   err,
		}
	}
	// A variable is looked up as the pointer to it.
	switch library := symbol.(type) {
	case *facade.Library:
		return *library, nil
	case **facade.Library:
		if *library != nil {
			return **library, nil
		}
		return facade.Library{}, &vehicle.Refusal{
			Rule:    finding.Handshake,
			Problem: "the Go plugin's variable Library is a nil pointer",
			Mend:    "declare it as a value: var Library = facade.Library{…}",
		}
	default:
		return facade.Library{}, &vehicle.Refusal{
			Rule:    finding.Handshake,
			Problem: fmt.Sprintf("the Go plugin's Library is a %s, and a variable of type %T is asked for", strings.TrimPrefix(fmt.Sprintf("%T", symbol), "*"), facade.Library{}),
			Mend:    "declare var Library = facade.Library{…}",
		}
	}
}

// explain says what the runtime's message means. It has one sentence each and no
// error values to compare with.
func explain(err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "plugin already loaded"):
		return &vehicle.Refusal{
			Rule:    finding.LibraryOpens,
			Problem: "another build or copy of this Go plugin is loaded in this process, and Go loads a plugin once only",
			Mend:    "name one file of it in the manifest; to use a newer build, restart the daemon",
			Cause:   err,
		}
	case strings.Contains(text, "different version of package"):
		return &vehicle.Refusal{
			Rule: finding.LibraryBuild,
			Problem: "Go refuses the plugin because of package " + text[strings.LastIndexByte(text, ' ')+1:] +
				": the daemon, or a plugin that was opened before, has it in another version",
			Mend:  "build all plugins of a daemon by mesos-module build, from modules that require the same versions",
			Cause: err,
		}
	default:
		return fmt.Errorf("open Go plugin: %w", err)
	}
}

// mappedDeleted reports whether a file that had this path is still mapped into
// the process, though another has taken its place.
func mappedDeleted(path string) bool {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return false // no procfs: the record of what was opened remains
	}
	defer f.Close() // read only
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if strings.HasSuffix(lines.Text(), " "+path+" (deleted)") {
			return true
		}
	}
	return false
}
