package resources

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func rangesValue(bounds ...uint64) func(*message) {
	return func(m *message) {
		m.Type, m.Scalar, m.Ranges = mesosv1.Value_RANGES.Enum(), nil, &mesosv1.Value_Ranges{}
		for i := 0; i < len(bounds); i += 2 {
			m.Ranges.Range = append(m.Ranges.Range, &mesosv1.Value_Range{Begin: &bounds[i], End: &bounds[i+1]})
		}
	}
}

func setValue(items ...string) func(*message) {
	return func(m *message) {
		m.Type, m.Scalar, m.Set = mesosv1.Value_SET.Enum(), nil, &mesosv1.Value_Set{Item: items}
	}
}

func oldRole(role string) func(*message) { return func(m *message) { m.Role = &role } }

func oldReservation(r *mesosv1.Resource_ReservationInfo) func(*message) {
	return func(m *message) { m.Reservation = r }
}

// principal is a reservation as the old field has it.
func principal(name string, labels ...string) *mesosv1.Resource_ReservationInfo {
	r := dynamic("", name, labels...)
	r.Type, r.Role = nil, nil
	return r
}

func TestValidate(t *testing.T) {
	unknownType := func(m *message) { m.Type = mesosv1.Value_Type(99).Enum() }
	both := func(m *message) { m.Set = &mesosv1.Value_Set{} }
	noValue := func(m *message) { m.Scalar = nil }
	withPath := func(s *mesosv1.Resource_DiskInfo_Source) { s.Path = &mesosv1.Resource_DiskInfo_Source_Path{} }
	withMount := func(s *mesosv1.Resource_DiskInfo_Source) { s.Mount = &mesosv1.Resource_DiskInfo_Source_Mount{} }
	one := func(change ...func(*message)) *message { return scalarMessage("disk", 1, change...) }
	for _, c := range []struct {
		name    string
		message *message
		want    string // nothing: valid
	}{
		{"a scalar", scalarMessage("cpus", 1.5), ""},
		{"zero", scalarMessage("cpus", 0), ""},
		{"the smallest scalar", scalarMessage("cpus", 0.0005), ""},
		{"less than the smallest", scalarMessage("cpus", 0.00049), "<= 0"},
		{"less than nothing", scalarMessage("cpus", -1), "<= 0"},
		{"whole GPUs", scalarMessage("gpus", 2), ""},
		{"a part of a GPU", scalarMessage("gpus", 0.5), "must be an unsigned integer"},
		{"no message", nil, "name is empty"},
		{"no name", scalarMessage("", 1), "name is empty"},
		{"no type", one(func(m *message) { m.Type = nil }), "type is missing"},
		{"text", one(func(m *message) { m.Type = mesosv1.Value_TEXT.Enum() }), "TEXT is not supported"},
		{"an unknown type", one(unknownType), "99 is not supported"},
		{"no value", one(noValue), "must have that value and no other"},
		{"two values", one(both), "must have that value and no other"},
		{"another value", one(setValue("a"), func(m *message) { m.Type = mesosv1.Value_RANGES.Enum() }), "must have that value"},
		{"ranges", one(rangesValue(5, 6, 1, 2, 3, 4)), ""},
		{"no ranges", one(rangesValue()), ""},
		{"an inverted range", one(rangesValue(2, 1)), "begin > end"},
		{"overlapping ranges", one(rangesValue(5, 9, 1, 5)), "overlapping ranges 1-5 and 5-9"},
		{"equal ranges", one(rangesValue(5, 9, 5, 9)), "overlapping"},
		{"a set", one(setValue("a", "b")), ""},
		{"a set with duplicates", one(setValue("a", "b", "a")), "duplicated elements"},
		{"DiskInfo elsewhere", scalarMessage("mem", 1, mount("/m")), "DiskInfo should not be set"},
		{"a MOUNT disk", one(mount("/m")), ""},
		{"a PATH disk without a path", one(source(mesosv1.Resource_DiskInfo_Source_PATH)), ""},
		{"a RAW disk", one(raw("id")), ""},
		{"a RAW disk with a path", one(source(mesosv1.Resource_DiskInfo_Source_RAW, withPath)), "neither mount nor path"},
		{"a BLOCK disk with a mount", one(source(mesosv1.Resource_DiskInfo_Source_BLOCK, withMount)), "neither mount nor path"},
		{"an unknown disk", one(source(mesosv1.Resource_DiskInfo_Source_UNKNOWN)), "UNKNOWN is not supported"},
		{"a shared volume", one(volume("v"), shared), ""},
		{"a shared disk", one(shared), "only a persistent volume"},
		{"shared memory", scalarMessage("mem", 1, shared), "only a persistent volume"},

		{"pre: a role", one(oldRole("web")), ""},
		{"pre: a bad role", one(oldRole("a b")), "white space"},
		{"pre: a dynamic reservation", one(oldRole("web"), oldReservation(principal("p"))), ""},
		{"pre: a dynamic reservation for all", one(oldReservation(principal("p"))), `role "*" cannot be dynamically reserved`},
		{"pre: a type in reservation", one(oldRole("web"), oldReservation(info(mesosv1.Resource_ReservationInfo_DYNAMIC, "x"))), "type and role must not be set"},

		{"post: static", one(reserved(static("a"))), ""},
		{"post: refined", one(reserved(static("a"), dynamic("a/b", "p"), dynamic("a/b/c", "p"))), ""},
		{"post: no type", one(reserved(&mesosv1.Resource_ReservationInfo{Role: proto.String("a")})), "must be STATIC or DYNAMIC"},
		{"post: no role", one(reserved(&mesosv1.Resource_ReservationInfo{Type: mesosv1.Resource_ReservationInfo_STATIC.Enum()})), "role of each of reservations must be set"},
		{"post: for all", one(reserved(static("*"))), `role "*" cannot be reserved`},
		{"post: a bad role", one(reserved(static("a/"))), "slash"},
		{"post: static later", one(reserved(static("a"), static("a/b"))), "cannot be STATIC"},
		{"post: not a sub-role", one(reserved(static("a"), dynamic("ab", "p"))), "not a refinement"},
		{"post: the same role", one(reserved(static("a"), dynamic("a", "p"))), "not a refinement"},

		{"endpoint: static", one(reserved(static("a")), oldRole("a")), ""},
		{"endpoint: dynamic", one(reserved(dynamic("a", "p", "x", "y")), oldRole("a"), oldReservation(principal("p", "y", "x"))), ""},
		{"endpoint: another role", one(reserved(static("a")), oldRole("b")), "does not match role"},
		{"endpoint: a reservation that is not there", one(reserved(static("a")), oldRole("a"), oldReservation(principal("p"))), "beside a STATIC one"},
		{"endpoint: half of dynamic", one(reserved(dynamic("a", "p")), oldRole("a")), "must both be set"},
		{"endpoint: another principal", one(reserved(dynamic("a", "p")), oldRole("a"), oldReservation(principal("q"))), "principal"},
		{"endpoint: other labels", one(reserved(dynamic("a", "p", "x")), oldRole("a"), oldReservation(principal("p"))), "labels"},
		{"endpoint: refined with a role", one(reserved(static("a"), dynamic("a/b", "p")), oldRole("a/b")), "more than one"},
		{"endpoint: refined with a reservation", one(reserved(static("a"), dynamic("a/b", "p")), oldReservation(principal("p"))), "more than one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := proto.CloneOf(c.message)
			err := Validate(c.message)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
			assert.True(t, proto.Equal(before, c.message), "the message is as it was")
			_, err = New([]*message{scalarMessage("mem", 1), c.message})
			if c.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.want)
				assert.ErrorContains(t, err, "resource 1")
			}
		})
	}
	t.Run("more than can be compared in time", func(t *testing.T) {
		_, err := New(make([]*message, MaxResources+1))
		assert.ErrorContains(t, err, "more than 16384")
	})
}
