package native

import (
	"fmt"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/image"
)

// resolve holds against a library what the loader would not find for it. Nothing
// is opened for that. What another module library would bring along does not
// count: it depends on the order of opening, and a RUNPATH does not.
func (v *Vehicle) resolve(path string, im *image.Image) error {
	report := v.resolver.Check(path, im)
	if report.OK() {
		return nil
	}
	var problems []string
	mend := "link the library with what defines them (-l…)"
	for _, x := range report.Libraries {
		problem := fmt.Sprintf("it needs the library %s, which is found nowhere", printable(x.Name))
		if x.By != path {
			problem = fmt.Sprintf("%s needs the library %s, which is found nowhere", x.By, printable(x.Name))
		}
		problems = append(problems, problem)
		mend = "install it, or link with -Wl,-rpath,'$ORIGIN' and put it beside this one, or name its folder in LD_LIBRARY_PATH"
	}
	for _, x := range report.Versions {
		problems = append(problems, fmt.Sprintf("it needs %s of %s, which %s does not have", printable(x.Version), printable(x.Library), x.Path))
		mend = "build the library on a system that is not newer than this one"
	}
	// The daemon itself, or what was preloaded into it, may have the rest.
	var missing []string
	for _, symbol := range report.Symbols {
		if !isGlobal(symbol) {
			missing = append(missing, printable(symbol))
		}
	}
	if len(missing) > 0 {
		problems = append(problems, "no library that it needs defines "+some(missing))
	}
	if len(problems) == 0 {
		return nil
	}
	return &vehicle.Refusal{Rule: finding.LibraryBuild, Problem: strings.Join(problems, "; "), Mend: mend}
}

// some lists names as far as a person reads them.
func some(names []string) string {
	const shown = 8
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
