package resources

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// TestWhatIsOne goes through all that tells one resource from another.
func TestWhatIsOne(t *testing.T) {
	otherVolume := func(m *message) { m.Disk.Volume.ContainerPath = proto.String("elsewhere") }
	otherPrincipal := func(m *message) { m.Disk.Persistence.Principal = proto.String("p") }
	onlyVolume := func(path string) func(*message) {
		return func(m *message) {
			m.Disk = &mesosv1.Resource_DiskInfo{Volume: &mesosv1.Volume{ContainerPath: &path, Mode: mesosv1.Volume_RO.Enum()}}
		}
	}
	block := source(mesosv1.Resource_DiskInfo_Source_BLOCK)
	for _, c := range []struct {
		name    string
		a, b    *message
		adds    bool // a and b make one
		partial bool // less of b can be taken from a
	}{
		{"the same name", scalarMessage("cpus", 2), scalarMessage("cpus", 1), true, true},
		{"another name", scalarMessage("cpus", 2), scalarMessage("mem", 1), false, false},
		{"another type", scalarMessage("x", 2), scalarMessage("x", 0, setValue("a")), false, false},
		{"the same role", scalarMessage("cpus", 2, oldRole("a")), scalarMessage("cpus", 1, reserved(static("a"))), true, true},
		{"another role", scalarMessage("cpus", 2, oldRole("a")), scalarMessage("cpus", 1, oldRole("b")), false, false},
		{"no role", scalarMessage("cpus", 2, oldRole("a")), scalarMessage("cpus", 1), false, false},
		{"another kind of reservation", scalarMessage("cpus", 2, reserved(static("a"))), scalarMessage("cpus", 1, oldRole("a"), oldReservation(&mesosv1.Resource_ReservationInfo{})), false, false},
		{"another principal", scalarMessage("cpus", 2, reserved(dynamic("a", "p"))), scalarMessage("cpus", 1, reserved(dynamic("a", "q"))), false, false},
		{"an empty principal is not none", scalarMessage("cpus", 2, reserved(dynamic("a", ""))), scalarMessage("cpus", 1, reserved(info(mesosv1.Resource_ReservationInfo_DYNAMIC, "a"))), false, false},
		{"other labels", scalarMessage("cpus", 2, reserved(dynamic("a", "p", "x"))), scalarMessage("cpus", 1, reserved(dynamic("a", "p", "y"))), false, false},
		{"labels in another order", scalarMessage("cpus", 2, reserved(dynamic("a", "p", "x", "y"))), scalarMessage("cpus", 1, reserved(dynamic("a", "p", "y", "x"))), true, true},
		{"a refinement", scalarMessage("cpus", 2, reserved(static("a"))), scalarMessage("cpus", 1, reserved(static("a"), dynamic("a/b", "p"))), false, false},
		{"the same allocation", scalarMessage("cpus", 2, allocated("a")), scalarMessage("cpus", 1, allocated("a")), true, true},
		{"another allocation", scalarMessage("cpus", 2, allocated("a")), scalarMessage("cpus", 1, allocated("b")), false, false},
		{"an allocation to an empty role", scalarMessage("cpus", 2, allocated("")), scalarMessage("cpus", 1), false, false},
		{"no allocation", scalarMessage("cpus", 2, allocated("a")), scalarMessage("cpus", 1), false, false},
		{"revocable", scalarMessage("cpus", 2, revocable), scalarMessage("cpus", 1, revocable), true, true},
		{"not revocable", scalarMessage("cpus", 2, revocable), scalarMessage("cpus", 1), false, false},
		{"the same provider", scalarMessage("cpus", 2, provider("x")), scalarMessage("cpus", 1, provider("x")), true, true},
		{"another provider", scalarMessage("cpus", 2, provider("x")), scalarMessage("cpus", 1, provider("y")), false, false},
		{"no provider", scalarMessage("cpus", 2, provider("x")), scalarMessage("cpus", 1), false, false},
		{"the volume of a disk", scalarMessage("disk", 2, onlyVolume("a")), scalarMessage("disk", 1, onlyVolume("b")), true, true},
		{"no disk", scalarMessage("disk", 2, onlyVolume("a")), scalarMessage("disk", 1), false, false},
		{"a PATH disk", scalarMessage("disk", 2, path("/a")), scalarMessage("disk", 1, path("/a")), true, true},
		{"another PATH disk", scalarMessage("disk", 2, path("/a")), scalarMessage("disk", 1, path("/b")), false, false},
		{"a MOUNT disk", scalarMessage("disk", 2, mount("/a")), scalarMessage("disk", 1, mount("/a")), false, false},
		{"a BLOCK disk", scalarMessage("disk", 2, block), scalarMessage("disk", 1, block), false, false},
		{"a RAW disk without id", scalarMessage("disk", 2, raw("")), scalarMessage("disk", 1, raw("")), true, true},
		{"a RAW disk with id", scalarMessage("disk", 2, raw("a")), scalarMessage("disk", 1, raw("a")), false, false},
		{"a persistent volume", scalarMessage("disk", 2, volume("a")), scalarMessage("disk", 1, volume("a")), false, false},
		{"a persistent volume on a PATH disk", scalarMessage("disk", 2, path("/a"), volume("a")), scalarMessage("disk", 1, path("/a"), volume("a")), false, false},
		{"a shared volume of another size", scalarMessage("disk", 2, volume("a"), shared), scalarMessage("disk", 1, volume("a"), shared), false, false},
		{"a volume that is not shared", scalarMessage("disk", 2, volume("a"), shared), scalarMessage("disk", 2, volume("a")), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := of(t, c.a), of(t, c.b)
			assert.Equal(t, c.adds, a.Add(b).Len() == 1)
			assert.Equal(t, c.adds, of(t, c.a, c.b).Len() == 1)
			assert.Equal(t, c.partial, a.Contains(b))
			assert.Equal(t, c.partial, !a.Sub(b).Equal(a))
			assert.False(t, b.Contains(a), "the smaller one does not contain the larger")
			assert.True(t, a.Sub(a).Empty(), "all of it can always be taken")
			assert.True(t, a.Contains(a))
			assert.True(t, a.Contains(of(t, c.a)), "and an equal one too")
			assert.True(t, a.Add(b).Contains(b))
		})
	}
	t.Run("volume and principal of a persistent volume do not count", func(t *testing.T) {
		a, b := of(t, scalarMessage("disk", 2, volume("a"))), of(t, scalarMessage("disk", 2, volume("a"), otherVolume, otherPrincipal))
		assert.True(t, a.Equal(b))
		assert.True(t, a.Sub(b).Empty())
	})
}

