package spawn

import (
	"os"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
)

// kept are the variables that a process gets from the daemon: where programs and
// libraries are, language, time zone, where temporary files go. Nothing else, for secrets
// are in the environment of many a daemon, and its own settings (MESOS_…) are no business
// of a library.
var kept = []string{"LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"}

// environment is that of a process: its token first, by which what it leaves behind is
// found, then what is kept, then what the operator has set, which wins.
func environment(token string, set []string) []string {
	all := []string{confine.TokenVariable + "=" + token}
	for _, entry := range os.Environ() {
		key, _, _ := strings.Cut(entry, "=")
		if slices.Contains(kept, key) || strings.HasPrefix(key, "LC_") {
			all = replace(all, entry)
		}
	}
	slices.Sort(all[1:])
	for _, entry := range set {
		all = replace(all, entry)
	}
	return all
}

// replace puts an entry in place of one of the same key, or at the end.
func replace(all []string, entry string) []string {
	key, _, _ := strings.Cut(entry, "=")
	at := slices.IndexFunc(all, func(other string) bool { return strings.HasPrefix(other, key+"=") })
	if at < 0 {
		return append(all, entry)
	}
	if at > 0 { // nobody takes the token away
		all[at] = entry
	}
	return all
}
