package logrotate

import (
	"fmt"
	"os"
	"os/user"
	"strconv"

	"github.com/mesos-modules/mms/modules/containerlogger/logrotate/rotate"
)

// userOf finds a user with his groups. An agent that is not root runs everything as
// itself; nil says so.
func userOf(name string) (*rotate.User, error) {
	if name == "" || os.Geteuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		if found, err = user.LookupId(name); err != nil {
			return nil, fmt.Errorf("there is no user %q: %w", name, err)
		}
	}
	texts, err := found.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("the groups of user %q: %w", name, err)
	}
	u := &rotate.User{}
	if u.UID, err = strconv.Atoi(found.Uid); err == nil {
		u.GID, err = strconv.Atoi(found.Gid)
	}
	for _, text := range texts {
		n, bad := strconv.Atoi(text)
		if bad == nil {
			u.Groups = append(u.Groups, n)
		}
	}
	return u, err
}
