package resources

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// many has one of each kind.
func many(t testing.TB) Resources {
	return of(t,
		scalarMessage("cpus", 1),
		scalarMessage("cpus", 2, oldRole("a")),
		scalarMessage("cpus", 4, reserved(static("a"), dynamic("a/b", "p"))),
		scalarMessage("cpus", 8, revocable),
		scalarMessage("cpus", 16, allocated("a/b")),
		scalarMessage("cpus", 32, allocated("c"), oldRole("c")),
		scalarMessage("ports", 0, rangesValue(1, 5)),
		scalarMessage("ports", 0, rangesValue(7, 9), oldRole("a")),
		scalarMessage("zone", 0, setValue("x", "y")),
		scalarMessage("disk", 64, volume("v"), shared, reserved(dynamic("a", "p"))),
	)
}

func TestChoosing(t *testing.T) {
	r := many(t)
	for _, c := range []struct {
		name string
		got  Resources
		cpus Scalar
		all  int
	}{
		{"all", r, 63, 10},
		{"scalars", r.Scalars(), 63, 7},
		{"unreserved", r.Unreserved(), 25, 5},
		{"reserved", r.Reserved(), 38, 5},
		{"reserved to a role", r.ReservedTo("a"), 2, 3},
		{"reserved to a role below", r.ReservedTo("a/b"), 4, 1},
		{"reserved to nobody", r.ReservedTo("*"), 0, 0},
		{"reserved in a subtree", r.ReservedBelow("a"), 6, 4},
		{"allocated in a subtree", r.AllocatedBelow("a"), 16, 1},
		{"allocatable to a role", r.AllocatableTo("a"), 27, 8},
		{"allocatable to a role below", r.AllocatableTo("a/b"), 31, 9},
		{"allocatable to another role", r.AllocatableTo("ab"), 25, 5},
		{"revocable", r.Revocable(), 8, 1},
		{"not revocable", r.NonRevocable(), 55, 9},
		{"shared", r.Filter(Resource.IsShared), 0, 1},
		{"not shared", r.Filter(Resource.IsNonShared), 63, 9},
		{"dynamically reserved", r.Filter(Resource.IsDynamicallyReserved), 4, 2},
		{"refined", r.Filter(Resource.IsRefined), 4, 1},
		{"from a provider", r.Filter(Resource.HasProvider), 0, 0},
		{"of a name", r.Named("ports"), 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			cpus, _ := c.got.Scalar("cpus")
			assert.Equal(t, c.cpus*1000, cpus)
			assert.Equal(t, c.all, c.got.Len())
			assert.True(t, r.Contains(c.got))
			assert.Equal(t, 10, r.Len())
		})
	}
	assert.Equal(t, []string{"cpus", "disk", "ports", "zone"}, r.Names())
	assert.Equal(t, []Range{{1, 5}, {7, 9}}, r.Ranges("ports"))
	assert.Equal(t, []string{"x", "y"}, r.Set("zone"))
	assert.Empty(t, r.Ranges("cpus"))
	assert.Empty(t, r.Set("nothing"))
	_, found := r.Scalar("ports")
	assert.False(t, found)

	parts := r.ByReservation()
	require.Len(t, parts, 2+1)
	assert.Equal(t, []string{"a", "a/b", "c"}, []string{parts[0].Role, parts[1].Role, parts[2].Role})
	assert.True(t, parts[0].Resources.Equal(r.ReservedTo("a")))
	parts = r.ByAllocation()
	require.Len(t, parts, 2)
	assert.Equal(t, "a/b", parts[0].Role)
	assert.True(t, parts[1].Resources.Equal(r.AllocatedBelow("c")))
}

