package shim

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// last returns the highest capability that the kernel knows.
func last() uintptr {
	n := uintptr(0)
	for ; n < 64; n++ {
		if _, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, n, 0, 0, 0); err != nil {
			break
		}
	}
	return n - 1
}

// bound takes from the thread, for good, what is not in the bounding set.
func (c *Capabilities) bound() error {
	if c == nil || c.Bounding == nil {
		return nil
	}
	for n := range last() + 1 {
		if *c.Bounding&(1<<n) != 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, n, 0, 0, 0); err != nil {
			return fmt.Errorf("drop capability %d: %w", n, err)
		}
	}
	return nil
}

// keep has the thread keep its capabilities when it changes the user, for take.
func (c *Capabilities) keep() error {
	if c == nil {
		return nil
	}
	return unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0)
}

// take sets what the command starts with. Root gets at each execve whatever the bounding
// set holds; others get what is ambient.
func (c *Capabilities) take(user *User) error {
	if c == nil {
		return nil
	}
	set, err := c.wanted(user)
	if err != nil {
		return err
	}
	var inheritable uint64
	if user != nil && user.UID != 0 { // what is ambient has to be inheritable
		inheritable = set
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for i := range data {
		part := uint32(set >> (32 * i))
		data[i] = unix.CapUserData{Effective: part, Permitted: part, Inheritable: uint32(inheritable >> (32 * i))}
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	for n := range last() + 1 {
		if inheritable&(1<<n) == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, n, 0, 0); err != nil {
			return fmt.Errorf("make capability %d ambient: %w", n, err)
		}
	}
	return nil
}

// wanted is the effective set. What the shim does not have itself cannot be given:
// whoever asks for it by name is told.
func (c *Capabilities) wanted(user *User) (uint64, error) {
	has, err := permitted()
	if err != nil {
		return 0, err
	}
	if c.Effective != nil {
		if missing := *c.Effective &^ has; missing != 0 {
			return 0, fmt.Errorf("the agent does not have them itself: %w", errors.Join(names(missing)...))
		}
		return *c.Effective, nil
	}
	if user != nil && user.UID != 0 {
		return 0, nil // as a change of the user has it
	}
	if c.Bounding != nil {
		has &= *c.Bounding
	}
	return has, nil
}

func names(set uint64) (all []error) {
	for n := range 64 {
		if set&(1<<n) != 0 {
			all = append(all, fmt.Errorf("capability %d", n))
		}
	}
	return all
}

func permitted() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, err
	}
	return uint64(data[0].Permitted) | uint64(data[1].Permitted)<<32, nil
}
