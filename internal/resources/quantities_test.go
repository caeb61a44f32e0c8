package resources

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func quantities(t testing.TB, text string) Quantities {
	t.Helper()
	q, err := ParseQuantities(text)
	require.NoError(t, err)
	return q
}

func limits(t testing.TB, text string) Limits {
	t.Helper()
	l, err := ParseLimits(text)
	require.NoError(t, err)
	return l
}

func TestQuantities(t *testing.T) {
	t.Run("are read sorted, added up and without zeros", func(t *testing.T) {
		assert.Equal(t, "cpus:3; mem:0.5", quantities(t, " mem : .5 ;cpus:1;gpus:0;cpus:2;tiny:0.0001").String())
		assert.Equal(t, "{}", quantities(t, "").String())
		assert.Equal(t, "c p us:10", quantities(t, "c p us:10").String())
	})
	t.Run("wrong ones are named", func(t *testing.T) {
		for text, want := range map[string]string{
			"cpus":        "missing or extra ':'",
			"cpus:1:2":    "missing or extra ':'",
			"cpus:":       "missing or extra ':'",
			"cpus: ":      "value is empty",
			"cpus:{a}":    "only numbers are allowed",
			"cpus:[1-2]":  "only numbers are allowed",
			"cpus:x":      "only numbers are allowed",
			"cpus:-1":     "negative values are not allowed",
			"cpus:1e300":  "does not fit",
			"a:x;b:1;c:y": `"c:y"`,
		} {
			_, err := ParseQuantities(text)
			assert.ErrorContains(t, err, want, text)
			_, err = ParseLimits(text)
			assert.ErrorContains(t, err, want, text)
		}
	})
	t.Run("add, subtract and compare", func(t *testing.T) {
		for _, c := range []struct {
			a, b, sum, difference string
			contains              bool
		}{
			{"", "", "{}", "{}", true},
			{"cpus:1", "", "cpus:1", "cpus:1", true},
			{"", "cpus:1", "cpus:1", "{}", false},
			{"cpus:2;mem:3", "cpus:1;mem:3", "cpus:3; mem:6", "cpus:1", true},
			{"cpus:2", "cpus:3", "cpus:5", "{}", false},
			{"b:1;d:1", "a:1;c:1;e:1", "a:1; b:1; c:1; d:1; e:1", "b:1; d:1", false},
			{"a:1;b:1", "b:1", "a:1; b:2", "a:1", true},
			{"a:1;b:1", "b:0.5;c:1", "a:1; b:1.5; c:1", "a:1; b:0.5", false},
		} {
			a, b := quantities(t, c.a), quantities(t, c.b)
			assert.Equal(t, c.sum, a.Add(b).String())
			assert.Equal(t, c.difference, a.Sub(b).String())
			assert.Equal(t, c.contains, a.Contains(b), "%s %s", a, b)
			assert.True(t, a.Add(b).Sub(b).Equal(a))
			assert.True(t, a.Add(b).Equal(b.Add(a)))
			assert.True(t, a.Equal(quantities(t, c.a)), "a is as it was")
			assert.True(t, b.Equal(quantities(t, c.b)), "b is as it was")
		}
	})
	t.Run("of resources", func(t *testing.T) {
		r := many(t)
		assert.Equal(t, "cpus:63; disk:64; ports:8; zone:2", r.Quantities().String())
		assert.Equal(t, "cpus:63; disk:64", r.ScalarQuantities().String())
		for text, want := range map[string]bool{
			"": true, "cpus:63;ports:8;zone:2": true, "cpus:63.001": false, "ports:9": false, "zone:3": false, "gpus:1": false,
		} {
			assert.Equal(t, want, r.ContainsQuantities(quantities(t, text)), text)
		}
		huge := of(t, scalarMessage("ids", 0, rangesValue(0, math.MaxUint64)))
		assert.Equal(t, most, huge.Quantities().Get("ids"))
	})
	t.Run("of messages and back", func(t *testing.T) {
		zero := 0.0
		from := quantities(t, "cpus:1.5;mem:32").Message()
		from["gpus"] = &mesosv1.Value_Scalar{Value: &zero}
		q, err := NewQuantities(from)
		require.NoError(t, err)
		assert.Equal(t, "cpus:1.5; mem:32", q.String())
		assert.Equal(t, 1.5, q.Message()["cpus"].GetValue())
		l, err := NewLimits(from)
		require.NoError(t, err)
		assert.Equal(t, "cpus:1.5; gpus:0; mem:32", l.String())
		assert.Len(t, l.Message(), 3)
		bad, worse := -1.0, math.NaN()
		from["mem"], from["cpus"] = &mesosv1.Value_Scalar{Value: &bad}, &mesosv1.Value_Scalar{Value: &worse}
		_, err = NewQuantities(from)
		assert.EqualError(t, err, "quantity \"cpus\": NaN does not fit\nquantity \"mem\": negative values are not allowed: -1")
		_, err = NewLimits(from)
		assert.Error(t, err)
	})
	t.Run("come in order", func(t *testing.T) {
		assert.Equal(t, map[string]Scalar{"a": 1000, "b": 2000}, maps.Collect(quantities(t, "b:2;a:1").All()))
		for name := range quantities(t, "b:2;a:1").All() {
			assert.Equal(t, "a", name)
			break
		}
		for name := range limits(t, "b:2;a:1").All() {
			assert.Equal(t, "a", name)
			break
		}
		assert.True(t, quantities(t, "a:0").Empty())
		assert.False(t, quantities(t, "a:1").Empty())
		assert.True(t, slices.IsSortedFunc(quantities(t, "c:1;a:1;b:1").list, func(a, b amount) int {
			if a.name < b.name {
				return -1
			}
			return 1
		}))
	})
}