func TestAllocating(t *testing.T) {
	r := parse(t, "cpus:4;mem(web):10;ports:[1-5]")
	before := r.String()
	a := r.Allocate("web")
	assert.Equal(t, "cpus(allocated: web):4; mem(allocated: web)(reservations: [(STATIC,web)]):10; ports(allocated: web):[1-5]", a.String())
	assert.Equal(t, before, r.String())
	assert.Equal(t, before, a.Unallocate().String())
	assert.Equal(t, "db", a.Allocate("db").ByAllocation()[0].Role)
	assert.False(t, a.Contains(r))
	assert.True(t, a.Unallocate().Contains(r))
	assert.True(t, Resources{}.Allocate("x").Empty())

	both := a.Add(parse(t, "cpus:1;zone:{a}").Allocate("db"))
	assert.Equal(t, 5, both.Len())
	assert.Equal(t, "cpus:5; mem(reservations: [(STATIC,web)]):10; ports:[1-5]; zone:{a}", both.Unallocate().String(),
		"what becomes alike is merged")
	role, is := both.list[4].AllocationRole()
	assert.Equal(t, "db", role)
	assert.True(t, is)
}

func TestReservations(t *testing.T) {
	r := parse(t, "cpus:1;cpus(a):2;mem(a):3;ports:[1-5];ports(b):[6-7]")
	before := r.String()
	assert.Equal(t, "cpus:3; mem:3; ports:[1-7]", r.ToUnreserved().String())
	assert.Equal(t, before, r.String())
	assert.True(t, Resources{}.ToUnreserved().Empty())

	pushed, err := r.ReservedTo("a").PushReservation(dynamic("a/x", "p"))
	require.NoError(t, err)
	assert.Equal(t, "cpus(reservations: [(STATIC,a),(DYNAMIC,a/x,p)]):2; mem(reservations: [(STATIC,a),(DYNAMIC,a/x,p)]):3", pushed.String())
	popped, err := pushed.PopReservation()
	require.NoError(t, err)
	assert.True(t, popped.Equal(r.ReservedTo("a")))
	assert.Equal(t, before, r.String())

	_, err = r.PushReservation(dynamic("a/x", "p"))
	assert.ErrorContains(t, err, "not a refinement")
	_, err = r.PopReservation()
	assert.EqualError(t, err, "resource cpus:1 has no reservation to take away")

	t.Run("two stacks on one do not meet", func(t *testing.T) {
		x, err := popped.PushReservation(dynamic("a/x", "p"))
		require.NoError(t, err)
		y, err := popped.PushReservation(dynamic("a/y", "p"))
		require.NoError(t, err)
		assert.Equal(t, "a/x", x.list[0].ReservationRole())
		assert.Equal(t, "a/y", y.list[0].ReservationRole())
	})
}

func TestStrippedScalars(t *testing.T) {
	assert.Equal(t, "cpus:63; disk:64", many(t).StrippedScalars().String())
	assert.True(t, Resources{}.StrippedScalars().Empty())
}

