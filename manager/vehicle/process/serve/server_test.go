package serve

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

func TestServer(t *testing.T) {
	t.Run("a library is opened once", func(t *testing.T) {
		s := newServer(linked(facade.Library{}))
		d, err := s.describe(protocol.Opening{})
		require.NoError(t, err)
		assert.Equal(t, vehicle.Process, d.Description.Vehicle)
		_, err = s.describe(protocol.Opening{})
		require.EqualError(t, err, "the library has been opened before")
	})
	t.Run("nothing is made before, nor of what was refused", func(t *testing.T) {
		s := newServer(func(protocol.Opening) (vehicle.Library, vehicle.Description, error) {
			return nil, vehicle.Description{}, errors.New("there is no licence")
		})
		_, err := s.create(t.Context(), nil, protocol.Creation{})
		require.EqualError(t, err, "the library is not open")
		d, err := s.describe(protocol.Opening{})
		require.NoError(t, err)
		assert.Equal(t, &protocol.Refusal{Rule: finding.LibraryOpens, Problem: "there is no licence", Mend: "look at what the library runs while it is opened"}, d.Refusal)
		require.EqualError(t, s.compatible(t.Context(), nil, protocol.Checking{}), "the library is not open")
		require.NoError(t, s.exit(), "there is nothing to give back")
		assert.True(t, s.leaving.Load())
	})
	t.Run("what was never made is gone already", func(t *testing.T) {
		s := newServer(linked(facade.Library{}))
		require.NoError(t, s.destroy(t.Context(), nil, protocol.Destruction{Key: 7}))
		require.NoError(t, s.endLife(protocol.Destruction{Key: 7}))
	})
}
