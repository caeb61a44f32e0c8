package outage_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/outage"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		what        string
		err         error
		is, unheard bool
	}{
		{"of a process that is gone", fmt.Errorf("isolator: %w", &vehicle.GoneError{Library: "/l.so"}), true, false},
		{"of a site at which nothing is bound", fmt.Errorf("allocator: %w", handle.ErrUnbound), true, true},
		{"of several modules", errors.Join(io.EOF, handle.ErrUnbound), true, true},
		{"of a module", io.EOF, false, false},
		{"none", nil, false, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			assert.Equal(t, c.is, outage.Is(c.err))
			assert.Equal(t, c.unheard, outage.Unheard(c.err))
		})
	}
}
