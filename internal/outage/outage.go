// Package outage tells the errors of modules that are not there from those that
// modules answer with. A module that runs in a process of its own is away from the
// moment at which the process ends until another one has taken its place, or for good.
package outage

import (
	"errors"

	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Is reports whether a call failed because there was no module to answer it. It may
// have had its effect, if its process ended meanwhile; [Unheard] tells.
func Is(err error) bool {
	_, gone := errors.AsType[*vehicle.GoneError](err)
	return gone || Unheard(err)
}

// Final reports whether there will be no module any more, because it was given up.
func Final(err error) bool { return manager.GivenUp(err) }

// Unheard reports whether a call has reached no module at all, so that it can be made
// again.
func Unheard(err error) bool { return errors.Is(err, handle.ErrUnbound) }
