package manager

import (
	"errors"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// refuse holds against a library why it cannot be loaded.
func (l *loading) refuse(wanted manifest.Library, path string, err error) {
	f := finding.Finding{Rule: finding.LibraryOpens, Library: path, Path: way(wanted.At, path), Problem: err.Error()}
	var refusal *vehicle.Refusal
	if errors.As(err, &refusal) {
		f.Rule, f.Problem, f.Mend = refusal.Rule, refusal.Problem, refusal.Mend
	}
	l.hold(f)
	for _, w := range wanted.Modules {
		l.missing = append(l.missing, w.Name)
	}
}

func (l *loading) hold(f finding.Finding) { l.findings = append(l.findings, f) }

// drop gives up a candidate, for all that stands against it.
func (l *loading) drop(c *candidate, errs ...error) {
	for _, err := range errs {
		l.refuse(c.wanted[0], c.path, err)
	}
	for _, again := range c.wanted[1:] {
		for _, w := range again.Modules {
			l.missing = append(l.missing, w.Name)
		}
	}
	for i, x := range l.files {
		if x == c {
			l.files = append(l.files[:i:i], l.files[i+1:]...)
			return
		}
	}
}

// shown is how reports call a library that has not been found.
func shown(wanted manifest.Library) string {
	if wanted.File != "" {
		return wanted.File
	}
	return wanted.Name
}

// way is the path of a finding: from the place in the manifest, where it is known,
// to what is held against.
func way(from manifest.Position, to string) []string {
	if place := from.String(); place != "" {
		return []string{place, to}
	}
	return []string{to}
}

func at(position string) string {
	if position == "" {
		return ""
	}
	return " (" + position + ")"
}
