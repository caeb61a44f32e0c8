package resources

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

type message = mesosv1.Resource

// scalarMessage and the functions below spell messages.
func scalarMessage(name string, v float64, change ...func(*message)) *message {
	m := &message{Name: &name, Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: &v}}
	for _, each := range change {
		each(m)
	}
	return m
}

func info(kind mesosv1.Resource_ReservationInfo_Type, role string) *mesosv1.Resource_ReservationInfo {
	return &mesosv1.Resource_ReservationInfo{Type: kind.Enum(), Role: &role}
}

func static(role string) *mesosv1.Resource_ReservationInfo {
	return info(mesosv1.Resource_ReservationInfo_STATIC, role)
}

func dynamic(role, principal string, labels ...string) *mesosv1.Resource_ReservationInfo {
	r := info(mesosv1.Resource_ReservationInfo_DYNAMIC, role)
	r.Principal = &principal
	for _, key := range labels {
		if r.Labels == nil {
			r.Labels = &mesosv1.Labels{}
		}
		r.Labels.Labels = append(r.Labels.Labels, &mesosv1.Label{Key: &key})
	}
	return r
}

func reserved(stack ...*mesosv1.Resource_ReservationInfo) func(*message) {
	return func(m *message) { m.Reservations = stack }
}

func revocable(m *message) { m.Revocable = &mesosv1.Resource_RevocableInfo{} }
func shared(m *message)    { m.Shared = &mesosv1.Resource_SharedInfo{} }

func allocated(role string) func(*message) {
	return func(m *message) { m.AllocationInfo = &mesosv1.Resource_AllocationInfo{Role: &role} }
}

func provider(id string) func(*message) {
	return func(m *message) { m.ProviderId = &mesosv1.ResourceProviderID{Value: &id} }
}

func volume(id string) func(*message) {
	return func(m *message) {
		if m.Disk == nil {
			m.Disk = &mesosv1.Resource_DiskInfo{}
		}
		m.Disk.Persistence = &mesosv1.Resource_DiskInfo_Persistence{Id: &id}
		m.Disk.Volume = &mesosv1.Volume{ContainerPath: proto.String("path"), Mode: mesosv1.Volume_RW.Enum()}
	}
}

func source(kind mesosv1.Resource_DiskInfo_Source_Type, change ...func(*mesosv1.Resource_DiskInfo_Source)) func(*message) {
	return func(m *message) {
		m.Disk = &mesosv1.Resource_DiskInfo{Source: &mesosv1.Resource_DiskInfo_Source{Type: kind.Enum()}}
		for _, each := range change {
			each(m.Disk.Source)
		}
	}
}

func mount(root string) func(*message) {
	return source(mesosv1.Resource_DiskInfo_Source_MOUNT, func(s *mesosv1.Resource_DiskInfo_Source) {
		s.Mount = &mesosv1.Resource_DiskInfo_Source_Mount{Root: &root}
	})
}

func path(root string) func(*message) {
	return source(mesosv1.Resource_DiskInfo_Source_PATH, func(s *mesosv1.Resource_DiskInfo_Source) {
		s.Path = &mesosv1.Resource_DiskInfo_Source_Path{Root: &root}
	})
}

func raw(id string) func(*message) {
	return source(mesosv1.Resource_DiskInfo_Source_RAW, func(s *mesosv1.Resource_DiskInfo_Source) {
		if id != "" {
			s.Id = &id
		}
	})
}

func of(t testing.TB, messages ...*message) Resources {
	t.Helper()
	r, err := New(messages)
	require.NoError(t, err)
	return r
}

func parse(t testing.TB, text string) Resources {
	t.Helper()
	r, err := Parse(text, AnyRole)
	require.NoError(t, err)
	return r
}

func requireMessages(t testing.TB, want, got []*message) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		assert.True(t, proto.Equal(want[i], got[i]), "message %d:\nwant %v\ngot  %v", i, want[i], got[i])
	}
}
