package hierarchical

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

const (
	plainDisk  = `name: "disk" type: SCALAR scalar { value: 10 } reservations { type: DYNAMIC role: "a" principal: "p" }`
	someVolume = plainDisk + ` disk { persistence { id: "v" principal: "p" } volume { container_path: "data" mode: RW } }`
)

// TestConversionsOf applies operations to resources, and prints what is left.
func TestConversionsOf(t *testing.T) {
	for _, c := range []struct{ about, free, operation, want, problem string }{
		{about: "RESERVE", free: `name: "cpus" type: SCALAR scalar { value: 4 }`,
			operation: `type: RESERVE reserve { resources { name: "cpus" type: SCALAR scalar { value: 1 } reservations { type: DYNAMIC role: "a" } } }`,
			want:      "cpus:3; cpus(reservations: [(DYNAMIC,a)]):1"},
		{about: "RESERVE with a source", free: `name: "cpus" type: SCALAR scalar { value: 4 } reservations { type: DYNAMIC role: "a" }`,
			operation: `type: RESERVE reserve { source { name: "cpus" type: SCALAR scalar { value: 1 } reservations { type: DYNAMIC role: "a" } }
				resources { name: "cpus" type: SCALAR scalar { value: 1 } reservations { type: DYNAMIC role: "b" } } }`,
			want: "cpus(reservations: [(DYNAMIC,a)]):3; cpus(reservations: [(DYNAMIC,b)]):1"},
		{about: "RESERVE of what is not reserved", free: `name: "cpus" type: SCALAR scalar { value: 4 }`,
			operation: `type: RESERVE reserve { resources { name: "cpus" type: SCALAR scalar { value: 1 } } }`, problem: "has no reservation to take away"},
		{about: "UNRESERVE", free: `name: "cpus" type: SCALAR scalar { value: 4 } reservations { type: DYNAMIC role: "a" }`,
			operation: `type: UNRESERVE unreserve { resources { name: "cpus" type: SCALAR scalar { value: 4 } reservations { type: DYNAMIC role: "a" } } }`,
			want:      "cpus:4"},
		{about: "CREATE", free: plainDisk, operation: `type: CREATE create { volumes { ` + someVolume + ` } }`,
			want: "disk(reservations: [(DYNAMIC,a,p)])[v:data]:10"},
		{about: "CREATE of what is no volume", free: plainDisk, operation: `type: CREATE create { volumes { ` + plainDisk + ` } }`,
			problem: "disk is no persistent volume"},
		{about: "DESTROY", free: someVolume, operation: `type: DESTROY destroy { volumes { ` + someVolume + ` } }`,
			want: "disk(reservations: [(DYNAMIC,a,p)]):10"},
		{about: "SHRINK_VOLUME", free: someVolume, operation: `type: SHRINK_VOLUME shrink_volume { volume { ` + someVolume + ` } subtract { value: 4 } }`,
			want: "disk(reservations: [(DYNAMIC,a,p)])[v:data]:6; disk(reservations: [(DYNAMIC,a,p)]):4"},
		{about: "GROW_VOLUME of what is no volume", free: someVolume, operation: `type: GROW_VOLUME grow_volume { volume { ` + plainDisk + ` } addition { ` + plainDisk + ` } }`,
			problem: "disk is no persistent volume of one user"},
		{about: "what is not there", free: plainDisk, operation: `type: DESTROY destroy { volumes { ` + someVolume + ` } }`, problem: "does not contain"},
		{about: "LAUNCH", free: plainDisk, operation: `type: LAUNCH`, problem: "it cannot be applied to resources that are not offered"},
	} {
		t.Run(c.about, func(t *testing.T) {
			got, err := applied(t, c.free, c.operation)
			if c.problem != "" {
				require.ErrorContains(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got.String())
		})
	}
	t.Run("GROW_VOLUME", func(t *testing.T) {
		got, err := applied(t, someVolume, `type: GROW_VOLUME grow_volume { volume { `+someVolume+` } addition { `+plainDisk+` } }`, plainDisk)
		require.NoError(t, err)
		assert.Equal(t, "disk(reservations: [(DYNAMIC,a,p)])[v:data]:20", got.String())
	})
}

func applied(t *testing.T, free, operation string, more ...string) (resources.Resources, error) {
	var all []*mesosv1.Resource
	for _, text := range append([]string{free}, more...) {
		r := &mesosv1.Resource{}
		require.NoError(t, prototext.Unmarshal([]byte(text), r))
		all = append(all, r)
	}
	sum, err := resources.New(all)
	require.NoError(t, err)
	op := &mesosv1.Offer_Operation{}
	require.NoError(t, prototext.UnmarshalOptions{AllowPartial: true}.Unmarshal([]byte(operation), op))
	changes, err := conversionsOf(op)
	for _, c := range changes {
		if err == nil {
			sum, err = sum.Convert(c.consumed, c.converted)
		}
	}
	return sum, err
}
