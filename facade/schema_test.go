package facade_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
)

type settings struct {
	Name     string         `mms:"name,required" doc:"who"`
	Token    facade.Secret  `mms:"token"`
	PIN      string         `mms:"pin,secret"`
	On       bool           `mms:"on" default:"true"`
	Count    int8           `mms:"count" default:"3"`
	Limit    uint16         `mms:"limit"`
	Share    float32        `mms:"share"`
	Every    time.Duration  `mms:"every" default:"5secs"`
	Size     facade.Bytes   `mms:"size" default:"2KB"`
	Hosts    []string       `mms:"host"`
	Waits    []facade.Bytes `mms:"wait" default:"1B"`
	Untagged string
	Skipped  string `mms:"-"`
}

func params(pairs ...string) facade.Parameters {
	var p facade.Parameters
	for i := 0; i < len(pairs); i += 2 {
		p = append(p, facade.Parameter{Key: pairs[i], Value: pairs[i+1]})
	}
	return p
}

func TestDecode(t *testing.T) {
	t.Run("fills defaults, and what is given over them", func(t *testing.T) {
		got, err := facade.Decode[settings](params("name", "ann", "host", "a", "count", "-7", "host", "b", "every", "1.5mins", "size", "64MB", "on", "0", "share", "0.5", "limit", "9", "token", "x", "pin", "1"))
		require.NoError(t, err)
		assert.Equal(t, settings{Name: "ann", Token: "x", PIN: "1", Count: -7, Limit: 9, Share: 0.5, Every: 90 * time.Second,
			Size: 64 << 20, Hosts: []string{"a", "b"}, Waits: []facade.Bytes{1}}, got)
	})
	t.Run("keeps every digit of a size", func(t *testing.T) {
		got, err := facade.Decode[settings](params("name", "a", "size", "9007199254740993B"))
		require.NoError(t, err)
		assert.Equal(t, facade.Bytes(9007199254740993), got.Size)
	})
	for _, c := range []struct {
		what string
		p    facade.Parameters
		says []string
	}{
		{"everything that is wrong at once", params("nmae", "x", "count", "many", "every", "5s", "size", "1.5MB", "on", "yes"),
			[]string{`no parameter "nmae"`, "the module knows name, token", `"many" is no int`, "5secs", "64MB", "true or false", `"name" is required`}},
		{"a key twice", params("name", "a", "name", "b"), []string{"more than once"}},
		{"a number that does not fit", params("name", "a", "count", "300"), []string{"300", "int8"}},
		{"a negative one", params("name", "a", "limit", "-1"), []string{"uint"}},
		{"a duration without end", params("name", "a", "every", "999999999999weeks"), []string{"longer than 292 years"}},
		{"a unit in capitals", params("name", "a", "every", "5SECS"), []string{"5secs"}},
	} {
		t.Run("refuses "+c.what, func(t *testing.T) {
			_, err := facade.Decode[settings](c.p)
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
	t.Run("shows no secret value, whatever is wrong with it", func(t *testing.T) {
		type secretive struct {
			N int `mms:"n,secret"`
		}
		_, err := facade.Decode[secretive](params("n", "hunter2"))
		require.ErrorContains(t, err, "the value (secret)")
		require.NotContains(t, err.Error(), "hunter2")
	})
}

func TestSchema(t *testing.T) {
	t.Run("describes the fields that carry a tag, in their order", func(t *testing.T) {
		specs := facade.SchemaOf[settings]().Specs()
		require.Len(t, specs, 11)
		assert.Equal(t, facade.ParameterSpec{Key: "name", Type: "string", Doc: "who", Required: true}, specs[0])
		assert.Equal(t, facade.ParameterSpec{Key: "token", Type: "secret", Secret: true}, specs[1])
		assert.Equal(t, facade.ParameterSpec{Key: "pin", Type: "string", Secret: true}, specs[2])
		assert.Equal(t, facade.ParameterSpec{Key: "host", Type: "string", Repeated: true}, specs[9])
	})
	t.Run("hands out copies", func(t *testing.T) {
		s := facade.SchemaOf[settings]()
		s.Specs()[0].Key = "changed"
		spec, ok := s.Spec("name")
		require.True(t, ok)
		assert.True(t, spec.Required)
		_, ok = s.Spec("changed")
		assert.False(t, ok)
	})
	t.Run("that is not declared lets everything pass", func(t *testing.T) {
		var s facade.Schema
		assert.False(t, s.Declared())
		assert.Empty(t, s.Check(params("anything", "goes")))
		assert.True(t, facade.MakeSchema(nil).Declared())
		assert.Len(t, facade.MakeSchema(nil).Check(params("anything", "goes")), 1)
	})
	t.Run("of a type that no vehicle knows is an error", func(t *testing.T) {
		errs := facade.MakeSchema([]facade.ParameterSpec{{Key: "k", Type: "colour"}}).Check(params("k", "red"))
		require.Len(t, errs, 1)
		assert.ErrorContains(t, errs[0], `unknown parameter type "colour"`)
	})
	t.Run("cannot be made of", func(t *testing.T) {
		type noKey struct {
			A string `mms:""`
		}
		type twice struct {
			A string `mms:"a"`
			B string `mms:"a"`
		}
		type unexported struct {
			a string `mms:"a"` //nolint:unused // that is the point
		}
		type option struct {
			A string `mms:"a,optional"`
		}
		type kind struct {
			A map[string]string `mms:"a"`
		}
		type badDefault struct {
			A int `mms:"a" default:"many"`
		}
		type pointless struct {
			A int `mms:"a,required" default:"1"`
		}
		_ = unexported{}.a
		for says, s := range map[string]facade.Schema{
			"declared by a struct":      facade.SchemaOf[int](),
			"names no key":              facade.SchemaOf[noKey](),
			`the key "a" is already`:    facade.SchemaOf[twice](),
			"not exported":              facade.SchemaOf[unexported](),
			`unknown option "optional"`: facade.SchemaOf[option](),
			"cannot be a map":           facade.SchemaOf[kind](),
			`default "many"`:            facade.SchemaOf[badDefault](),
			"has no use for a default":  facade.SchemaOf[pointless](),
		} {
			require.ErrorContains(t, s.Err(), says)
			assert.Empty(t, s.Check(params("x", "y")), "an unusable schema is one problem, not many")
		}
		_, err := facade.Decode[noKey](nil)
		require.ErrorContains(t, err, "names no key")
	})
}

func TestSecret(t *testing.T) {
	s := facade.Secret("hunter2")
	text, err := json.Marshal(map[string]facade.Secret{"token": s})
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%v %s %+v %#v %q", s, s, s, s, s), string(text), fmt.Sprint(struct{ S facade.Secret }{s})} {
		assert.NotContains(t, shown, "hunter2")
	}
	assert.Equal(t, "hunter2", string(s), "whoever needs the value converts it")
}

func TestParameters(t *testing.T) {
	p := params("a", "1", "b", "2", "a", "3")
	v, ok := p.Get("a")
	assert.True(t, ok)
	assert.Equal(t, "1", v)
	assert.Equal(t, []string{"1", "3"}, p.All("a"))
	_, ok = p.Get("c")
	assert.False(t, ok)
	assert.True(t, p.Equal(params("a", "1", "b", "2", "a", "3")))
	assert.False(t, p.Equal(params("b", "2", "a", "1", "a", "3")), "order is part of identity")
}

var errBroken = errors.New("broken on purpose")
