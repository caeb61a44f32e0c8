package validate

import (
	"errors"
	"fmt"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// Ids become names of folders, and those of containers are lengthened before.
const (
	maxID          = 255
	maxContainerID = 242
	maxNesting     = 32 // of containers; two levels are in use
)

// ID says what is wrong with the id of a task, executor, framework, agent or
// persistent volume.
func ID(id string) error {
	switch {
	case id == "":
		return errors.New("ID must not be empty")
	case len(id) > maxID:
		return fmt.Errorf("ID of %d characters is too long: the limit is %d", len(id), maxID)
	case id == "." || id == "..":
		return fmt.Errorf("'%s' is disallowed as an ID", id)
	case strings.ContainsFunc(id, invalidInID):
		return fmt.Errorf("'%s' contains invalid characters", printable(id))
	default:
		return nil
	}
}

func invalidInID(r rune) bool { return r < 0x20 || r == 0x7f || r == '/' || r == '\\' }

// printable keeps what is not to be printed out of messages.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return '?'
		}
		return r
	}, text)
}

// ContainerID says what is wrong with the id of a container or of one of its
// parents.
func ContainerID(id *mesosv1.ContainerID) error {
	return containerID(id, 0)
}

func containerID(id *mesosv1.ContainerID, level int) error {
	value := id.GetValue()
	if err := ID(value); err != nil {
		return err
	}
	switch {
	case level == maxNesting:
		return fmt.Errorf("containers are nested more than %d levels deep", maxNesting)
	case len(value) > maxContainerID:
		return fmt.Errorf("'ContainerID.value' of %d characters is too long: the limit is %d", len(value), maxContainerID)
	case strings.ContainsAny(value, ". "):
		return fmt.Errorf("'ContainerID.value' '%s' contains invalid characters", value)
	case id.GetParent() == nil:
		return nil
	}
	if err := containerID(id.GetParent(), level+1); err != nil {
		return fmt.Errorf("'ContainerID.parent' is invalid: %w", err)
	}
	return nil
}

// RoleName says what is wrong with the name of a role.
func RoleName(role string) error { return resources.ValidateRole(role) }
