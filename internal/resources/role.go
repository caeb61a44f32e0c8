package resources

import (
	"errors"
	"fmt"
	"strings"
)

// AnyRole is the role of resources that are not reserved.
const AnyRole = "*"

// ValidateRole says what is wrong with the name of a role. It is "*" or a path
// of components between slashes; a component is not empty, ".", ".." or "*",
// does not begin with a dash and has no white space and no DEL.
func ValidateRole(role string) error {
	if role == AnyRole {
		return nil
	}
	if role == "" {
		return errors.New("the name of a role must not be empty")
	}
	for component := range strings.SplitSeq(role, "/") {
		switch {
		case component == "":
			return fmt.Errorf("role %q begins or ends with a slash or has two in a row", role)
		case component == "." || component == ".." || component == "*":
			return fmt.Errorf("role %q has %q as a component", role, component)
		case component[0] == '-':
			return fmt.Errorf("role %q has a component that starts with a dash", role)
		case strings.ContainsAny(component, "\t\n\v\f\r \x7f"):
			return fmt.Errorf("role %q contains white space or a delete character", role)
		}
	}
	return nil
}

// IsStrictSubrole says whether role lies below ancestor in the tree of roles.
// Nothing lies below "*", and no role below itself.
func IsStrictSubrole(role, ancestor string) bool {
	return len(role) > len(ancestor) && role[len(ancestor)] == '/' && strings.HasPrefix(role, ancestor)
}

// inSubtree says whether role is root or lies below it.
func inSubtree(role, root string) bool { return role == root || IsStrictSubrole(role, root) }
