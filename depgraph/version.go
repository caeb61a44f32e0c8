package depgraph

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// versions parses each distinct version and constraint text once, and knows them by number: a constraint costs 12 us,
// and modules that come together have the same versions.
type versions struct {
	versionIDs    map[string]int32
	versions      []parsedVersion
	constraintIDs map[string]int32
	constraints   []parsedConstraint
}

// parsedVersion has neither field set for the empty text: no version declared.
type parsedVersion struct {
	version *semver.Version // without pre-release tag
	err     error
}

// parsedConstraint has neither field set if it takes any version.
type parsedConstraint struct {
	constraint *semver.Constraints
	err        error
}

// verdict on a version and a constraint. It is unknown if one of the two does not parse: that has a finding of its own,
// which should not be followed by others.
type verdict uint8

const (
	unknown verdict = iota
	yes
	no
)

func newVersions() versions {
	return versions{versionIDs: make(map[string]int32), constraintIDs: make(map[string]int32)}
}

// version returns the number of the text, which is parsed if it is new.
func (vs *versions) version(text string) int32 {
	id, ok := vs.versionIDs[text]
	if !ok {
		id = int32(len(vs.versions))
		vs.versionIDs[text] = id
		vs.versions = append(vs.versions, parseVersion(text))
	}
	return id
}

// constraint returns the number of the text, which is parsed if it is new.
func (vs *versions) constraint(text string) int32 {
	id, ok := vs.constraintIDs[text]
	if !ok {
		id = int32(len(vs.constraints))
		vs.constraintIDs[text] = id
		vs.constraints = append(vs.constraints, parseConstraint(text))
	}
	return id
}

// judge says whether the version satisfies the constraint, both by number.
func (vs *versions) judge(constraint, version int32) verdict {
	c, v := &vs.constraints[constraint], &vs.versions[version]
	switch {
	case c.err != nil:
		return unknown
	case c.constraint == nil:
		return yes
	case v.err != nil:
		return unknown
	case v.version == nil:
		return no
	case c.constraint.Check(v.version):
		return yes
	default:
		return no
	}
}

func parseVersion(text string) parsedVersion {
	if text == "" {
		return parsedVersion{}
	}
	v, err := semver.StrictNewVersion(text)
	if err != nil {
		return parsedVersion{err: err}
	}
	if v.Prerelease() != "" {
		v = semver.New(v.Major(), v.Minor(), v.Patch(), "", "")
	}
	return parsedVersion{version: v}
}

// preRelease matches the tag behind a version, but not the dash of a range "1.2 - 2.0", which stands between blanks.
var preRelease = regexp.MustCompile(`([0-9xX*])-[0-9A-Za-z.-]+`)

func parseConstraint(text string) parsedConstraint {
	text = strings.TrimSpace(text)
	if text == "" || text == "*" {
		return parsedConstraint{}
	}
	c, err := semver.NewConstraint(text)
	if err != nil {
		return parsedConstraint{err: err}
	}
	// The tag goes only after the text as it stands has been found valid, so that a broken tag is not forgiven. The
	// library's IncludePrerelease is no way: with it 2.0.0-rc.1 would satisfy <2.
	if bare := preRelease.ReplaceAllString(text, "$1"); bare != text {
		if c, err = semver.NewConstraint(bare); err != nil {
			return parsedConstraint{err: err}
		}
	}
	return parsedConstraint{constraint: c}
}