func TestAddAndSub(t *testing.T) {
	for _, c := range []struct{ name, a, b, sum, difference string }{
		{"scalars", "cpus:1.5;mem:10", "mem:4;cpus:0.5", "cpus:2; mem:14", "cpus:1; mem:6"},
		{"less than nothing vanishes", "cpus:1;mem:10", "cpus:2", "cpus:3; mem:10", "mem:10"},
		{"what is not there", "cpus:1", "mem:1", "cpus:1; mem:1", "cpus:1"},
		{"nothing", "cpus:1", "", "cpus:1", "cpus:1"},
		{"from nothing", "", "cpus:1", "cpus:1", "{}"},
		{"thousandths", "cpus:0.001;x:0.3", "cpus:0.001;x:0.1", "cpus:0.002; x:0.4", "x:0.2"},
		{"ranges", "ports:[1-10,20-30]", "ports:[5-6,30-35]", "ports:[1-10, 20-35]", "ports:[1-4, 7-10, 20-29]"},
		{"all ranges", "ports:[1-10]", "ports:[0-99]", "ports:[0-99]", "{}"},
		{"sets", "s:{a,b}", "s:{c,b}", "s:{a, b, c}", "s:{a}"},
		{"the last takes the place of the first", "a:1;b:1;c:1;d:1", "a:1", "a:2; b:1; c:1; d:1", "d:1; b:1; c:1"},
		{"each in its role", "cpus(x):2;cpus:2", "cpus(x):1", "cpus(reservations: [(STATIC,x)]):3; cpus:2", "cpus(reservations: [(STATIC,x)]):1; cpus:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := parse(t, c.a), parse(t, c.b)
			assert.Equal(t, c.sum, a.Add(b).String())
			assert.Equal(t, c.difference, a.Sub(b).String())
			assert.True(t, a.Equal(parse(t, c.a)), "a is as it was")
			assert.True(t, b.Equal(parse(t, c.b)), "b is as it was")
		})
	}
}

func TestSharedResourcesAreCounted(t *testing.T) {
	v := of(t, scalarMessage("disk", 5, volume("v"), shared))
	three := v.Add(v).Add(v)
	assert.Equal(t, 1, three.Len())
	assert.Len(t, three.Messages(), 1)
	amount, _ := three.Scalar("disk")
	assert.Equal(t, ScalarOf(5), amount, "sharing does not make it more")
	assert.True(t, three.Contains(v.Add(v)))
	assert.False(t, v.Contains(three))
	assert.False(t, three.Equal(v))
	assert.True(t, three.Sub(v).Sub(v).Equal(v))
	assert.True(t, three.Sub(three).Empty())
	assert.True(t, v.Sub(three).Empty())
}

func TestTwoEqualVolumesAreTwo(t *testing.T) {
	one := of(t, scalarMessage("disk", 5, volume("v")), scalarMessage("cpus", 1))
	two := one.Add(of(t, scalarMessage("disk", 5, volume("v"))))
	assert.Equal(t, 3, two.Len())
	assert.True(t, two.Contains(one))
	assert.False(t, one.Contains(two))
	assert.True(t, two.Contains(two.Filter(Resource.IsPersistentVolume)))
	assert.Equal(t, 3, two.Len(), "asking takes nothing away")
	assert.Equal(t, 2, two.Sub(of(t, scalarMessage("disk", 5, volume("v")))).Len())
}

func TestConvertResources(t *testing.T) {
	total := parse(t, "cpus:4;mem:10")
	got, err := total.Convert(parse(t, "cpus:1"), parse(t, "cpus(web):1"))
	require.NoError(t, err)
	assert.Equal(t, "cpus:3; mem:10; cpus(reservations: [(STATIC,web)]):1", got.String())
	_, err = total.Convert(parse(t, "cpus:5"), Resources{})
	assert.EqualError(t, err, "cpus:4; mem:10 does not contain cpus:5")
}
