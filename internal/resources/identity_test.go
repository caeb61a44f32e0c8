package resources

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestAllHaveTheSameIdentityOfWhatIsCommon(t *testing.T) {
	const plain = "cpus:1;mem:2;disk:3;gpus:4;ports:[1-2]"
	first, second := parse(t, plain), parse(t, plain)
	for i := range first.list {
		assert.Same(t, first.list[i].id, second.list[i].id)
		assert.Equal(t, string(first.list[i].id.appendKey(nil)), first.list[i].id.key)
	}
	other := of(t, scalarMessage("cpus", 1, func(m *message) { m.Reservations = append(m.Reservations, static("a")) }),
		scalarMessage("cpus", 1, revocable), scalarMessage("cpus", 0, setValue("x")),
		scalarMessage("disk", 1, func(m *message) { m.Disk = &mesosv1.Resource_DiskInfo{} }))
	assert.Len(t, other.list, 4)
	for _, r := range other.list {
		for _, c := range first.list {
			assert.NotSame(t, c.id, r.id)
			assert.NotEqual(t, c.id.key, r.id.key)
		}
	}
}

func TestHasLike(t *testing.T) {
	r := parse(t, "cpus:1;mem(a):2")
	for text, want := range map[string]bool{"cpus:5": true, "mem(a):1": true, "mem:2": false, "cpus(a):1": false, "disk:1": false} {
		one := slices.Collect(parse(t, text).All())[0]
		assert.Equal(t, want, r.HasLike(one), text)
	}
	assert.False(t, r.HasLike(slices.Collect(parse(t, "cpus:1").Allocate("a").All())[0]))
}
