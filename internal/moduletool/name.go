package moduletool

import (
	"fmt"
	"go/token"
	"regexp"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/verify"
)

const longestName = 200

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	unwanted   = regexp.MustCompile(`[^A-Za-z0-9_]+`)
)

// reserved are the one-word names that C and C++ keep for themselves and Go does
// not; a native module's name is a symbol of its library.
func reserved() []string {
	return strings.Fields(`alignas alignof and asm auto bool bitand bitor catch char class compl concept constexpr delete
		do double dynamic_cast enum explicit export extern false float friend inline int long main mutable namespace new
		noexcept not nullptr operator or private protected public register requires short signed sizeof static static_assert
		template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t
		while xor`)
}

// checkName refuses what cannot be the name of a module.
func checkName(name, lang string) error {
	switch {
	case len(name) > longestName:
		return misuse("a module's name has at most %d letters, and this one %d", longestName, len(name))
	case !identifier.MatchString(name):
		return misuse("%q is no name for a module: it is an identifier of letters, digits and underscores%s", name, nearestName(name))
	case token.IsKeyword(name), lang != "go" && slices.Contains(reserved(), name):
		return misuse("%q is a word of the language itself; put a reversed domain before it: org_example_%s", name, name)
	default:
		return nil
	}
}

// nearestName proposes an identifier for a name that is none.
func nearestName(name string) string {
	mended := strings.Trim(unwanted.ReplaceAllString(name, "_"), "_")
	if !identifier.MatchString(mended) {
		return ", and does not begin with a digit"
	}
	return fmt.Sprintf("; %q would be one", mended)
}

// nameNotice is what verification will say of the name, or nothing.
func nameNotice(name string) string {
	if verify.WellNamed(name) {
		return ""
	}
	explanation, _ := finding.Explain(finding.UniqueName)
	return fmt.Sprintf("%s breaks the naming rule, a reversed domain and a name joined by underscores (org_example_%s). It will load; but %s",
		name, strings.ToLower(strings.Trim(name, "_")), strings.ToLower(explanation.Because[:1])+explanation.Because[1:])
}

// baseName is the last word of a module's name, for files and Go packages.
func baseName(name string) string {
	words := strings.Split(strings.ToLower(name), "_")
	last := words[len(words)-1]
	if !identifier.MatchString(last) || token.IsKeyword(last) || last == "main" || last == "init" {
		return strings.ToLower(name)
	}
	return last
}

// importPath is a Go module path made of the reversed domain.
func importPath(name string) string {
	words := strings.Split(strings.ToLower(name), "_")
	if !verify.WellNamed(name) {
		return "example.org/" + strings.ToLower(name)
	}
	return words[1] + "." + words[0] + "/" + strings.Join(words[2:], "-")
}