func TestShrink(t *testing.T) {
	r := of(t, scalarMessage("cpus", 2), scalarMessage("cpus", 3, oldRole("a")), scalarMessage("mem", 8),
		scalarMessage("disk", 10, mount("/m")), scalarMessage("disk", 10, path("/p")), scalarMessage("ports", 0, rangesValue(1, 5)))
	before := r.String()
	for _, c := range []struct{ name, target, quantities, limits string }{
		{"nothing", "", "{}", before},
		{"less", "cpus:1;mem:8", "cpus:1; mem:8", "cpus:1; mem:8; disk[MOUNT:/m]:10; disk[PATH:/p]:10; ports:[1-5]"},
		{"more than the first", "cpus:4", "cpus:2; cpus(reservations: [(STATIC,a)]):2",
			"cpus:2; cpus(reservations: [(STATIC,a)]):2; mem:8; disk[MOUNT:/m]:10; disk[PATH:/p]:10; ports:[1-5]"},
		{"more than all", "cpus:9", "cpus:2; cpus(reservations: [(STATIC,a)]):3", before},
		{"what cannot be divided", "disk:4", "disk[PATH:/p]:4",
			"cpus:2; cpus(reservations: [(STATIC,a)]):3; mem:8; disk[PATH:/p]:4; ports:[1-5]"},
		{"what cannot be divided and fits exactly", "disk:10", "disk[MOUNT:/m]:10",
			"cpus:2; cpus(reservations: [(STATIC,a)]):3; mem:8; disk[MOUNT:/m]:10; ports:[1-5]"},
		{"what cannot be divided and fits", "disk:12", "disk[MOUNT:/m]:10; disk[PATH:/p]:2",
			"cpus:2; cpus(reservations: [(STATIC,a)]):3; mem:8; disk[MOUNT:/m]:10; disk[PATH:/p]:2; ports:[1-5]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := ParseQuantities(c.target)
			require.NoError(t, err)
			l, err := ParseLimits(c.target)
			require.NoError(t, err)
			assert.Equal(t, c.quantities, r.Shrink(q).String())
			assert.Equal(t, c.limits, r.ShrinkToLimits(l).String())
			assert.True(t, q.Contains(r.Shrink(q).ScalarQuantities()))
			assert.True(t, l.Allows(r.ShrinkToLimits(l).ScalarQuantities()))
			assert.Equal(t, before, r.String())
		})
	}
	t.Run("to a limit of zero", func(t *testing.T) {
		l, err := ParseLimits("cpus:0;mem:0;disk:0")
		require.NoError(t, err)
		assert.Equal(t, "ports:[1-5]", r.ShrinkToLimits(l).String())
	})
	t.Run("after a shuffle", func(t *testing.T) {
		turned := r.Shuffled(func(n int, swap func(i, j int)) { swap(0, n-1) })
		assert.Equal(t, "ports", turned.list[0].Name())
		assert.True(t, turned.Equal(r))
		assert.Equal(t, before, r.String())
	})
}

func TestFind(t *testing.T) {
	offer := parse(t, "cpus(a):1;cpus(b):1;cpus:2;mem:10;ports:[1-9]")
	for _, c := range []struct{ name, target, want string }{
		{"its role first", "cpus(a):0.5", "cpus(reservations: [(STATIC,a)]):0.5"},
		{"then unreserved", "cpus(a):2.5", "cpus(reservations: [(STATIC,a)]):1; cpus:1.5"},
		{"then others", "cpus(a):3.5", "cpus(reservations: [(STATIC,a)]):1; cpus:2; cpus(reservations: [(STATIC,b)]):0.5"},
		{"unreserved first", "cpus:2", "cpus:2"},
		{"several", "cpus:1;mem:4;ports:[2-3]", "cpus:1; mem:4; ports:[2-3]"},
		{"everything", "cpus:4", "cpus:2; cpus(reservations: [(STATIC,a)]):1; cpus(reservations: [(STATIC,b)]):1"},
		{"nothing", "", "{}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, found := offer.Find(parse(t, c.target))
			require.True(t, found)
			assert.Equal(t, c.want, got.String())
			assert.True(t, offer.Contains(got))
		})
	}
	for _, target := range []string{"cpus:4.001", "gpus:1", "cpus:1;mem:11", "ports:[9-10]"} {
		_, found := offer.Find(parse(t, target))
		assert.False(t, found, target)
	}
}

func TestFields(t *testing.T) {
	number := func(name string, v float64) Field { return Field{Name: name, Number: v} }
	text := func(name, v string) Field { return Field{Name: name, IsText: true, Text: v} }
	assert.Equal(t, []Field{number("cpus", 0), number("disk", 0), number("gpus", 0), number("mem", 0)}, Resources{}.Fields())
	assert.Equal(t, []Field{number("cpus", 55), number("cpus_revocable", 8), number("disk", 64), number("gpus", 0), number("mem", 0),
		text("ports", "[1-5, 7-9]"), text("zone", "{x, y}")}, many(t).Fields())
}
