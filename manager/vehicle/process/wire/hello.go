package wire

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Versions of the connection that this build speaks: of everything in this package but
// the values of the roles' methods, which the roles' own versions rule.
const (
	LowestVersion  = 1
	HighestVersion = 1
)

// Hello is what a side says of itself.
type Hello struct {
	Lowest, Highest uint32 // versions of the connection that it speaks; 0: those of this build
	Mesos           string // the release it was built for
	Roles           []RoleMethods
}

// RoleMethods are the methods of a role that a build knows.
type RoleMethods struct {
	Role    string
	Methods []string
}

// VersionError says that the two sides have no version of the connection in common.
type VersionError struct{ Ours, Theirs Hello }

func (e *VersionError) Error() string {
	return fmt.Sprintf("this process (Mesos %s) speaks versions %d to %d of the connection between daemon and module, and the other (Mesos %s) %d to %d; build the older of the two anew",
		e.Ours.Mesos, e.Ours.Lowest, e.Ours.Highest, e.Theirs.Mesos, e.Theirs.Lowest, e.Theirs.Highest)
}

// check reports whether the two understand each other.
func (h Hello) check(theirs Hello) error {
	if h.Lowest > theirs.Highest || theirs.Lowest > h.Highest {
		return &VersionError{Ours: h, Theirs: theirs}
	}
	return nil
}

// completed puts in what this build speaks.
func (h Hello) completed() Hello {
	h.Lowest, h.Highest = cmp.Or(h.Lowest, LowestVersion), cmp.Or(h.Highest, HighestVersion)
	return h
}

// Greet tells the other side what this one is, and hears what the other is. One of the
// two sides does it, before all other calls. The error wraps a *VersionError if they do
// not understand each other.
func (c *Conn) Greet(ctx context.Context) error {
	e := NewEncoder()
	c.config.Hello.put(e)
	in, err := c.Remote(0).Call(ctx, methodHello, e)
	if err != nil {
		return err
	}
	return c.meet(in)
}

// serveHello answers Greet. Who does not understand the caller says what it is all the
// same: the caller finds out by itself.
func (c *Conn) serveHello(in *Decoder, out *Encoder) error {
	c.config.Hello.put(out)
	if err := c.meet(in); err != nil && in.Err() != nil {
		return err
	}
	return nil
}

func (c *Conn) meet(in *Decoder) error {
	theirs := takeHello(in)
	if err := in.Err(); err != nil {
		return err
	}
	if err := c.config.Hello.check(theirs); err != nil {
		return err
	}
	c.theirs.Store(&theirs)
	return nil
}

// Theirs is what the other side said of itself; ok is false before it did. What it
// holds is shared: it is not to be changed.
func (c *Conn) Theirs() (h Hello, ok bool) {
	if theirs := c.theirs.Load(); theirs != nil {
		return *theirs, true
	}
	return Hello{}, false
}

// Bounds of a Hello.
const (
	maxHelloName = 128
	maxRoles     = 1024
	maxMethods   = 1024
)

func (h Hello) put(e *Encoder) {
	e.Uint32(h.Lowest)
	e.Uint32(h.Highest)
	e.String(h.Mesos)
	all := make([][]byte, len(h.Roles))
	for i, r := range h.Roles {
		role := NewEncoder()
		role.String(r.Role)
		role.Strings(r.Methods)
		all[i] = role.b
	}
	e.BytesList(all)
}

func takeHello(d *Decoder) Hello {
	h := Hello{Lowest: d.Uint32(), Highest: d.Uint32(), Mesos: d.Text(maxHelloName)}
	all := d.BytesList()
	for _, b := range all[:min(len(all), maxRoles)] {
		role := NewDecoder(b)
		r := RoleMethods{Role: role.Text(maxHelloName)}
		methods := role.Strings()
		if role.err != nil {
			d.fail(role.err)
			return Hello{}
		}
		for _, m := range methods[:min(len(methods), maxMethods)] {
			r.Methods = append(r.Methods, bounded(m, maxHelloName))
		}
		h.Roles = append(h.Roles, r)
	}
	return h
}

// knows returns the methods of a role.
func (h Hello) knows(role string) []string {
	i := slices.IndexFunc(h.Roles, func(r RoleMethods) bool { return r.Role == role })
	if i < 0 {
		return nil
	}
	return h.Roles[i].Methods
}
