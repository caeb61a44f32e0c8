package resources

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func TestShapes(t *testing.T) {
	one := func(change ...func(*message)) *message { return scalarMessage("cpus", 1, change...) }
	for _, c := range []struct {
		name                string
		post, pre, endpoint *message
	}{
		{"unreserved", one(), one(oldRole("*")), one(oldRole("*"))},
		{"one STATIC", one(reserved(static("a"))), one(oldRole("a")), one(reserved(static("a")), oldRole("a"))},
		{"one DYNAMIC", one(reserved(dynamic("a", "p", "x"))),
			one(oldRole("a"), oldReservation(principal("p", "x"))),
			one(reserved(dynamic("a", "p", "x")), oldRole("a"), oldReservation(principal("p", "x")))},
		{"refined", one(reserved(static("a"), dynamic("a/b", "p"))), nil, one(reserved(static("a"), dynamic("a/b", "p")))},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, from := range []*message{c.post, c.pre, c.endpoint} {
				if from == nil {
					continue
				}
				before := proto.CloneOf(from)
				r := of(t, from)
				for shape, want := range map[Shape]*message{Post: c.post, Pre: c.pre, Endpoint: c.endpoint, PreIfPossible: c.pre} {
					if want == nil && shape == PreIfPossible {
						want = c.post
					}
					got, err := Convert([]*message{from}, shape)
					again, errAgain := r.MessagesIn(shape)
					if want == nil {
						require.ErrorIs(t, err, ErrRefined)
						require.ErrorIs(t, errAgain, ErrRefined)
						continue
					}
					require.NoError(t, err)
					require.NoError(t, errAgain)
					requireMessages(t, []*message{want}, got)
					requireMessages(t, []*message{want}, again)
				}
				assert.True(t, proto.Equal(before, from), "the message is as it was")
			}
		})
	}
	t.Run("values stay as they are", func(t *testing.T) {
		got, err := Convert([]*message{scalarMessage("cpus", 0.12345), scalarMessage("ports", 0, rangesValue(3, 4, 1, 2))}, Pre)
		require.NoError(t, err)
		requireMessages(t, []*message{scalarMessage("cpus", 0.12345, oldRole("*")),
			scalarMessage("ports", 0, rangesValue(3, 4, 1, 2), oldRole("*"))}, got)
	})
	t.Run("what is not valid is refused", func(t *testing.T) {
		_, err := Convert([]*message{one(oldReservation(principal("p")))}, Post)
		require.ErrorContains(t, err, "dynamically reserved")
		_, err = Convert([]*message{one()}, Shape(9))
		require.ErrorContains(t, err, "no shape 9")
	})
}

func TestMessages(t *testing.T) {
	all := []*message{
		scalarMessage("cpus", 1.5, allocated("web"), provider("x"), reserved(static("a"), dynamic("a/b", "p", "l"))),
		scalarMessage("ports", 0, rangesValue(1, 2, 8, 9), revocable),
		scalarMessage("zone", 0, setValue("b", "a")),
		scalarMessage("disk", 10, mount("/m"), volume("v"), shared, reserved(static("a"))),
	}
	r := of(t, all...)
	requireMessages(t, all, r.Messages())
	assert.Nil(t, Resources{}.Messages())

	t.Run("belong to whom they are given", func(t *testing.T) {
		before := r.Messages()
		for _, m := range append(r.Messages(), all...) {
			m.Name = proto.String("changed")
			for _, reservation := range m.Reservations {
				reservation.Role = proto.String("changed")
			}
			if m.Ranges != nil {
				m.Ranges.Range[0].Begin = proto.Uint64(0)
			}
			if m.Set != nil {
				m.Set.Item[0] = "changed"
			}
			if m.Disk != nil {
				m.Disk.Persistence.Id = proto.String("changed")
			}
			if m.ProviderId != nil {
				m.ProviderId.Value = proto.String("changed")
			}
		}
		requireMessages(t, before, r.Messages())
		for each := range r.All() {
			if ranges, set := each.Ranges(), each.Set(); len(ranges) > 0 {
				ranges[0].Begin = 0
			} else if len(set) > 0 {
				set[0] = "changed"
			}
		}
		assert.Equal(t, []Range{{1, 2}, {8, 9}}, r.Ranges("ports"))
		assert.Equal(t, []string{"b", "a"}, r.Set("zone"))
	})
}

func TestString(t *testing.T) {
	labelled := dynamic("a/b", "me", "k", "l")
	labelled.Labels.Labels[0].Value = proto.String("v")
	hostVolume := func(m *message) { m.Disk.Volume.HostPath = proto.String("/host") }
	for want, m := range map[string]*message{
		"cpus:0.5":                             scalarMessage("cpus", 0.5),
		"cpus(allocated: web):1":               scalarMessage("cpus", 1, allocated("web")),
		"cpus(reservations: [(STATIC,web)]):1": scalarMessage("cpus", 1, oldRole("web")),
		"cpus(allocated: a/b)(reservations: [(STATIC,a),(DYNAMIC,a/b,me,{k: v, l})]){REV}:1": scalarMessage("cpus", 1, allocated("a/b"), reserved(static("a"), labelled), revocable),
		"disk[id:path]<SHARED>:1":           scalarMessage("disk", 1, volume("id"), shared),
		"disk[MOUNT:/m,id:/host:path:rw]:1": scalarMessage("disk", 1, mount("/m"), volume("id"), hostVolume),
		"disk[PATH:/p]:1":                   scalarMessage("disk", 1, path("/p")),
		"disk[RAW(,id,)]:1":                 scalarMessage("disk", 1, raw("id")),
		"disk[RAW]:1":                       scalarMessage("disk", 1, raw("")),
		"ports:[1-2, 5-5]":                  scalarMessage("ports", 0, rangesValue(5, 5, 1, 2)),
		"zone:{b, a}":                       scalarMessage("zone", 0, setValue("b", "a")),
	} {
		assert.Equal(t, want, of(t, m).String())
	}
	assert.Equal(t, "{}", Resources{}.String())
}