func TestLimits(t *testing.T) {
	l := limits(t, "mem:10;cpus:2;gpus:0")
	assert.Equal(t, "cpus:2; gpus:0; mem:10", l.String())
	assert.False(t, l.Empty())
	assert.True(t, limits(t, "").Empty())
	_, limited := l.Get("disk")
	assert.False(t, limited)
	limit, limited := l.Get("gpus")
	assert.True(t, limited)
	assert.Zero(t, limit)
	_, err := ParseLimits("cpus:1;cpus:2")
	assert.ErrorContains(t, err, "duplicate names")

	for text, want := range map[string]bool{
		"": true, "cpus:2;mem:10;disk:99": true, "cpus:2.001": false, "gpus:0.001": false, "mem:5": true,
	} {
		assert.Equal(t, want, l.Allows(quantities(t, text)), text)
	}
	for text, want := range map[string]bool{
		"cpus:2;gpus:0;mem:10": true, "cpus:1;gpus:0;mem:9;disk:1": true, "cpus:2;mem:10": false, "cpus:3;gpus:0;mem:10": false, "": false,
	} {
		assert.Equal(t, want, l.Contains(limits(t, text)), text)
	}
	assert.True(t, limits(t, "").Contains(l), "no limit contains any")
	assert.Equal(t, "cpus:0; gpus:0; mem:9", l.Sub(quantities(t, "cpus:5;mem:1;disk:3")).String())
	assert.True(t, l.Equal(limits(t, "cpus:2;gpus:0;mem:10")), "the limits are as they were")
}

func TestScalarQuantitiesOf(t *testing.T) {
	r := parse(t, "cpus:2;cpus(a):3;mem:5;ports:[1-2];disk(b):7")
	for _, keep := range []func(Resource) bool{Resource.IsReserved, Resource.IsUnreserved, Resource.IsRevocable, Resource.IsScalar} {
		assert.True(t, r.Filter(keep).ScalarQuantities().Equal(r.ScalarQuantitiesOf(keep)))
	}
	assert.Equal(t, "cpus:3; disk:7", r.ScalarQuantitiesOf(Resource.IsReserved).String())
	assert.True(t, r.ScalarQuantitiesOf(Resource.IsRevocable).Empty())
}
