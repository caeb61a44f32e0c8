package confine

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// account is who a process runs as.
type account struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// resolve finds an account by name, number, or user:group of either. An error is a
// *Problem.
func resolve(text string) (account, error) {
	refuse := func(cause error, mend, format string, args ...any) (account, error) {
		return account{}, &Problem{Setting: "user", Problem: fmt.Sprintf(format, args...), Mend: mend, Cause: cause}
	}
	name, groupName, hasGroup := strings.Cut(text, ":")
	var a account
	found, err := lookup(name)
	if err != nil {
		return refuse(err, "create the user, or name another", "there is no user %q: %v", name, err)
	}
	if a.UID, err = id(found.Uid); err != nil {
		return refuse(err, "name another user", "the user %q has the number %q", name, found.Uid)
	}
	groupID := found.Gid
	if hasGroup {
		if groupID, err = lookupGroup(groupName); err != nil {
			return refuse(err, "create the group, or name another", "there is no group %q: %v", groupName, err)
		}
	}
	if groupID == "" {
		return refuse(nil, "write it as user:group", "the user %q has no entry, so its group is not known", name)
	}
	if a.GID, err = id(groupID); err != nil {
		return refuse(err, "name another group", "the group of %q has the number %q", text, groupID)
	}
	if os.Geteuid() != 0 && (a.UID != os.Geteuid() || a.GID != os.Getegid()) {
		return refuse(nil, "run the daemon as root, or leave the user out", "only root runs processes as somebody else, and the daemon is the user %d", os.Geteuid())
	}
	return a, nil
}

// Give makes a file or folder belong to the user of a Confinement; an empty one changes
// nothing.
func Give(path, user string) error {
	if user == "" {
		return nil
	}
	a, err := resolve(user)
	if err != nil {
		return err
	}
	return os.Lchown(path, a.UID, a.GID)
}

// lookup finds a user; of a number without an entry the group is empty.
func lookup(name string) (*user.User, error) {
	found, err := user.Lookup(name)
	if err == nil {
		return found, nil
	}
	if _, notNumber := id(name); notNumber != nil {
		return nil, err
	}
	found, err = user.LookupId(name)
	var unknown user.UnknownUserIdError
	if errors.As(err, &unknown) {
		return &user.User{Uid: name}, nil
	}
	return found, err
}

func lookupGroup(name string) (string, error) {
	found, err := user.LookupGroup(name)
	if err == nil {
		return found.Gid, nil
	}
	if _, notNumber := id(name); notNumber != nil {
		return "", err
	}
	return name, nil
}

// id is the number of a user or group. The highest means nobody to the kernel.
func id(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil && n == 1<<32-1 {
		err = strconv.ErrRange
	}
	return int(n), err
}
