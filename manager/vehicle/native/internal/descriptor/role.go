package descriptor

import (
	"errors"
	"strings"
)

// RoleOf reads which role's table an object begins with. It tells an object that
// is none of a module from one of another role.
func RoleOf(m Memory, object uint64) (string, error) {
	table, _, ok := m.Pointer(object)
	if !ok || table == 0 {
		return "", errors.New("the object does not begin with a role's table")
	}
	if string(exactly(m, table, 8)) != "MMSROL\x00\x01" {
		return "", errors.New("what the object begins with is no role's table")
	}
	var flaws []string
	r := record{m: m, at: table, size: roleTableSize, flaws: &flaws}
	role := r.required(roleTableRole, "its role", maxName)
	if len(flaws) > 0 {
		return "", errors.New("the object's table cannot be read: " + strings.Join(flaws, ", "))
	}
	return role, nil
}
